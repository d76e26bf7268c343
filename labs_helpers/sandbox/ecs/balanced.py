"""Services behind load balancers: what `loadBalancers` may say, and each task's targets.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-load-balancing.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from labs_helpers.sandbox.balancing.store import HEALTHY, INITIAL, UNHEALTHY, Target
from labs_helpers.sandbox.ecs import tasks
from labs_helpers.sandbox.ecs.errors import InvalidParameter
from labs_helpers.sandbox.ecs.naming import Document
from labs_helpers.sandbox.service.errors import not_here

_LOOPBACK = "127.0.0.1"
_MOST = 5


class Balancers(Protocol):
    """What ECS asks of Elastic Load Balancing (`balancing.Balancing`)."""

    def group(self, arn: str) -> Document | None:
        """A target group: {"type", "protocol", "version", "balancers"}."""

    def rule(self, arn: str) -> Document | None:
        """A rule of a listener: {"arn", "listener", "default", "actions"}."""

    def keep(
        self, owner: str, wanted: Iterable[Target]
    ) -> tuple[Sequence[Target], Sequence[Target]]:
        """Make these the owner's targets: (those now registered, those now drained)."""

    def health(self, owner: str) -> Mapping[Target, tuple[str, str]]:
        """Target -> (state, description)."""


def check(
    listed: Sequence[Mapping[str, Any]], definition: Mapping[str, Any], balancers: Balancers
) -> None:
    """Raise InvalidParameter or NotHere for load balancers that a service cannot have."""
    if len(listed) > _MOST:
        raise InvalidParameter(f"load balancers can have at most {_MOST} items.")
    for each in listed:
        if each.get("loadBalancerName"):
            raise InvalidParameter(
                "Classic Load Balancers are not supported with launch type FARGATE: give a "
                "targetGroupArn."
            )
        if not each.get("targetGroupArn"):
            raise InvalidParameter("targetGroupArn cannot be null or empty.")
        check_container(each, definition)
        check_group(each["targetGroupArn"], balancers)


def check_container(each: Mapping[str, Any], definition: Mapping[str, Any]) -> None:
    """Raise InvalidParameter unless the task definition has the container and its port."""
    name, port = each.get("containerName"), each.get("containerPort")
    found = [one for one in definition["containerDefinitions"] if one["name"] == name]
    if not found:
        raise InvalidParameter(f"The container {name} does not exist in the task definition.")
    if port not in [one.get("containerPort") for one in found[0]["portMappings"]]:
        raise InvalidParameter(
            f"The container {name} did not have a container port {port} defined."
        )


def check_group(arn: str, balancers: Balancers, associated: bool = True) -> None:
    """Raise InvalidParameter or NotHere unless tasks of Fargate can be targets of a group.

    associated: whether a load balancer has to forward to the group already.
    """
    group = balancers.group(arn)
    if group is None:
        raise InvalidParameter(f"The target group {arn} does not exist.")
    if group["type"] != "ip":
        raise InvalidParameter(
            f"The provided target group {arn} has target type {group['type']}, which is "
            "incompatible with the awsvpc network mode specified in the task definition."
        )
    if group["protocol"] != "HTTP" or group["version"] != "HTTP1":
        raise not_here(
            f"services behind a target group of the protocol {group['protocol']} "
            f"({group['version']})",
            "Load balancers of the sandbox speak HTTP/1.1.",
        )
    if associated and not group["balancers"]:
        raise InvalidParameter(
            f"The target group with targetGroupArn {arn} does not have an associated load balancer."
        )


def groups(service: Mapping[str, Any]) -> list[str]:
    """The target groups of a new deployment that replaces its forerunner in place."""
    return [each["targetGroupArn"] for each in service["loadBalancers"]]


def targets(service: Mapping[str, Any], task: Mapping[str, Any]) -> list[Target]:
    """Where a running task is a target, one for each load balancer of its service."""
    if not service["loadBalancers"] or task["lastStatus"] not in (tasks.RUNNING, tasks.LEAVING):
        return []
    containers = {each["name"]: each for each in task["containers"]}
    return [
        Target(group, _LOOPBACK, binding["hostPort"])
        for each, group in zip(_of_set(service, task), task["_groups"], strict=True)
        for binding in containers[each["containerName"]]["networkBindings"]
        if binding["containerPort"] == each["containerPort"]
    ]


def _of_set(service: Mapping[str, Any], task: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """loadBalancers of the task's own task set, or those of the service."""
    for each in service["deployments"]:
        if each["id"] == task["_deployment"] and "loadBalancers" in each:
            return list(each["loadBalancers"])
    return list(service["loadBalancers"])


def wanted(service: Mapping[str, Any], found: Iterable[Mapping[str, Any]]) -> list[Target]:
    """The targets that a service is to have."""
    return [each for task in found if tasks.is_live(task) for each in targets(service, task)]


def note_health(
    service: Mapping[str, Any],
    found: Iterable[Document],
    health: Mapping[Target, tuple[str, str]],
) -> None:
    """Write into each task how its targets are: `_target` is (state, target group, description)."""
    if not service["loadBalancers"]:
        return
    for task in found:
        told = [(*health.get(each, (INITIAL, "")), each) for each in targets(service, task)]
        worst = [one for one in told if one[0] == UNHEALTHY] or [
            one for one in told if one[0] != HEALTHY
        ]
        if worst:
            state, description, target = worst[0]
            task["_target"] = [state, target.group, description, target.port]
        else:
            task["_target"] = [HEALTHY if told else INITIAL, "", "", 0]


def has_left(
    service: Mapping[str, Any], task: Mapping[str, Any], health: Mapping[Target, Any]
) -> bool:
    """Whether a task that is to stop is a target no longer, so that nobody asks its program."""
    return task["lastStatus"] == tasks.LEAVING and not any(
        each in health for each in targets(service, task)
    )
