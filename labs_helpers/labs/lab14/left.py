"""What is left of what labs 10, 12 and 14 deploy, by name, in the order in which AWS lets it go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from labs_helpers.checks.world import World
from labs_helpers.labs.deployment.names import (
    BALANCER,
    CLUSTER,
    FAMILY,
    RELEASE,
    ROLE,
    ROLES,
    SHOP,
    SHOPS_RELEASE,
    TARGET_GROUPS,
    WEB,
)
from labs_helpers.prepare.load_balancers import balancer_arn, target_group_arn

_BY_A_PERSON = (f"service:{WEB}", "UserInitiated")
"""The group and the stop code of a task of the service web which somebody stopped.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html
"""


_MOST_SERVICES = 10
"""https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html"""
_OF_NOBODY = " of no service"
_WITHOUT_TASKS = ", which wants no task"


def begun(world: World) -> bool:
    """Whether there is or was a cluster: ECS shows a deleted one for a while.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteCluster.html
    """
    return bool(world.client("ecs").describe_clusters(clusters=[CLUSTER])["clusters"])


def lessened(world: World) -> bool:
    """Whether somebody has begun to clean up, with all that is large still there.

    What is older than the service web was there before this lab, or before its beginning was made.
    """
    ecs, iam = world.client("ecs"), world.client("iam")
    asked = ecs.describe_services(cluster=CLUSTER, services=[WEB, SHOP])["services"]
    found = {each["serviceName"]: each for each in asked}
    since, shop = found[WEB]["createdAt"], found.get(SHOP)
    if found[WEB]["status"] != "ACTIVE" or not found[WEB]["desiredCount"]:
        return True
    if shop and shop["status"] != "ACTIVE" and shop["createdAt"] > since:
        return True
    stopped = [each for each in _tasks(ecs, "STOPPED") if each["createdAt"] >= since]
    if any((each["group"], each.get("stopCode")) == _BY_A_PERSON for each in stopped):
        return True
    policies = iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"]
    return not policies or not {RELEASE, SHOPS_RELEASE} <= set(world.tags())


def bare(there: Iterable[str]) -> set[str]:
    """What is left by kind and name alone."""
    return {one.removesuffix(_WITHOUT_TASKS) for one in there}


def left(world: World) -> list[str]:
    """What is left, in the order in which AWS lets it go."""
    ecs, iam, ecr = (world.client(name) for name in ("ecs", "iam", "ecr"))
    names = {str(arn).rpartition("/")[2] for arn in ecs.list_clusters()["clusterArns"]}
    there = []
    if CLUSTER in names:
        services = [
            str(arn).rpartition("/")[2] for arn in ecs.list_services(cluster=CLUSTER)["serviceArns"]
        ]
        there += [f"service {name}" for name in _named(ecs, sorted(services))]
        there += sorted(
            f"task {each['taskArn'].rpartition('/')[2]}{_OF_NOBODY if _is_loose(each) else ''}"
            for each in _tasks(ecs, "RUNNING", "STOPPED")
            if each["lastStatus"] != "STOPPED"
        )
        there.append(f"cluster {CLUSTER}")
    for family in (FAMILY, SHOP):
        pages = ecs.get_paginator("list_task_definitions").paginate(familyPrefix=family)
        found = (str(arn).rpartition("/")[2] for arn in pages.search("taskDefinitionArns[]"))
        there += [f"task definition {one}" for one in found if one.rpartition(":")[0] == family]
    there += _balancers(world.client("elbv2"))
    roles = iam.get_paginator("list_roles").paginate().search("Roles[].RoleName")
    there += [f"role {name}" for name in sorted(set(ROLES) & set(roles))]
    found = ecr.get_paginator("describe_repositories").paginate()
    if world.repository in set(found.search("repositories[].repositoryName")):
        there.append(f"repository {world.repository}")
    return there


def in_lines(there: Sequence[str]) -> list[str]:
    """What is left, a line each, and one for all revisions of a task definition."""
    kind = "task definition "
    lines: dict[str, list[str]] = {}
    for one in there:
        family = one.rpartition(":")[0] if one.startswith(kind) else one
        lines.setdefault(family, []).append(one.removeprefix(kind))
    return [
        f"{family}: {len(found)} revisions, {found[0]} and others"
        if len(found) > 1
        else kind + found[0]
        if family.startswith(kind)
        else family
        for family, found in lines.items()
    ]


def _named(ecs: Any, services: Sequence[str]) -> list[str]:
    """The names of services, those first that want tasks, and which of them want none."""
    idle = {
        one["serviceName"]
        for first in range(0, len(services), _MOST_SERVICES)
        for one in ecs.describe_services(
            cluster=CLUSTER, services=list(services[first : first + _MOST_SERVICES])
        )["services"]
        if one["desiredCount"] == 0
    }
    return [
        *(name for name in services if name not in idle),
        *(f"{name}{_WITHOUT_TASKS}" for name in services if name in idle),
    ]


def _balancers(elb: Any) -> list[str]:
    found = [f"load balancer {BALANCER}"] if balancer_arn(elb, BALANCER) else []
    groups = (name for name in TARGET_GROUPS if target_group_arn(elb, name))
    return found + [f"target group {name}" for name in groups]


def _tasks(ecs: Any, *statuses: str) -> list[dict[str, Any]]:
    """The tasks of the cluster that were to run, or were stopped."""
    arns = [
        arn
        for status in statuses
        for arn in ecs.list_tasks(cluster=CLUSTER, desiredStatus=status)["taskArns"]
    ]
    return list(ecs.describe_tasks(cluster=CLUSTER, tasks=arns)["tasks"]) if arns else []


def _is_loose(task: dict[str, Any]) -> bool:
    """Whether nobody stops the task: no service keeps it, and nobody has asked it to end."""
    of_a_service = str(task.get("group", "")).startswith("service:")
    return task["desiredStatus"] == "RUNNING" and not of_a_service


def advice(first: str) -> str:
    if first.endswith(_OF_NOBODY):
        return "somebody started this task by hand, so it runs until somebody stops it"
    if first.endswith(_WITHOUT_TASKS):
        return "a service that wants no task goes at the first word"
    kind = first.rpartition(" ")[0]
    return {
        "service": "a service replaces what stops, and goes only when you say that you mean it",
        "task": "a task ends some seconds after it was asked to: look again",
        "cluster": "a cluster goes when it is empty",
        "load balancer": "a load balancer is deleted, and its target groups after it",
        "target group": "a target group goes when no listener names it",
        "role": "a role goes when nothing hangs on it: the refusal says what",
        "repository": "a repository that holds images goes only when you say that you mean it",
    }.get(kind, "a task definition goes revision by revision, each by its number")
