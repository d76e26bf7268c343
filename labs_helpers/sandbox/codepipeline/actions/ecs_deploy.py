"""Deploy to Amazon ECS: a new revision of the task definition, and the service on it.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECS.html
imagedefinitions.json: https://docs.aws.amazon.com/codepipeline/latest/userguide/file-reference.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from labs_helpers.sandbox.codepipeline.actions.work import (
    ActionFailed,
    Outcome,
    Work,
    refused,
    words,
)

_FILE = "imagedefinitions.json"
_LARGEST_FILE = 100 * 1024
_MINUTES = 60
"""DeploymentTimeout where the action has none."""
_NOT_REGISTERED = (
    *("taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities"),
    *("registeredAt", "registeredBy", "deregisteredAt", "deleteRequestedAt"),
)
"""Members of a task definition that RegisterTaskDefinition does not take."""


def deploy(work: Work) -> Outcome:
    """Update the service at the first look; at the others wait for the deployment."""
    try:
        return _wait(work) if "definition" in work.memory else _start(work)
    except ClientError as error:
        if refused(error):
            raise ActionFailed(
                "PermissionError",
                "The provided role does not have sufficient permissions to access ECS. "
                f"{words(error, 'AmazonECS')}",
            ) from error
        raise ActionFailed("ConfigurationError", words(error, "AmazonECS")) from error


def _start(work: Work) -> Outcome:
    cluster, service = work.configuration["ClusterName"], work.configuration["ServiceName"]
    images = _images(work)
    client = work.client("ecs")
    found = _service(client, cluster, service)
    described = client.describe_task_definition(
        taskDefinition=found["taskDefinition"], include=["TAGS"]
    )
    before = described["taskDefinition"]
    names = [each["name"] for each in before["containerDefinitions"]]
    for name in images:
        if name not in names:
            # https://github.com/aws-samples/aws-modern-application-workshop/issues/153
            raise ActionFailed("ConfigurationError", f"The AWS ECS container {name} does not exist")
    wanted = {name: value for name, value in before.items() if name not in _NOT_REGISTERED}
    wanted["containerDefinitions"] = [
        {**each, "image": images.get(each["name"], each["image"])}
        for each in before["containerDefinitions"]
    ]
    if described.get("tags"):
        wanted["tags"] = described["tags"]
    made = client.register_task_definition(**wanted)["taskDefinition"]["taskDefinitionArn"]
    client.update_service(cluster=cluster, service=service, taskDefinition=made)
    minutes = int(work.configuration.get("DeploymentTimeout", _MINUTES))
    memory = {"definition": made, "ends": work.at + 60 * minutes}
    return Outcome("InProgress", external=_external(work, made), memory=memory)


def _wait(work: Work) -> Outcome:
    cluster, service = work.configuration["ClusterName"], work.configuration["ServiceName"]
    made = work.memory["definition"]
    found = _service(work.client("ecs"), cluster, service)
    deployments = found.get("deployments", [])
    ours = [each for each in deployments if each["taskDefinition"] == made]
    failed = [each for each in ours if each.get("rolloutState") == "FAILED"]
    if failed or not ours:
        reason = failed[0].get("rolloutStateReason", "") if failed else "it was replaced"
        raise ActionFailed("JobFailed", f"The deployment of {made} failed: {reason}")
    done = len(deployments) == 1 and ours[0]["runningCount"] == ours[0]["desiredCount"]
    if done and ours[0].get("rolloutState", "COMPLETED") == "COMPLETED":
        return Outcome("Succeeded", summary="Deployment Succeeded", external=_external(work, made))
    if work.at >= work.memory["ends"]:
        raise ActionFailed("JobFailed", f"The deployment of {made} timed out")
    return Outcome("InProgress", external=_external(work, made), memory=dict(work.memory))


def _service(client: Any, cluster: str, service: str) -> Mapping[str, Any]:
    found = client.describe_services(cluster=cluster, services=[service])["services"]
    active: list[Mapping[str, Any]] = [each for each in found if each["status"] == "ACTIVE"]
    if not active:
        raise ActionFailed(
            "ConfigurationError", f"The service {service} is not in the cluster {cluster}"
        )
    return active[0]


def _file(work: Work) -> str:
    return work.configuration.get("FileName", _FILE)


def _images(work: Work) -> dict[str, str]:
    """Container name -> image, of the file; raises ActionFailed."""
    name, given = _file(work), work.inputs[0]
    content = work.unpacked().get(name)
    if content is None:
        raise ActionFailed(
            "ConfigurationError",
            f"Did not find the image definition file {name} in the input artifacts ZIP file. "
            "Verify the file is stored in your pipeline's Amazon S3 artifact bucket: "
            f"{given['bucket']} key: {given['key']}",
        )
    try:
        if len(content) > _LARGEST_FILE:
            raise ValueError(f"larger than {_LARGEST_FILE >> 10} KB")
        return {str(each["name"]): str(each["imageUri"]) for each in json.loads(content)}
    except (ValueError, KeyError, TypeError) as error:
        raise ActionFailed(
            "ConfigurationError",
            # so of an object in place of the list, too (read 2026-11-29):
            # https://qiita.com/Ryo-0131/items/d6dac2a1f1c43a5c25cd
            f"The image definition file {name} contains invalid JSON format",
        ) from error


def _external(work: Work, definition: str) -> dict[str, str]:
    cluster, service = work.configuration["ClusterName"], work.configuration["ServiceName"]
    host = "https://console.aws.amazon.com/ecs/home"
    return {
        "id": definition,
        "url": f"{host}?region={work.region}#/clusters/{cluster}/services/{service}/deployments",
    }
