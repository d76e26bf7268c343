"""What a task is: made of a task definition and overrides, then state after state.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from labs_helpers.sandbox.ecs.errors import InvalidParameter
from labs_helpers.sandbox.ecs.naming import Document, Place, arn
from labs_helpers.sandbox.service.errors import not_here

PROVISIONING, PENDING, RUNNING, STOPPED = "PROVISIONING", "PENDING", "RUNNING", "STOPPED"
LEAVING = "DEACTIVATING"
"""The task is to stop, and ends the requests that a load balancer has given to the task."""
PLATFORM = "1.4.0"
"""What LATEST is for Linux:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/platform-fargate.html"""

_OF_TASK = ("cpu", "memory", "taskRoleArn", "executionRoleArn")
_OF_CONTAINER = ("command", "environment", "cpu", "memory", "memoryReservation")


@dataclass(frozen=True)
class Start:
    """Who starts a task, and how. digests: container -> digest that the task has to run.

    groups: the target groups to which the task belongs, one for each load balancer of its service.
    """

    cluster: str
    group: str
    started_by: str = ""
    service: str = ""
    deployment: str = ""
    digests: Mapping[str, str] = field(default_factory=dict)
    groups: Sequence[str] = ()
    tags: Sequence[Mapping[str, str]] = ()


def new(
    definition: Mapping[str, Any],
    overrides: Mapping[str, Any],
    start: Start,
    place: Place,
    at: float,
) -> Document:
    """A new task, PROVISIONING. Raises InvalidParameter, NotHere for its overrides."""
    task_id = uuid.uuid4().hex
    task_arn = arn(place, f"task/{start.cluster}/{task_id}")
    merged = _merged(definition, overrides)
    containers = [
        _container(each, task_arn, start, place) for each in merged["containerDefinitions"]
    ]
    document: Document = {
        "taskArn": task_arn,
        "clusterArn": arn(place, f"cluster/{start.cluster}"),
        "taskDefinitionArn": definition["taskDefinitionArn"],
        "containers": containers,
        "attachments": [],
        "attributes": [],
        "overrides": {
            "containerOverrides": [{"name": each["name"]} for each in containers],
            "inferenceAcceleratorOverrides": [],
            **overrides,
        },
        "cpu": merged["cpu"],
        "memory": merged["memory"],
        "desiredStatus": RUNNING,
        "lastStatus": PROVISIONING,
        "healthStatus": "UNKNOWN",
        "createdAt": at,
        "group": start.group,
        "launchType": "FARGATE",
        "platformVersion": PLATFORM,
        "platformFamily": "Linux",
        "enableExecuteCommand": False,
        "ephemeralStorage": merged.get("ephemeralStorage") or {"sizeInGiB": 20},
        "version": 1,
        "tags": [dict(each) for each in start.tags],
        "_id": task_id,
        "_definition": merged,
        "_service": start.service,
        "_deployment": start.deployment,
        "_digests": dict(start.digests),
        "_groups": list(start.groups),
    }
    if start.started_by:
        document["startedBy"] = start.started_by
    return document


def is_live(task: Mapping[str, Any]) -> bool:
    """Whether a task is there, or about to be: nobody has asked for its end."""
    return bool(task["desiredStatus"] == RUNNING and task["lastStatus"] != STOPPED)


def left(found: Iterable[Document]) -> list[Document]:
    """The tasks that have not stopped."""
    return [task for task in found if task["lastStatus"] != STOPPED]


def stopping(task: Document, code: str, reason: str, at: float) -> None:
    """The end of a task is asked for; code and reason say by whom, unless something came before."""
    task["desiredStatus"] = STOPPED
    task.setdefault("stopCode", code)
    task.setdefault("stoppedReason", reason)
    task.setdefault("stoppingAt", at)
    task["version"] += 1


def stopped(
    task: Document, code: str, reason: str, at: float, containers: Sequence[Mapping[str, Any]] = ()
) -> None:
    """The task has stopped; containers: name, exitCode and reason of each, where there are any."""
    task.setdefault("stopCode", code)
    task.setdefault("stoppedReason", reason)
    task.setdefault("stoppingAt", at)
    task |= {"lastStatus": STOPPED, "desiredStatus": STOPPED, "stoppedAt": at}
    task.setdefault("executionStoppedAt", at)
    task["version"] += 1
    facts = {each["name"]: each for each in containers}
    for each in task["containers"]:
        each["lastStatus"] = STOPPED
        each |= {k: v for k, v in facts.get(each["name"], {}).items() if v is not None}


def started(task: Document, containers: Sequence[Mapping[str, Any]], at: float) -> None:
    """Every container runs; containers: name, runtimeId, networkBindings of each."""
    facts = {each["name"]: each for each in containers}
    for each in task["containers"]:
        each |= {"lastStatus": RUNNING, **facts.get(each["name"], {})}
    task |= {"lastStatus": RUNNING, "startedAt": at, "connectivity": "CONNECTED"}
    task["_running_since"] = time.time()
    task.setdefault("connectivityAt", at)
    task["version"] += 1


def healthy(task: Document, container: str, status: str) -> None:
    """A container's health has changed.

    The task is UNHEALTHY where one essential container is, and HEALTHY where all are that have a
    check. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/healthcheck.html
    """
    for each in task["containers"]:
        if each["name"] == container:
            each["healthStatus"] = status
    task["healthStatus"] = _health(task)
    task["version"] += 1


def waits_for_health(task: Mapping[str, Any]) -> bool:
    """Whether a running task has a health check that has not passed."""
    checked = any(each.get("healthCheck") for each in _essential(task))
    return checked and task["healthStatus"] != "HEALTHY"


def _essential(task: Mapping[str, Any]) -> list[Document]:
    return [each for each in task["_definition"]["containerDefinitions"] if each["essential"]]


def _health(task: Mapping[str, Any]) -> str:
    checked = {each["name"] for each in _essential(task) if each.get("healthCheck")}
    found = {each["healthStatus"] for each in task["containers"] if each["name"] in checked}
    if "UNHEALTHY" in found:
        return "UNHEALTHY"
    return "HEALTHY" if found == {"HEALTHY"} else "UNKNOWN"


def _container(given: Mapping[str, Any], task_arn: str, start: Start, place: Place) -> Document:
    number = str(uuid.uuid4())
    cluster_and_task = task_arn.partition(":task/")[2]
    found: Document = {
        "containerArn": arn(place, f"container/{cluster_and_task}/{number}"),
        "taskArn": task_arn,
        "name": given["name"],
        "image": given["image"],
        "lastStatus": PENDING,
        "networkBindings": [],
        "networkInterfaces": [],
        "healthStatus": "UNKNOWN",
        "cpu": str(given["cpu"]),
    }
    for name in ("memory", "memoryReservation"):
        if given.get(name):
            found[name] = str(given[name])
    if given["name"] in start.digests:
        found["imageDigest"] = start.digests[given["name"]]
    return found


def _merged(definition: Mapping[str, Any], overrides: Mapping[str, Any]) -> Document:
    """The task definition with the overrides of RunTask."""
    if overrides.get("inferenceAcceleratorOverrides"):
        raise not_here("inferenceAcceleratorOverrides", "There is no accelerator.")
    merged: Document = {**definition, **{k: overrides[k] for k in _OF_TASK if overrides.get(k)}}
    containers = {each["name"]: dict(each) for each in definition["containerDefinitions"]}
    for each in overrides.get("containerOverrides") or []:
        container = containers.get(each.get("name", ""))
        if container is None:
            raise InvalidParameter(
                f"Override for container named {each.get('name', '')} is not a container in the "
                "TaskDefinition."
            )
        if each.get("environmentFiles") or each.get("resourceRequirements"):
            raise not_here("this override of a container", "Override command or environment.")
        for name in _OF_CONTAINER:
            if name not in each:
                continue
            if name == "environment":
                variables = {one["name"]: one for one in container["environment"]}
                variables |= {one["name"]: one for one in each["environment"]}
                container["environment"] = list(variables.values())
            else:
                container[name] = each[name]
    merged["containerDefinitions"] = list(containers.values())
    return {k: v for k, v in merged.items() if not k.startswith("_")}
