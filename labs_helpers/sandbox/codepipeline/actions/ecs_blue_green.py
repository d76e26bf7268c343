"""Deploy to Amazon ECS by CodeDeploy: a task definition and an AppSpec file from templates.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECSbluegreen.html
taskdef.json and appspec.yaml: https://docs.aws.amazon.com/codepipeline/latest/userguide/tutorials-ecs-ecr-codedeploy.html
imageDetail.json: https://docs.aws.amazon.com/codepipeline/latest/userguide/file-reference.html#file-reference-ecs-bluegreen
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError

from labs_helpers.sandbox.codepipeline.actions.work import (
    ActionFailed,
    Outcome,
    Work,
    refused,
    words,
)

IMAGES = tuple(range(1, 5))
"""Images that a task definition may have from the pipeline."""
_LARGEST = 3 * 1024 * 1024
"""Bytes of an input artifact, packed:
https://docs.aws.amazon.com/codepipeline/latest/userguide/troubleshooting.html#troubleshooting-ecstocodedeploy-size"""
_DEFINITION = "<TASK_DEFINITION>"
_DETAIL = "imageDetail.json"


def deploy(work: Work) -> Outcome:
    """Start the deployment at the first look; at the others say how the deployment goes."""
    if "deployment" not in work.memory:
        return _start(work)
    number = work.memory["deployment"]
    try:
        found = work.client("codedeploy").get_deployment(deploymentId=number)["deploymentInfo"]
    except ClientError as error:
        raise _failed(error, "AmazonCodeDeploy") from error
    external = _external(work, number)
    if found["status"] == "Succeeded":
        return Outcome("Succeeded", summary="Deployment Succeeded", external=external)
    if found["status"] in ("Failed", "Stopped"):
        said = found.get("errorInformation") or {}
        raise ActionFailed(
            "JobFailed",
            f"Deployment {number} failed. Error code: {said.get('code', '')}; Error message: "
            f"{said.get('message', '')}",
        )
    return Outcome("InProgress", external=external, memory=dict(work.memory))


def _start(work: Work) -> Outcome:
    given = work.configuration
    template = _text(work, "TaskDefinitionTemplate", "taskdef.json", "task definition")
    spec = _text(work, "AppSpecTemplate", "appspec.yaml", "AppSpec")
    for number in IMAGES:
        if given.get(f"Image{number}ArtifactName"):
            placeholder = f"<{given.get(f'Image{number}ContainerName', '')}>"
            template = template.replace(placeholder, _image(work, number))
    made = _register(work, template)
    try:
        number = work.client("codedeploy").create_deployment(
            applicationName=given["ApplicationName"],
            deploymentGroupName=given["DeploymentGroupName"],
            revision={
                "revisionType": "AppSpecContent",
                "appSpecContent": {"content": spec.replace(_DEFINITION, made)},
            },
        )["deploymentId"]
    except ClientError as error:
        raise _failed(error, "AmazonCodeDeploy") from error
    return Outcome("InProgress", external=_external(work, number), memory={"deployment": number})


def _register(work: Work, template: str) -> str:
    """The ARN of a new revision."""
    try:
        wanted = json.loads(template)
        client = work.client("ecs")
        return str(client.register_task_definition(**wanted)["taskDefinition"]["taskDefinitionArn"])
    except (ValueError, TypeError, ParamValidationError) as error:
        raise ActionFailed(
            "ConfigurationError", f"The task definition template is not valid: {error}"
        ) from error
    except ClientError as error:
        raise _failed(error, "AmazonECS") from error


def _text(work: Work, key: str, usual: str, what: str) -> str:
    """The file that a template's configuration names."""
    artifact = work.configuration[f"{key}Artifact"]
    path = work.configuration.get(f"{key}Path") or usual
    content = _files(work, artifact).get(path)
    if content is None:
        raise ActionFailed(
            "ConfigurationError",
            f"Exception while trying to read the {what} artifact file from: {artifact}",
        )
    return content.decode(errors="replace")


def _image(work: Work, number: int) -> str:
    """ImageURI of an image's imageDetail.json."""
    artifact = work.configuration[f"Image{number}ArtifactName"]
    try:
        return str(json.loads(_files(work, artifact)[_DETAIL])["ImageURI"])
    except (KeyError, ValueError, TypeError) as error:
        # https://stackoverflow.com/questions/62022787
        raise ActionFailed(
            "ConfigurationError",
            "Exception while trying to read the image artifact file from the artifact: "
            f"{artifact}.",
        ) from error


def _files(work: Work, artifact: str) -> Mapping[str, bytes]:
    given = [each for each in work.inputs if each["name"] == artifact]
    if not given:
        raise ActionFailed(
            "ConfigurationError", f"The artifact {artifact} is not an input artifact of the action"
        )
    own = replace(work, inputs=given)
    if len(own.read()) > _LARGEST:
        return {}
    return own.unpacked()


def _failed(error: ClientError, service: str) -> ActionFailed:
    if refused(error):
        return ActionFailed(
            "PermissionError",
            f"The provided role does not have sufficient permissions: {words(error, service)}",
        )
    return ActionFailed("ConfigurationError", words(error, service))


def _external(work: Work, number: str) -> dict[str, Any]:
    host = f"https://{work.region}.console.aws.amazon.com/codesuite/codedeploy"
    return {"id": number, "url": f"{host}/deployments/{number}?region={work.region}"}
