"""CloudWatch alarms that fail a deployment: deploymentConfiguration.alarms.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html
Names and states of alarms in a service deployment:
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceDeploymentAlarms.html
The sentence "deployment failed: alarm detected." is that of the service's events:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from labs_helpers.sandbox.ecs import releases
from labs_helpers.sandbox.ecs.errors import InvalidParameter
from labs_helpers.sandbox.ecs.naming import Document, Place
from labs_helpers.sandbox.service.errors import not_here

Look = Callable[[Place, Sequence[str]], Mapping[str, tuple[bool, float]]]
"""`moto.alarms.look`: name -> (whether the alarm is in ALARM, seconds that it takes to judge)."""

DISABLED, MONITORING, TRIGGERED = "DISABLED", "MONITORING", "TRIGGERED"


def check(config: Mapping[str, Any]) -> None:
    """Raise InvalidParameter or NotHere for alarms that a deployment cannot have."""
    alarms = config.get("alarms") or {}
    if not alarms.get("enable"):
        return
    if not alarms.get("alarmNames"):
        raise InvalidParameter("alarmNames of alarms cannot be empty when alarms are enabled.")
    if config["strategy"] != "ROLLING" and not alarms.get("rollback"):
        raise not_here(
            "alarms without rollback of a deployment that shifts traffic", "Set rollback to true."
        )


def watch(service: Document, place: Place, look: Look) -> None:
    """Note in the service deployment under way which of its alarms ring.

    An alarm that rings when the deployment begins is of something else: then ECS does not watch
    the alarms of this deployment.
    """
    release = releases.current(service)
    if release is None or release["status"] != releases.IN_PROGRESS:
        return
    alarms = release["deploymentConfiguration"].get("alarms") or {}
    noted = release["alarms"]
    if not alarms.get("enable") or (noted["status"] == DISABLED and "_bake" in release):
        return
    found = look(place, alarms["alarmNames"])
    ringing = [name for name, (rings, _) in found.items() if rings]
    if "_bake" not in release:
        release["_bake"] = max((seconds for _, seconds in found.values()), default=0.0)
        noted["alarmNames"] = list(alarms["alarmNames"])
        noted["status"] = DISABLED if ringing else MONITORING
    elif ringing:
        noted |= {"status": TRIGGERED, "triggeredAlarmNames": ringing}


def ring(service: Mapping[str, Any]) -> bool:
    """Whether an alarm has failed the service deployment that is under way."""
    release = releases.current(service)
    return (
        release is not None
        and release["status"] == releases.IN_PROGRESS
        and release["alarms"]["status"] == TRIGGERED
    )


def has_baked(service: Mapping[str, Any], at: float) -> tuple[bool, float]:
    """(whether a rolling deployment may complete, when it may).

    ECS computes the bake time from the alarms; the formula is not public. Here it is the time that
    the slowest of the alarms takes to judge: its period, as often as the alarm evaluates.
    """
    release = releases.current(service)
    if release is None or release["status"] != releases.IN_PROGRESS:
        return True, 0.0
    if release["alarms"]["status"] != MONITORING:
        return True, 0.0
    if not release["_until"]:
        release["_until"] = at + release.get("_bake", 0.0)
    return at >= release["_until"], release["_until"]
