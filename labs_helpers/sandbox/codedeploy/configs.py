"""Deployment configurations: how much of the traffic is moved, and when.

https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.codedeploy.errors import Refused
from labs_helpers.sandbox.service.errors import not_here

AT_ONCE: Mapping[str, Any] = {"type": "AllAtOnce"}
USUAL = "CodeDeployDefault.ECSAllAtOnce"
"""What a deployment group has that names none."""


def _canary(percent: int, minutes: int) -> dict[str, Any]:
    config = {"canaryPercentage": percent, "canaryInterval": minutes}
    return {"type": "TimeBasedCanary", "timeBasedCanary": config}


def _linear(percent: int, minutes: int) -> dict[str, Any]:
    config = {"linearPercentage": percent, "linearInterval": minutes}
    return {"type": "TimeBasedLinear", "timeBasedLinear": config}


PREDEFINED: Mapping[str, Mapping[str, Any]] = {
    USUAL: AT_ONCE,
    "CodeDeployDefault.ECSCanary10Percent15Minutes": _canary(10, 15),
    "CodeDeployDefault.ECSCanary10Percent5Minutes": _canary(10, 5),
    "CodeDeployDefault.ECSLinear10PercentEvery1Minutes": _linear(10, 1),
    "CodeDeployDefault.ECSLinear10PercentEvery3Minutes": _linear(10, 3),
}
"""The traffic of AWS's configurations for ECS; those for servers and for Lambda are not here."""

_NAME = re.compile(r"[A-Za-z0-9+=,.@_-]{1,100}")
_LONGEST = 2880
"""Minutes of all steps together: two days.

https://docs.aws.amazon.com/codedeploy/latest/userguide/limits.html
"""
_MEMBERS = {
    "TimeBasedCanary": ("timeBasedCanary", "canaryPercentage", "canaryInterval"),
    "TimeBasedLinear": ("timeBasedLinear", "linearPercentage", "linearInterval"),
}


def checked(params: Mapping[str, Any]) -> dict[str, Any]:
    """trafficRoutingConfig of CreateDeploymentConfig; raises Refused, NotHere."""
    name = params["deploymentConfigName"]
    if not _NAME.fullmatch(name) or name.startswith("CodeDeployDefault."):
        raise Refused(
            "InvalidDeploymentConfigName",
            "The deployment configuration name may have letters, digits and + = , . @ - _, and "
            "does not begin with CodeDeployDefault.",
        )
    if params.get("computePlatform", "Server") != "ECS":
        raise not_here(
            f"deployment configurations for the compute platform "
            f"{params.get('computePlatform', 'Server')}",
            "Give computePlatform ECS.",
        )
    for each in ("minimumHealthyHosts", "zonalConfig"):
        if params.get(each):
            raise Refused(
                "InvalidMinimumHealthyHostValue",
                f"{each} is not supported for the compute platform ECS.",
            )
    traffic = params.get("trafficRoutingConfig") or {}
    kind = traffic.get("type")
    if kind == "AllAtOnce":
        return dict(AT_ONCE)
    if kind not in _MEMBERS or not traffic.get(_MEMBERS[kind][0]):
        raise _traffic("trafficRoutingConfig must have a type, and the member of this type.")
    member, percent, minutes = _MEMBERS[kind]
    given = traffic[member]
    if not 1 <= given.get(percent, 0) <= 99:
        raise _traffic(f"{percent} must be from 1 to 99.")
    if given.get(minutes, 0) < 1:
        raise _traffic(f"{minutes} must be at least 1 minute.")
    made = {"type": kind, member: {name: given[name] for name in (percent, minutes)}}
    moves, pause = steps(made)
    if (len(moves) - 1) * pause > _LONGEST:
        raise _traffic(f"The steps together take more than {_LONGEST} minutes.")
    return made


def steps(traffic: Mapping[str, Any]) -> tuple[list[float], int]:
    """(percentages of the new task set, minutes between them)."""
    if traffic["type"] == "TimeBasedCanary":
        given = traffic["timeBasedCanary"]
        return [float(given["canaryPercentage"]), 100.0], given["canaryInterval"]
    if traffic["type"] == "TimeBasedLinear":
        given = traffic["timeBasedLinear"]
        percent = given["linearPercentage"]
        return [*map(float, range(percent, 100, percent)), 100.0], given["linearInterval"]
    return [100.0], 0


def _traffic(message: str) -> Refused:
    return Refused("InvalidTrafficRoutingConfiguration", message)
