"""A deployment as a document: made, ended, rolled back.

What a deployment that an alarm stops looks like, with its rollback, seen on AWS:
https://github.com/josefloressv/aws-devops-engineer/blob/main/scenarios/domain-1-sdlc/ecs-bluegreen-codedeploy/README.md
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.codedeploy import configs
from labs_helpers.sandbox.codedeploy.store import Document

CREATED, IN_PROGRESS, READY = "Created", "InProgress", "Ready"
SUCCEEDED, FAILED, STOPPED, SKIPPED = "Succeeded", "Failed", "Stopped", "Skipped"
PENDING = "Pending"
ENDED = (SUCCEEDED, FAILED, STOPPED)
ON_FAILURE, ON_ALARM = "DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"
ON_REQUEST = "DEPLOYMENT_STOP_ON_REQUEST"
BEFORE_ALLOW = "BeforeAllowTraffic"
_TESTS = ("AllowTestTraffic", "AfterAllowTestTraffic")
EVENTS = (
    *("BeforeInstall", "Install", "AfterInstall", *_TESTS),
    *(BEFORE_ALLOW, "AllowTraffic", "AfterAllowTraffic"),
)
"""https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html#appspec-hooks-ecs
A deployment without a test listener has not the two of the test traffic."""
_LETTERS = string.ascii_uppercase + string.digits


def _new_id() -> str:
    return "d-" + "".join(secrets.choice(_LETTERS) for _ in range(9))


def new(
    application: str,
    group: Mapping[str, Any],
    revision: Mapping[str, Any] | None,
    config: str,
    traffic: Mapping[str, Any],
    at: float,
    **more: Any,
) -> Document:
    """A deployment to a group as the group is now; more: what is not usual."""
    pair = group["loadBalancerInfo"]["targetGroupPairInfoList"][0]
    tests = list((pair.get("testTrafficRoute") or {}).get("listenerArns") or [])
    names = [each for each in EVENTS if tests or each not in _TESTS]
    return {
        "id": _new_id(),
        "application": application,
        "group": group["deploymentGroupName"],
        "groupId": group["deploymentGroupId"],
        "role": group["serviceRoleArn"],
        "cluster": group["ecsServices"][0]["clusterName"],
        "service": group["ecsServices"][0]["serviceName"],
        "targetGroups": [each["name"] for each in pair["targetGroups"]],
        "production": list(pair["prodTrafficRoute"]["listenerArns"]),
        "tests": tests,
        "blueGreen": group["blueGreenDeploymentConfiguration"],
        "balancers": group["loadBalancerInfo"],
        "style": group["deploymentStyle"],
        "autoRollback": group.get("autoRollbackConfiguration") or {"enabled": False},
        "alarms": group.get("alarmConfiguration") or {"enabled": False},
        "config": config,
        "traffic": dict(traffic),
        "revision": None if revision is None else dict(revision),
        "previous": None,
        "creator": "user",
        "status": CREATED,
        "created": at,
        "updated": at,
        "events": [{"name": name, "status": PENDING} for name in names],
        "step": 0,
        "until": 0.0,
        "weight": 0.0,
        "rerouted": False,
        "terminating": False,
        "sets": [],
        "undo": {},
        **more,
    }


def end(
    deployment: Document,
    status: str,
    at: float,
    code: str = "",
    message: str = "",
    why: str = ON_FAILURE,
    back: bool | None = None,
) -> Document | None:
    """The deployment has ended otherwise than well; returns the deployment that rolls back.

    why: the event of an automatic rollback; back: whether to roll back, whatever the deployment's
    configuration says. A deployment that rolls back is not itself rolled back.
    """
    for each in deployment["events"]:
        if each["status"] == IN_PROGRESS:
            each |= {"status": FAILED, "end": at}
            if message:
                each["diagnostics"] = {"errorCode": "UnknownError", "message": message}
        elif each["status"] == PENDING:
            each["status"] = SKIPPED
    deployment |= {"status": status, "completed": at, "updated": at}
    if code:
        deployment["error"] = {"code": code, "message": message}
    automatic = deployment["autoRollback"]
    if back is None:
        back = bool(automatic.get("enabled")) and why in (automatic.get("events") or [])
    if not back or deployment["undo"]:
        return None
    return _rollback(deployment, at)


def _rollback(deployment: Document, at: float) -> Document:
    """The traffic goes back at once to the task set that served before.

    As seen on AWS, no task set is made for this. Which lifecycle events such a deployment has is
    not public: here it has those of every deployment.
    """
    names = [each["name"] for each in deployment["events"]]
    made: Document = {
        **deployment,
        "id": _new_id(),
        "config": configs.USUAL,
        "traffic": dict(configs.AT_ONCE),
        "revision": deployment["previous"],
        "previous": None,
        "creator": "codeDeployRollback",
        "status": CREATED,
        "created": at,
        "events": [{"name": name, "status": PENDING} for name in names],
        "alarms": {"enabled": False},
        "terminating": False,
        "undo": {
            "of": deployment["id"],
            "blue": deployment.get("blue", ""),
            "groups": deployment.get("groups", {}),
        },
    }
    for name in ("error", "completed", "started", "rollback", "description"):
        made.pop(name, None)
    old, new = deployment["id"], made["id"]
    deployment["rollback"] = {
        "rollbackDeploymentId": new,
        "rollbackMessage": f"Deployment {old} terminated. Automatic rollback is triggered with a "
        f"DeploymentId {new}.",
    }
    made["rollback"] = {
        "rollbackTriggeringDeploymentId": old,
        "rollbackMessage": f"Deployment {new} is triggered to roll back deployment {old}.",
    }
    return made
