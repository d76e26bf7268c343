"""CodeDeploy's event: the state of a deployment.

https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-cloudwatch-events.html
Form: https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-codedeploy.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from labs_helpers.sandbox.codedeploy.store import Place
from labs_helpers.sandbox.service.events import Event, event

_STATES = {
    "InProgress": "START",
    "Ready": "READY",
    "Succeeded": "SUCCESS",
    "Failed": "FAILURE",
    "Stopped": "STOP",
}


def changed(deployment: Mapping[str, Any], place: Place, at: datetime) -> Event | None:
    """The event of a deployment's new status; None for a status that has no event."""
    state = _STATES.get(deployment["status"])
    if state is None:
        return None
    account, region = place
    application, group = deployment["application"], deployment["group"]
    prefix = f"arn:aws:codedeploy:{region}:{account}"
    arns = [
        f"{prefix}:application:{application}",
        f"{prefix}:deploymentgroup:{application}/{group}",
    ]
    detail = {
        "region": region,
        "deploymentId": deployment["id"],
        "instanceGroupId": deployment["groupId"],
        "application": application,
        "deploymentGroup": group,
        "state": state,
    }
    kind = "CodeDeploy Deployment State-change Notification"
    return event("aws.codedeploy", kind, account, region, at, detail, arns)
