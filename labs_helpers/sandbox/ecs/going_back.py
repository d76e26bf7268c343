"""A rolling deployment taken back: by the circuit breaker, an alarm, or StopServiceDeployment.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
"""

from __future__ import annotations

from typing import Any, NamedTuple

from labs_helpers.sandbox.ecs import deployments, releases
from labs_helpers.sandbox.ecs.deployments import FAILED, IN_PROGRESS, say
from labs_helpers.sandbox.ecs.naming import Document
from labs_helpers.sandbox.ecs.plans import Plan


def trips(service: Document, primary: Document, desired: int) -> bool:
    """Whether too many tasks of a deployment have failed for the service's circuit breaker."""
    breaker = service["deploymentConfiguration"].get("deploymentCircuitBreaker") or {}
    return bool(
        breaker.get("enable")
        and primary["rolloutState"] == IN_PROGRESS
        and primary["failedTasks"] >= releases.threshold(desired)
    )


def trip(service: Document, primary: Document, made: Plan, at: float) -> Document:
    """The circuit breaker fails the deployment; returns the primary deployment from now on."""
    release = releases.current(service)
    breaker = service["deploymentConfiguration"]["deploymentCircuitBreaker"]
    if release is not None:
        release["deploymentCircuitBreaker"]["status"] = "TRIGGERED"
    failed = Failed("ECS deployment circuit breaker", "tasks failed to start.")
    return _fail(service, primary, failed, breaker.get("rollback"), made, at)


def ring(service: Document, primary: Document, made: Plan, at: float) -> Document:
    """An alarm fails the deployment; returns the primary deployment from now on.

    How AWS's rolloutStateReason begins is not public.
    """
    rollback = service["deploymentConfiguration"]["alarms"].get("rollback")
    failed = Failed("ECS deployment alarms", "alarm detected.")
    return _fail(service, primary, failed, rollback, made, at)


class Failed(NamedTuple):
    """by: what failed a deployment; why: as the service's events say."""

    by: str
    why: str


def _fail(
    service: Document, primary: Document, failed: Failed, rollback: Any, made: Plan, at: float
) -> Document:
    reason = f"{failed.by}: {failed.why}"
    primary |= {"rolloutState": FAILED, "rolloutStateReason": reason, "updatedAt": at}
    say(service, f"(deployment {primary['id']}) deployment failed: {failed.why}", at)
    made.news.append(("SERVICE_DEPLOYMENT_FAILED", primary["id"], reason))
    release = releases.current(service)
    before = _forerunner(service, primary) if rollback else None
    if before is None:
        if release is not None:
            releases.finish(release, releases.STOPPED, at, reason)
        return primary
    why = f"{failed.by}: rolling back to deploymentId {before['id']}."
    return _back_to(service, primary, before, why, made, at)


def take_back(service: Document, primary: Document, made: Plan, at: float) -> Document:
    """StopServiceDeployment: the primary deployment from now on."""
    reason = "Service deployment rollback was requested."
    primary |= {"rolloutState": FAILED, "rolloutStateReason": reason, "updatedAt": at}
    made.news.append(("SERVICE_DEPLOYMENT_FAILED", primary["id"], reason))
    before = _forerunner(service, primary)
    release = releases.current(service)
    if before is None:
        if release is not None:
            said = f"{reason} There is no completed service deployment to roll back to."
            releases.finish(release, releases.ROLLBACK_FAILED, at, said)
        return primary
    why = f"ECS deployment: rolling back to deploymentId {before['id']}."
    return _back_to(service, primary, before, why, made, at)


def _forerunner(service: Document, primary: Document) -> Document | None:
    """The deployment that was completed before the primary one."""
    completed = [each for each in service["deployments"] if each.get("_completed")]
    return completed[0] if completed and completed[0] is not primary else None


def _back_to(
    service: Document, primary: Document, before: Document, why: str, made: Plan, at: float
) -> Document:
    """Make an earlier deployment the primary one again."""
    release = releases.current(service)
    if release is not None:
        releases.roll_back(release, before.get("_revision", ""), why, at)
    primary["status"] = deployments.ACTIVE
    before |= {
        "status": deployments.PRIMARY,
        "rolloutState": IN_PROGRESS,
        "rolloutStateReason": why,
        "updatedAt": at,
        "failedTasks": 0,
    }
    service |= {
        "taskDefinition": before["taskDefinition"],
        "networkConfiguration": before["networkConfiguration"],
    }
    say(service, f"rolling back to deployment {before['id']}.", at)
    made.news.append(("SERVICE_DEPLOYMENT_IN_PROGRESS", before["id"], why))
    return before
