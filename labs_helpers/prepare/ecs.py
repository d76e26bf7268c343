"""Amazon ECS: clusters with their services and tasks, and task definitions."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from labs_helpers.files import LabsError
from labs_helpers.prepare.step import Place, Step

_PATIENCE = 120.0
"""Seconds that tasks may take to end: ECS gives a program 30 seconds after SIGTERM, 120 at most.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html"""
_PAUSE = 0.2
_MOST_TASKS = 100
"""https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html"""


def no_cluster(name: str) -> Step:
    """No cluster of this name, nor any service or task in it."""

    def ensure(place: Place) -> None:
        if name not in clusters(place):
            return
        for service in services(place, name):
            delete_service(place, name, service)
        stop_tasks(place, name)
        place.client("ecs").delete_cluster(cluster=name)
        place.removed.append(f"cluster {name}")

    return Step(f"no cluster {name}", ensure)


def stop_tasks(place: Place, cluster: str, families: Collection[str] | None = None) -> None:
    """Stop the tasks of a cluster, and wait until they have ended.

    ``families``: of their task definitions; None stops every task.
    """
    ecs = place.client("ecs")
    for arns in _in_hundreds(list(_tasks(ecs, cluster))):
        for task in ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"]:
            family = _family(task["taskDefinitionArn"])
            if families is None or family in families:
                ecs.stop_task(cluster=cluster, task=task["taskArn"], reason="The labs clean up")
    _until_stopped(ecs, cluster)


def no_task_definition(family: str) -> Step:
    """No active revision of a task definition."""

    def ensure(place: Place) -> None:
        for arn in revisions(place, family):
            place.client("ecs").deregister_task_definition(taskDefinition=arn)
            place.removed.append(f"task definition {arn.rpartition('/')[2]}")

    return Step(f"no task definition {family}", ensure)


def clusters(place: Place) -> list[str]:
    """The names of the active clusters."""
    arns = place.client("ecs").get_paginator("list_clusters").paginate().search("clusterArns[]")
    return sorted(str(arn).rpartition("/")[2] for arn in arns)


def services(place: Place, cluster: str) -> list[str]:
    """The names of a cluster's services that are active or still end."""
    pages = place.client("ecs").get_paginator("list_services").paginate(cluster=cluster)
    return sorted(str(arn).rpartition("/")[2] for arn in pages.search("serviceArns[]"))


def delete_service(place: Place, cluster: str, name: str) -> None:
    """Delete a service with its tasks, and wait until the tasks have ended.

    Until then the service is DRAINING, and no service of its name can be made:
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteService.html
    """
    ecs = place.client("ecs")
    with suppress(ecs.exceptions.ServiceNotActiveException):
        ecs.delete_service(cluster=cluster, service=name, force=True)
        place.removed.append(f"service {cluster}/{name}")
    _wait(
        f"the service {name} of the cluster {cluster}",
        lambda: bool(
            ecs.describe_services(cluster=cluster, services=[name])["services"][0]["status"]
            == "INACTIVE"
        ),
    )


def tasks_of(ecs: Any, service: Mapping[str, Any], cluster: str) -> list[dict[str, Any]]:
    """The tasks of a service, stopped ones too, without those of an earlier service of its name.

    service: as DescribeServices answers.
    """
    asked = {"cluster": cluster, "serviceName": service["serviceName"]}
    arns = [
        *ecs.list_tasks(**asked)["taskArns"],
        *ecs.list_tasks(**asked, desiredStatus="STOPPED")["taskArns"],
    ][:_MOST_TASKS]
    tasks = ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []
    return [task for task in tasks if task["createdAt"] >= service["createdAt"]]


def newest_reason(tasks: Sequence[Mapping[str, Any]]) -> str:
    """Why the last task stopped that nobody stopped; empty for none."""
    failed = [
        each
        for each in tasks
        if each["lastStatus"] == "STOPPED"
        and each.get("stopCode") not in ("ServiceSchedulerInitiated", "UserInitiated")
    ]
    failed.sort(key=lambda each: each["stoppedAt"])
    return str(failed[-1].get("stoppedReason", "")) if failed else ""


def public_address(ec2: Any, task: Mapping[str, Any]) -> str:
    """The public address of a task on AWS, of its network interface; empty where it has none.

    task: as DescribeTasks answers.
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Attachment.html
    """
    interfaces = [
        detail["value"]
        for attachment in task.get("attachments", ())
        if attachment["type"] == "ElasticNetworkInterface"
        for detail in attachment["details"]
        if detail["name"] == "networkInterfaceId"
    ]
    if not interfaces:
        return ""
    (found,) = ec2.describe_network_interfaces(NetworkInterfaceIds=interfaces[:1])[
        "NetworkInterfaces"
    ]
    return str(found.get("Association", {}).get("PublicIp", ""))


def revisions(place: Place, family: str) -> list[str]:
    """The ARNs of the active revisions of exactly this family; familyPrefix finds longer names."""
    pages = place.client("ecs").get_paginator("list_task_definitions").paginate(familyPrefix=family)
    arns = (str(arn) for arn in pages.search("taskDefinitionArns[]"))
    return [arn for arn in arns if _family(arn) == family]


def _tasks(ecs: Any, cluster: str, desired: str = "RUNNING") -> Iterator[str]:
    pages = ecs.get_paginator("list_tasks").paginate(cluster=cluster, desiredStatus=desired)
    yield from (str(arn) for arn in pages.search("taskArns[]"))


def _until_stopped(ecs: Any, cluster: str) -> None:
    """Wait for the tasks that were told to stop."""

    def ended() -> bool:
        arns = list(_tasks(ecs, cluster, "STOPPED"))
        return all(
            task["lastStatus"] == "STOPPED"
            for some in _in_hundreds(arns)
            for task in ecs.describe_tasks(cluster=cluster, tasks=some)["tasks"]
        )

    _wait(f"the tasks of the cluster {cluster}", ended)


def _in_hundreds(arns: list[str]) -> Iterator[list[str]]:
    for first in range(0, len(arns), _MOST_TASKS):
        yield arns[first : first + _MOST_TASKS]


def _family(definition: str) -> str:
    """The family in the ARN of a revision."""
    return definition.rpartition("/")[2].rpartition(":")[0]


def _wait(what: str, ended: Callable[[], bool]) -> None:
    until = time.monotonic() + _PATIENCE
    while not ended():
        if time.monotonic() > until:
            raise LabsError(
                f"After {_PATIENCE:.0f} seconds {what} had not ended. `aws ecs list-tasks "
                "--cluster NAME` shows what runs; try again when nothing does."
            )
        time.sleep(_PAUSE)
