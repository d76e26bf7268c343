"""ECS's events: the state of a task, a deployment of a service, an action of a service.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_cwe_events.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from labs_helpers.sandbox.ecs.naming import Place, shown
from labs_helpers.sandbox.service.events import Event, event

SOURCE = "aws.ecs"


def task_changed(task: Mapping[str, Any], place: Place, at: datetime) -> Event:
    """ "ECS Task State Change": the task as DescribeTasks shows the task, with times as texts.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html
    """
    detail = _texts(shown(task)) | {"updatedAt": _text(at)}
    return event(SOURCE, "ECS Task State Change", *place, at, detail, [task["taskArn"]])


def deployment_changed(
    service: Mapping[str, Any], name: str, deployment: str, reason: str, place: Place, at: datetime
) -> Event:
    """ "ECS Deployment State Change"; name: SERVICE_DEPLOYMENT_IN_PROGRESS and the like.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_deployment_events.html
    """
    kind = "ERROR" if name.endswith("FAILED") else "INFO"
    detail = {
        "eventType": kind,
        "eventName": name,
        "deploymentId": deployment,
        "updatedAt": _text(at),
        "reason": reason,
    }
    arns = [service["serviceArn"]]
    return event(SOURCE, "ECS Deployment State Change", *place, at, detail, arns)


def service_acted(
    service: Mapping[str, Any], name: str, kind: str, place: Place, at: datetime
) -> Event:
    """ "ECS Service Action"; name: SERVICE_STEADY_STATE, ...; kind: INFO, WARN or ERROR.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_events.html
    """
    detail = {
        "eventType": kind,
        "eventName": name,
        "clusterArn": service["clusterArn"],
        "createdAt": _text(at),
    }
    return event(SOURCE, "ECS Service Action", *place, at, detail, [service["serviceArn"]])


def _texts(value: Any) -> Any:
    if isinstance(value, datetime):
        return _text(value)
    if isinstance(value, Mapping):
        return {key: _texts(each) for key, each in value.items()}
    return [_texts(each) for each in value] if isinstance(value, list) else value


def _text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
