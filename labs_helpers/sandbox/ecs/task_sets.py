"""Task sets: the deployments of a service that CodeDeploy deploys.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskSet.html
They stand in the service's document as its deployments do, with the members of a deployment; a
service of ours shows the ones or the others, never both. What a service looks like during and after
a deployment of CodeDeploy, seen on AWS:
https://github.com/josefloressv/aws-devops-engineer/blob/main/scenarios/domain-1-sdlc/ecs-bluegreen-codedeploy/README.md
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from labs_helpers.sandbox.ecs import deployments, rolling, tasks
from labs_helpers.sandbox.ecs.crew import Crew
from labs_helpers.sandbox.ecs.deployments import ACTIVE, PRIMARY
from labs_helpers.sandbox.ecs.naming import Document, shown
from labs_helpers.sandbox.ecs.plans import Plan

CODE_DEPLOY = "CODE_DEPLOY"
DRAINING = "DRAINING"
STEADY, STABILIZING = "STEADY_STATE", "STABILIZING"
WHOLE: Mapping[str, Any] = {"value": 100.0, "unit": "PERCENT"}
NONE: Mapping[str, Any] = {"value": 0.0, "unit": "PERCENT"}
_OF_A_SET = (
    *("id", "status", "taskDefinition", "pendingCount", "runningCount", "createdAt", "updatedAt"),
    *("launchType", "platformVersion", "platformFamily", "networkConfiguration", "loadBalancers"),
    *("externalId", "startedBy", "scale", "stabilityStatus", "stabilityStatusAt"),
)


def has(service: Mapping[str, Any]) -> bool:
    """Whether a service has task sets instead of deployments."""
    return bool(service["deploymentController"]["type"] == CODE_DEPLOY)


def add(
    service: Document,
    balancers: Sequence[Mapping[str, Any]],
    at: float,
    external: str = "",
    **changed: Any,
) -> Document:
    """A new task set, PRIMARY where the service has none.

    balancers: loadBalancers of the set; external: the deployment of CodeDeploy; changed: what is
    not as the service says (taskDefinition, networkConfiguration, scale).
    """
    first = not service["deployments"]
    groups = [each["targetGroupArn"] for each in balancers]
    made: Document = {
        **deployments.new({**service, **changed}, groups, at),
        "status": PRIMARY if first else ACTIVE,
        "loadBalancers": [dict(each) for each in balancers],
        "scale": dict(changed.get("scale") or WHOLE),
        "stabilityStatus": STABILIZING,
        "stabilityStatusAt": at,
    }
    if external:
        made |= {"externalId": external, "startedBy": CODE_DEPLOY}
    made["desiredCount"] = computed(service, made)
    service["deployments"].append(made)
    service["_steady"] = False
    return made


def computed(service: Mapping[str, Any], each: Mapping[str, Any]) -> int:
    """computedDesiredCount: the set's share of the desired count, rounded up."""
    if service["status"] != "ACTIVE" or each["status"] == DRAINING:
        return 0
    desired: int = service["desiredCount"]
    share: float = each["scale"]["value"]
    return math.ceil(desired * share / 100)


def drain(each: Document, at: float) -> None:
    """Let the tasks of a set end; the set is gone with the last of them."""
    each |= {"status": DRAINING, "scale": dict(NONE), "updatedAt": at}


def make_primary(service: Document, chosen: Document, at: float) -> None:
    """UpdateServicePrimaryTaskSet: the service takes what the set has."""
    for each in service["deployments"]:
        if each["status"] == PRIMARY:
            each |= {"status": ACTIVE, "updatedAt": at}
    chosen |= {"status": PRIMARY, "updatedAt": at}
    for name in ("taskDefinition", "networkConfiguration", "loadBalancers"):
        service[name] = chosen[name]


def plan(service: Document, found: Sequence[Document], at: float, real: float) -> Plan:
    """The next step of a service with task sets; like `rolling.plan`."""
    made = Plan()
    rolling.count_tasks(service, found, made, at, real)
    crew = Crew(service, found, made, at, real)
    for each in list(service["deployments"]):
        wanted = computed(service, each)
        crew.scale(each, wanted)
        left = 0 if crew.is_gone(each) else len(crew.live(each))
        steady = crew.up(each) == wanted == left
        status = STEADY if steady else STABILIZING
        if each["stabilityStatus"] != status:
            each |= {"stabilityStatus": status, "stabilityStatusAt": at}
        made.again |= not steady
        if each["status"] == DRAINING and crew.is_gone(each):
            service["deployments"].remove(each)
    _settle(service, found, made, at)
    deployments.count(service, found)
    return made


def _settle(service: Document, found: Sequence[Document], made: Plan, at: float) -> None:
    if deployments.is_ending(service, tasks.left(found)):
        return
    if all(each["stabilityStatus"] == STEADY for each in service["deployments"]):
        rolling.say_steady(service, made, at)


def arn(service: Mapping[str, Any], number: str) -> str:
    prefix, _, name = str(service["serviceArn"]).partition(":service/")
    return f"{prefix}:task-set/{name}/{number}"


def described(service: Mapping[str, Any], each: Mapping[str, Any]) -> Document:
    """A task set as the answers have the set."""
    return {
        "taskSetArn": arn(service, each["id"]),
        "serviceArn": service["serviceArn"],
        "clusterArn": service["clusterArn"],
        "serviceRegistries": [],
        "tags": list(each.get("_tags", [])),
        "computedDesiredCount": each["desiredCount"],
        **{name: each[name] for name in _OF_A_SET if name in each},
    }


def answered(service: Mapping[str, Any]) -> Any:
    """A service as the answers have the service, with its task sets or its deployments."""
    if not has(service):
        return shown(service)
    sets = [described(service, each) for each in service["deployments"]]
    return shown({**service, "deployments": [], "taskSets": sets})
