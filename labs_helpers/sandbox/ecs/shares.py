"""The two target groups of a deployment that shifts traffic, and each one's share of visitors."""

from __future__ import annotations

from typing import Any

from labs_helpers.sandbox.ecs.naming import Document


def groups(service: Document) -> list[str]:
    """The target groups of a new deployment: those that the last completed one does not have.

    The first deployment takes each load balancer's `targetGroupArn`, as does every deployment that
    replaces tasks in place.
    """
    blue = next((each for each in service["deployments"] if each.get("_completed")), None)
    listed = service["loadBalancers"]
    if blue is None:
        return [each["targetGroupArn"] for each in listed]
    if service["deploymentConfiguration"]["strategy"] == "ROLLING":
        return list(blue["_groups"])
    return [other(each, group) for each, group in zip(listed, blue["_groups"], strict=True)]


def steps(config: Document) -> tuple[list[float], int]:
    """(percentages, minutes between them)."""
    if config["strategy"] == "CANARY":
        given = config["canaryConfiguration"]
        first = float(given["canaryPercent"])
        return [first, 100.0] if first < 100 else [100.0], given["canaryBakeTimeInMinutes"]
    if config["strategy"] == "LINEAR":
        given = config["linearConfiguration"]
        step = float(given["stepPercent"])
        count = int(100 // step)
        found = [round(step * (number + 1), 1) for number in range(count)]
        steps = found if found[-1] >= 100 else [*found, 100.0]
        return steps, given["stepBakeTimeInMinutes"]
    return [100.0], 0


def rule(balancer: dict[str, Any], which: str) -> str:
    """The ARN of a load balancer's productionListenerRule or testListenerRule; empty for none."""
    return str((balancer.get("advancedConfiguration") or {}).get(which) or "")


def other(balancer: dict[str, Any], group: str) -> str:
    """The other one of a load balancer's two target groups."""
    advanced = balancer["advancedConfiguration"]
    both = {balancer["targetGroupArn"], advanced["alternateTargetGroupArn"]}
    return str(next(iter(both - {group})))
