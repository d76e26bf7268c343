"""A service and its deployments, as documents: made, counted, and their list of events.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Service.html
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Deployment.html
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from labs_helpers.sandbox.ecs import balanced, releases
from labs_helpers.sandbox.ecs import tasks as task_states
from labs_helpers.sandbox.ecs.naming import Document

PRIMARY, ACTIVE = "PRIMARY", "ACTIVE"
IN_PROGRESS, COMPLETED, FAILED = "IN_PROGRESS", "COMPLETED", "FAILED"
_MOST_EVENTS = 100
"""https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages.html"""


def deploy(service: Document, at: float, groups: Sequence[str] | None = None) -> Document:
    """A new primary deployment of what the service now says; the others are replaced by it.

    groups: the target groups of its tasks, by default those of the service.
    """
    for each in service["deployments"]:
        each["status"] = ACTIVE
    made = new(service, balanced.groups(service) if groups is None else groups, at)
    service["deployments"].insert(0, made)
    releases.begin(service, made, at)
    service["_steady"] = False
    return made


def new(service: Mapping[str, Any], groups: Sequence[str], at: float) -> Document:
    """A primary deployment of what the service says; groups: the target groups of its tasks."""
    number = f"ecs-svc/{secrets.randbelow(9 * 10**18) + 10**18}"
    return {
        "id": number,
        "status": PRIMARY,
        "taskDefinition": service["taskDefinition"],
        "desiredCount": service["desiredCount"],
        "pendingCount": 0,
        "runningCount": 0,
        "failedTasks": 0,
        "createdAt": at,
        "updatedAt": at,
        "launchType": "FARGATE",
        "platformVersion": task_states.PLATFORM,
        "platformFamily": "Linux",
        "networkConfiguration": service["networkConfiguration"],
        "rolloutState": IN_PROGRESS,
        "rolloutStateReason": f"ECS deployment {number} in progress.",
        "_groups": list(groups),
        "_digests": {},
        "_counted": [],
        "_failures": 0,
        "_retry_at": 0.0,
    }


def primary(service: Mapping[str, Any]) -> Document:
    """The deployment that the service goes to."""
    found: Document = next(each for each in service["deployments"] if each["status"] == PRIMARY)
    return found


def is_ending(service: Document, left: Sequence[Document]) -> bool:
    """Whether a service was deleted; left: its tasks that have not stopped.

    With the last of them a DRAINING service becomes INACTIVE:
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteService.html
    """
    if service["status"] != "DRAINING":
        return False
    if not left:
        service["status"] = "INACTIVE"
    return True


def say(service: Document, text: str, at: float) -> None:
    """Add to the service's events; the newest comes first, and begins with the service's name."""
    new = {
        "id": str(uuid.uuid4()),
        "createdAt": at,
        "message": f"(service {service['serviceName']}) {text}",
    }
    service["events"] = [new, *service["events"]][:_MOST_EVENTS]


def count(service: Document, found: Sequence[Mapping[str, Any]]) -> None:
    """Write how many tasks are pending and running, of the service and of each deployment."""
    for each in service["deployments"]:
        states = [task["lastStatus"] for task in found if task["_deployment"] == each["id"]]
        each["runningCount"] = states.count(task_states.RUNNING)
        each["pendingCount"] = sum(
            state in (task_states.PENDING, task_states.PROVISIONING) for state in states
        )
    all_states = [task["lastStatus"] for task in found]
    service["runningCount"] = all_states.count(task_states.RUNNING)
    service["pendingCount"] = sum(
        state in (task_states.PENDING, task_states.PROVISIONING) for state in all_states
    )


def listed(found: Sequence[Mapping[str, Any]]) -> str:
    """Tasks as the events name them: "(task 1a...) (task 2b...)"."""
    return " ".join(f"(task {each['_id']})" for each in found)
