"""What one look at a deployment may call: AWS, with the rights of the group's service role.

The service role needs what AWSCodeDeployRoleForECS has:
https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSCodeDeployRoleForECS.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from labs_helpers.sandbox.balancing.weights import forward, split
from labs_helpers.sandbox.codedeploy.store import Document

_DENIED = ("AccessDenied", "AccessDeniedException", "403")
_LARGEST = 100 * 1024
"""Bytes of an AppSpec file; AWS names no limit."""


class Failure(Exception):
    """The deployment ends; code and message are those of errorInformation."""

    def __init__(self, code: str, message: str, status: str = "Failed") -> None:
        super().__init__(message)
        self.code = code
        self.status = status


@dataclass
class Work:
    """doc: the deployment; client: of a service, with the role's rights; at: sandbox time.

    soon: whether to look again at once by itself; due: when to, by the sandbox clock.
    """

    doc: Document
    client: Callable[[str], Any]
    at: float
    soon: bool = False
    due: float = 0.0

    def waited(self, minutes: float) -> bool:
        """Whether so many minutes have gone by since the first call of a stage."""
        if not self.doc["until"]:
            self.doc["until"] = self.at + minutes * 60
        if self.at >= self.doc["until"]:
            self.doc["until"] = 0.0
            return True
        self.due = self.doc["until"]
        return False

    def sets(self) -> list[Document]:
        """The task sets of the service, which the target shows, too; raises Failure."""
        with self._calling("AmazonECS"):
            found = self.client("ecs").describe_services(
                cluster=self.doc["cluster"], services=[self.doc["service"]]
            )["services"]
        if not found or found[0]["status"] != "ACTIVE":
            raise Failure("INVALID_ECS_SERVICE", "The ECS service could not be found.")
        sets: list[Document] = found[0].get("taskSets") or []
        self.doc["sets"] = [_brief(each) for each in sets]
        return sets

    def create_set(self, **params: Any) -> str:
        """The ID of a new task set."""
        with self._calling("AmazonECS"):
            made = self.client("ecs").create_task_set(
                cluster=self.doc["cluster"],
                service=self.doc["service"],
                externalId=self.doc["id"],
                launchType="FARGATE",
                scale={"value": 100.0, "unit": "PERCENT"},
                **params,
            )
        return str(made["taskSet"]["id"])

    def delete_set(self, number: str) -> None:
        with self._calling("AmazonECS"):
            self.client("ecs").delete_task_set(
                cluster=self.doc["cluster"], service=self.doc["service"], taskSet=number, force=True
            )

    def make_primary(self, number: str) -> None:
        with self._calling("AmazonECS"):
            self.client("ecs").update_service_primary_task_set(
                cluster=self.doc["cluster"], service=self.doc["service"], primaryTaskSet=number
            )

    def groups(self) -> dict[str, str]:
        """Name -> ARN of the two target groups."""
        with self._calling("AmazonElasticLoadBalancing"):
            found = self.client("elbv2").describe_target_groups(Names=self.doc["targetGroups"])
        return {each["TargetGroupName"]: each["TargetGroupArn"] for each in found["TargetGroups"]}

    def rules(self, listener: str) -> list[tuple[str, bool, set[str]]]:
        """(ARN, whether it is the default rule, its target groups) of each rule that forwards."""
        with self._calling("AmazonElasticLoadBalancing"):
            found = self.client("elbv2").describe_rules(ListenerArn=listener)["Rules"]
        return [
            (each["RuleArn"], each["IsDefault"], groups)
            for each in found
            if (groups := _groups(each["Actions"]))
        ]

    def send(self, listeners: Sequence[str], green: str, blue: str, percent: float) -> None:
        """Have a percentage of the visitors of listeners meet green."""
        weights = split(green, blue, percent)
        for listener in listeners:
            for rule, default, groups in self.rules(listener):
                if groups & {green, blue}:
                    with self._calling("AmazonElasticLoadBalancing"):
                        forward(self.client("elbv2"), rule, listener if default else "", weights)

    def ringing(self, names: Sequence[str]) -> list[str]:
        """Which of the alarms are in the state ALARM."""
        with self._calling("AmazonCloudWatch"):
            found = self.client("cloudwatch").describe_alarms(AlarmNames=list(names))
        return [
            each["AlarmName"] for each in found["MetricAlarms"] if each["StateValue"] == "ALARM"
        ]

    def fetch(self, place: Document) -> str:
        """The AppSpec file of an s3Location; raises Failure."""
        key = {"Bucket": place["bucket"], "Key": place["key"]}
        if place.get("version"):
            key["VersionId"] = place["version"]
        with self._calling("AmazonS3"):
            found = self.client("s3").get_object(**key)
        if place.get("eTag") and place["eTag"].strip('"') != found["ETag"].strip('"'):
            raise Failure("REVISION_MISSING", "The ETag of the revision is another one by now.")
        content: bytes = found["Body"].read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise Failure("INVALID_REVISION", f"The AppSpec file has more than {_LARGEST} bytes.")
        return content.decode(errors="replace")

    @contextmanager
    def _calling(self, service: str) -> Iterator[None]:
        """Raise Failure, in CodeDeploy's words, for what a service refuses."""
        try:
            yield
        except ClientError as error:
            raise _failure(error, service, self.doc["role"]) from error


def _failure(error: ClientError, service: str, role: str) -> Failure:
    """https://docs.aws.amazon.com/codedeploy/latest/userguide/troubleshooting-ecs.html
    https://github.com/aws/serverless-application-model/issues/219 (permissions)
    The sentence of ECS_UPDATE_ERROR is one that users quote.
    """
    said, meta = error.response["Error"], error.response["ResponseMetadata"]
    if said["Code"] in _DENIED:
        return Failure(
            "IAM_ROLE_PERMISSIONS",
            f"The IAM role {role} does not give you permission to perform operations in the "
            f"following AWS service: {service}. Contact your AWS administrator if you need help. "
            "If you are an AWS administrator, you can grant permissions to your users or groups by "
            "creating IAM policies.",
        )
    words = (
        f"{said['Message']} (Service: {service}; Status Code: {meta.get('HTTPStatusCode')}; "
        f"Error Code: {said['Code']}; Request ID: {meta.get('RequestId', '')}; Proxy: null)"
    )
    if service == "AmazonS3":
        return Failure("REVISION_MISSING", f"The revision could not be found: {words}")
    if service == "AmazonECS":
        return Failure(
            "ECS_UPDATE_ERROR",
            f"The ECS service cannot be updated due to an unexpected error: {words}. Check your "
            "ECS service status.",
        )
    if service == "AmazonElasticLoadBalancing":
        return Failure(
            "ELASTIC_LOAD_BALANCING_INVALID",
            f"The ELB could not be updated due to the following error: {words}",
        )
    return Failure("INTERNAL_ERROR", words)


def _groups(actions: Sequence[Any]) -> set[str]:
    """The target groups of a rule's forward action; none of a rule that answers by itself."""
    last = actions[-1] if actions else {}
    if last.get("Type") != "forward":
        return set()
    listed = (last.get("ForwardConfig") or {}).get("TargetGroups") or [last]
    return {each["TargetGroupArn"] for each in listed}


def _brief(each: Document) -> Document:
    """A task set as a deployment remembers the set."""
    return {
        "id": each["id"],
        "status": each["status"],
        "desired": each["computedDesiredCount"],
        "pending": each["pendingCount"],
        "running": each["runningCount"],
        "group": each["loadBalancers"][0]["targetGroupArn"],
        "external": each.get("externalId", ""),
    }
