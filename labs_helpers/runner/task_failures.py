"""Why a task stops before its containers run, in Fargate's words.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_cannot_pull_image.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/resource-initialization-error.html
"""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

from labs_helpers.oci.reference import Reference
from labs_helpers.runner.engine_client import EngineRefused

FAILED_TO_START = "TaskFailedToStart"
_RETRIED = "pull image manifest has been retried 1 time(s)"
_AUTH = (
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource "
    "retrieval failed: "
)
_OCI = "failed to create task for container: failed to create shim task: OCI"


class CannotRun(Exception):
    """The task stops, and the message is its stoppedReason; container: whose reason that is."""

    def __init__(self, message: str, container: str = "", exit_code: int | None = None) -> None:
        super().__init__(message)
        self.container = container
        self.exit_code = exit_code


def no_registry_auth(error: ClientError | BotoCoreError) -> CannotRun:
    """GetAuthorizationToken was refused to the execution role."""
    return CannotRun(
        f"{_AUTH}unable to retrieve ecr registry auth: service call has been retried 1 time(s): "
        f"{words(error)}"
    )


def no_secret(arn: str, error: ClientError | BotoCoreError) -> CannotRun:
    """Secrets Manager refused a secret to the execution role."""
    return CannotRun(
        f"{_AUTH}unable to retrieve secret from asm: service call has been retried 1 time(s): "
        f"failed to fetch secret {arn} from secrets manager: {words(error)}"
    )


def no_json_key(arn: str, key: str) -> CannotRun:
    """A secret is no JSON object with a key."""
    return CannotRun(
        f"{_AUTH}unable to retrieve secret from asm: retrieved secret from Secrets Manager did not "
        f"contain json key {key} ({arn})"
    )


def no_parameter(error: ClientError | BotoCoreError | str) -> CannotRun:
    """Parameter Store refused a parameter to the execution role, or has none of the name."""
    if isinstance(error, str):
        return CannotRun(f"{_AUTH}unable to retrieve secrets from ssm: invalid parameters: {error}")
    return CannotRun(
        f"{_AUTH}unable to retrieve secrets from ssm: service call has been retried 1 time(s): "
        f"{words(error)}"
    )


def no_log(code: str, message: str) -> CannotRun:
    """The execution role could not make the log stream."""
    return CannotRun(
        "ResourceInitializationError: failed to validate logger args: create stream has been "
        f"retried 1 times: failed to create Cloudwatch log stream: {code}: {message} : exit "
        "status 1"
    )


def not_resolved(reference: Reference, refused: EngineRefused) -> CannotRun:
    """The registry refused the manifest.

    https://github.com/aws/aws-cdk/issues/14457 and
    https://github.com/docker-archive/compose-cli/issues/911 show messages of AWS.
    """
    name = reference.digest or reference.tag
    if refused.status == 404:
        why = f"{reference}: not found"
    elif reference.domain == "docker.io" and refused.status in (401, 403):
        why = (
            "pull access denied, repository does not exist or may require authorization: server "
            "message: insufficient_scope: authorization failed"
        )
    elif refused.status in (401, 403):
        status = {401: "401 Unauthorized", 403: "403 Forbidden"}[refused.status]
        why = f"pulling from host {reference.domain} failed with status code [manifests {name}]: "
        why += status
    elif refused.status == 429:
        why = f"unexpected status code [manifests {name}]: 429 Too Many Requests - {refused}"
    else:
        why = str(refused)
    return CannotRun(
        f"CannotPullContainerError: {_RETRIED}: failed to resolve ref {reference}: {why}"
    )


def no_platform(platform: str) -> CannotRun:
    """An index has no image for the platform of the task.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_cannot_pull_image.html
    """
    return CannotRun(
        f"CannotPullContainerError: {_RETRIED}: image Manifest does not contain descriptor "
        f"matching platform '{platform}'."
    )


def not_pulled(refused: EngineRefused) -> CannotRun:
    """The manifest was there, and a layer could not be had."""
    return CannotRun(f"CannotPullContainerError: ref pull has been retried 1 time(s): {refused}")


def not_created(container: str, refused: EngineRefused) -> CannotRun:
    """The engine takes no such container, or can run none on this machine."""
    return CannotRun(f"CannotCreateContainerError: {refused}", container)


def not_started(container: str, refused: EngineRefused) -> CannotRun:
    """The program of a container could not be started."""
    text = str(refused)
    if text.startswith(_OCI):
        # containerd and runc, as Fargate passes their words on
        text = (
            "ResourceInitializationError: failed to create new container runtime task: failed to "
            f"create shim task: OCI{text.removeprefix(_OCI)}"
        )
    return CannotRun(f"CannotStartContainerError: {text}", container)


def words(error: ClientError | BotoCoreError) -> str:
    """An error of AWS as the agent's SDK (for Go) writes the error."""
    if not isinstance(error, ClientError):
        return str(error)
    facts = error.response["ResponseMetadata"]
    return (
        f"{error.response['Error']['Code']}: {error.response['Error']['Message']} status code: "
        f"{facts.get('HTTPStatusCode', 400)}, request id: {facts.get('RequestId', '')}"
    )
