"""Deployments and their targets as the answers have them.

https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeploymentInfo.html
https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ECSTarget.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from labs_helpers.sandbox.codedeploy.deployments import (
    ENDED,
    FAILED,
    IN_PROGRESS,
    PENDING,
    READY,
    STOPPED,
    SUCCEEDED,
)
from labs_helpers.sandbox.codedeploy.store import Document, Place

_COUNTED = {SUCCEEDED: "Succeeded", FAILED: "Failed", STOPPED: "Failed"}
_OVERVIEW = ("Pending", "InProgress", "Succeeded", "Failed", "Skipped", "Ready")


def time(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def deployment(doc: Mapping[str, Any]) -> Document:
    """deploymentInfo. As on AWS, deploymentOverview comes when the deployment has ended."""
    found: Document = {
        "applicationName": doc["application"],
        "deploymentGroupName": doc["group"],
        "deploymentConfigName": doc["config"],
        "deploymentId": doc["id"],
        "status": doc["status"],
        "createTime": time(doc["created"]),
        "creator": doc["creator"],
        "ignoreApplicationStopFailures": False,
        "autoRollbackConfiguration": doc["autoRollback"],
        "updateOutdatedInstancesOnly": False,
        "deploymentStyle": doc["style"],
        "instanceTerminationWaitTimeStarted": _waits_for_the_end(doc),
        "blueGreenDeploymentConfiguration": doc["blueGreen"],
        "loadBalancerInfo": doc["balancers"],
        "fileExistsBehavior": "DISALLOW",
        "deploymentStatusMessages": [],
        "computePlatform": "ECS",
    }
    for name, key in (
        ("previousRevision", "previous"),
        ("revision", "revision"),
        ("errorInformation", "error"),
        ("rollbackInfo", "rollback"),
        ("description", "description"),
        ("overrideAlarmConfiguration", "override"),
    ):
        if doc.get(key):
            found[name] = doc[key]
    for name, key in (("startTime", "started"), ("completeTime", "completed")):
        if key in doc:
            found[name] = time(doc[key])
    if doc["status"] in ENDED:
        counts = dict.fromkeys(_OVERVIEW, 0) | {_COUNTED[doc["status"]]: 1}
        found["deploymentOverview"] = counts
    return found


def _waits_for_the_end(doc: Mapping[str, Any]) -> bool:
    """Whether the original task set waits for its end."""
    return doc["status"] == IN_PROGRESS and all(
        each["status"] == SUCCEEDED for each in doc["events"]
    )


def target_id(doc: Mapping[str, Any]) -> str:
    return f"{doc['cluster']}:{doc['service']}"


def target(doc: Mapping[str, Any], place: Place) -> Document:
    """deploymentTarget, the one of a deployment to ECS."""
    account, region = place
    service = f"arn:aws:ecs:{region}:{account}:service/{doc['cluster']}/{doc['service']}"
    return {
        "deploymentTargetType": "ECSTarget",
        "ecsTarget": {
            "deploymentId": doc["id"],
            "targetId": target_id(doc),
            "targetArn": service,
            "lastUpdatedAt": time(doc["updated"]),
            "lifecycleEvents": [_event(each) for each in doc["events"]],
            "status": _status(doc),
            "taskSetsInfo": [
                _set(doc, each) for each in doc["sets"] if each["status"] != "DRAINING"
            ],
        },
    }


def _event(each: Mapping[str, Any]) -> Document:
    found: Document = {"lifecycleEventName": each["name"], "status": each["status"]}
    for name, key in (("startTime", "start"), ("endTime", "end")):
        if key in each:
            found[name] = time(each[key])
    if "diagnostics" in each:
        found["diagnostics"] = {"scriptName": "", "logTail": "", **each["diagnostics"]}
    return found


def _status(doc: Mapping[str, Any]) -> str:
    if doc["status"] in _COUNTED:
        return _COUNTED[doc["status"]]
    if doc["status"] == READY:
        return READY
    return IN_PROGRESS if "started" in doc else PENDING


def _set(doc: Mapping[str, Any], each: Mapping[str, Any]) -> Document:
    """ECSTaskSet; the name of the member "identifer" is AWS's own."""
    is_green = each["id"] == doc.get("green") or each["external"] == doc["undo"].get("of", "-")
    arn = each["group"].split("/")
    return {
        "identifer": each["id"],
        "desiredCount": each["desired"],
        "pendingCount": each["pending"],
        "runningCount": each["running"],
        "status": each["status"],
        "trafficWeight": doc["weight"] if is_green else 100.0 - doc["weight"],
        "targetGroup": {"name": arn[1] if len(arn) > 1 else ""},
        "taskSetLabel": "Green" if is_green else "Blue",
    }
