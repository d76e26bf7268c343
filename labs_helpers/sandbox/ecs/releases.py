"""Service deployments and service revisions: what ListServiceDeployments and its like show.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceDeployment.html
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceRevision.html
They stand in the service's own document: the newest comes first.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping, Sequence
from typing import Any

from labs_helpers.sandbox.ecs import tasks
from labs_helpers.sandbox.ecs.errors import Conflict
from labs_helpers.sandbox.ecs.naming import Document

PENDING, IN_PROGRESS, SUCCESSFUL, STOPPED = "PENDING", "IN_PROGRESS", "SUCCESSFUL", "STOPPED"
ROLLBACK_REQUESTED = "ROLLBACK_REQUESTED"
ROLLBACK_IN_PROGRESS = "ROLLBACK_IN_PROGRESS"
ROLLBACK_SUCCESSFUL, ROLLBACK_FAILED = "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"
UNDER_WAY = (PENDING, IN_PROGRESS, ROLLBACK_REQUESTED, ROLLBACK_IN_PROGRESS)
_MOST = 100
_LETTERS = string.ascii_letters + string.digits + "_-"


def begin(service: Document, deployment: Document, at: float) -> Document:
    """A service deployment and the revision that the deployment goes to; others are replaced."""
    for each in releases(service):
        if each["status"] in UNDER_WAY:
            finish(each, STOPPED, at, "A newer service deployment replaced this one.")
    revision = _revision(service, deployment, at)
    deployment["_revision"] = revision["serviceRevisionArn"]
    service["_revisions"] = [revision, *service.get("_revisions", [])][:_MOST]
    config = service["deploymentConfiguration"]
    breaker = config.get("deploymentCircuitBreaker") or {}
    made: Document = {
        "serviceDeploymentArn": _arn(service, "service-deployment"),
        "serviceArn": service["serviceArn"],
        "clusterArn": service["clusterArn"],
        "createdAt": at,
        "startedAt": at,
        "updatedAt": at,
        "status": IN_PROGRESS,
        "deploymentConfiguration": config,
        "deploymentCircuitBreaker": {
            "status": "MONITORING" if breaker.get("enable") else "DISABLED",
            "failureCount": 0,
            "threshold": threshold(service["desiredCount"]),
        },
        "alarms": {"status": "DISABLED", "alarmNames": [], "triggeredAlarmNames": []},
        "_deployment": deployment["id"],
        "_target": revision["serviceRevisionArn"],
        "_sources": [
            each["_revision"]
            for each in service["deployments"]
            if each is not deployment and each.get("_revision") and each.get("_completed")
        ],
        "_weight": 0.0,
        "_test": 0.0,
        "_step": 0,
        "_until": 0.0,
    }
    if config["strategy"] != "ROLLING":
        made["lifecycleStage"] = "RECONCILE_SERVICE"
    service["_releases"] = [made, *releases(service)][:_MOST]
    return made


def threshold(desired: int) -> int:
    """How many failed tasks trip the circuit breaker: half of the desired count, from 3 to 200.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
    """
    return min(max(3, -(-desired // 2)), 200)


def releases(service: Mapping[str, Any]) -> list[Document]:
    """The service deployments, the newest first."""
    found: list[Document] = service.get("_releases", [])
    return found


def current(service: Mapping[str, Any]) -> Document | None:
    """The service deployment that is under way."""
    return next((each for each in releases(service) if each["status"] in UNDER_WAY), None)


def stop(release: Document, at: float) -> None:
    """Roll back a service deployment that is under way; one that is rolled back goes on.

    Raises Conflict for one that has ended. The states are those of
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stop-service-deployment.html
    """
    status = release["status"]
    if status not in UNDER_WAY:
        raise Conflict(f"The service deployment cannot be stopped: its status is {status}.")
    if status in (PENDING, IN_PROGRESS):
        release |= {"status": ROLLBACK_REQUESTED, "updatedAt": at}


def finish(release: Document, status: str, at: float, reason: str = "") -> None:
    """A service deployment has ended."""
    release |= {"status": status, "updatedAt": at, "finishedAt": at}
    if status == STOPPED:
        release["stoppedAt"] = at
    if reason:
        release["statusReason"] = reason
    for monitor in (release["deploymentCircuitBreaker"], release["alarms"]):
        if monitor["status"] == "MONITORING":
            monitor["status"] = "MONITORING_COMPLETE"


def roll_back(release: Document, to: str, reason: str, at: float) -> None:
    """A service deployment goes back; to: the ARN of the service revision."""
    release |= {
        "status": ROLLBACK_IN_PROGRESS,
        "statusReason": reason,
        "updatedAt": at,
        "rollback": {"reason": reason, "startedAt": at, "serviceRevisionArn": to},
    }


def described(
    service: Mapping[str, Any], release: Mapping[str, Any], found: Sequence[Mapping[str, Any]]
) -> Document:
    """A service deployment with the tasks and the traffic of its revisions; found: all tasks."""
    weight, test = release["_weight"], release["_test"]
    by_revision = {each.get("_revision"): each for each in service["deployments"]}
    active = release["status"] in UNDER_WAY

    def part(arn: str, production: float, testing: float) -> Document:
        deployment = by_revision.get(arn)
        states = [
            task["lastStatus"]
            for task in found
            if deployment is not None and task["_deployment"] == deployment["id"]
        ]
        return {
            "arn": arn,
            "requestedTaskCount": 0 if deployment is None else deployment["desiredCount"],
            "runningTaskCount": states.count(tasks.RUNNING),
            "pendingTaskCount": states.count(tasks.PENDING) + states.count(tasks.PROVISIONING),
            "requestedProductionTrafficWeight": production,
            "requestedTestTrafficWeight": testing,
        }

    document = dict(release)
    document["targetServiceRevision"] = part(release["_target"], weight, test)
    document["sourceServiceRevisions"] = [
        part(arn, 100.0 - weight, 100.0 - test if active or test else 0.0)
        for arn in release["_sources"]
    ]
    return document


def brief(release: Mapping[str, Any]) -> Document:
    """A service deployment as ListServiceDeployments shows it."""
    names = ("serviceDeploymentArn", "serviceArn", "clusterArn", "startedAt", "createdAt")
    more = ("finishedAt", "status", "statusReason")
    found = {name: release[name] for name in (*names, *more) if name in release}
    return {**found, "targetServiceRevisionArn": release["_target"]}


def revision(service: Mapping[str, Any], arn: str) -> Document | None:
    """A revision, with the digests that its tasks found under the image's tags."""
    for each in service.get("_revisions", []):
        if each["serviceRevisionArn"] == arn:
            return dict(each)
    return None


def note_images(service: Document, deployment: Mapping[str, Any]) -> None:
    """Write the digests of a deployment into its revision."""
    digests = deployment.get("_digests") or {}
    for each in service.get("_revisions", []):
        if each["serviceRevisionArn"] == deployment.get("_revision"):
            for image in each["containerImages"]:
                if image["containerName"] in digests:
                    image["imageDigest"] = digests[image["containerName"]]


def _revision(service: Mapping[str, Any], deployment: Mapping[str, Any], at: float) -> Document:
    return {
        "serviceRevisionArn": _arn(service, "service-revision"),
        "serviceArn": service["serviceArn"],
        "clusterArn": service["clusterArn"],
        "taskDefinition": deployment["taskDefinition"],
        "launchType": "FARGATE",
        "platformVersion": tasks.PLATFORM,
        "platformFamily": "Linux",
        "loadBalancers": service["loadBalancers"],
        "serviceRegistries": [],
        "networkConfiguration": deployment["networkConfiguration"],
        "containerImages": list(service.get("_images", [])),
        "guardDutyEnabled": False,
        "createdAt": at,
    }


def _arn(service: Mapping[str, Any], kind: str) -> str:
    number = "".join(secrets.choice(_LETTERS) for _ in range(21))
    before, _, name = str(service["serviceArn"]).partition(":service/")
    return f"{before}:{kind}/{name}/{number}"
