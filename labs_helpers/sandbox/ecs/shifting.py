"""Blue/green, canary and linear deployments: a pure function of the service and its tasks.

`stages.py` is what each stage of a deployment does; a rollback goes back from any of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from labs_helpers.sandbox.ecs import alarms, deployments, releases, rolling, tasks
from labs_helpers.sandbox.ecs.deployments import FAILED, IN_PROGRESS, say
from labs_helpers.sandbox.ecs.naming import Document
from labs_helpers.sandbox.ecs.plans import Plan
from labs_helpers.sandbox.ecs.stages import DO, STAGES, Look


def plan(service: Document, found: Sequence[Document], at: float, real: float) -> Plan:
    """The next step of a service whose strategy is not ROLLING; like `rolling.plan`."""
    made = Plan()
    primary = deployments.primary(service)
    desired = service["desiredCount"] if service["status"] == "ACTIVE" else 0
    rolling.count_tasks(service, found, made, at, real)
    release = releases.current(service)
    if service["status"] != "ACTIVE" or release is None:
        _keep(service, primary, found, desired, made, at, real)
    else:
        green = _deployment(service, release["_deployment"])
        blue = _blue(service, green)
        look = Look(service, found, made, at, real, release, green, blue, desired)
        if release["status"] in (releases.IN_PROGRESS, releases.PENDING):
            _judge(look)
        if release["status"] == releases.ROLLBACK_REQUESTED:
            _turn_back(look, "Service deployment rollback was requested.")
        if release["status"] == releases.ROLLBACK_IN_PROGRESS:
            _go_back(look)
        elif release["status"] == releases.IN_PROGRESS:
            _go_on(look)
    deployments.count(service, found)
    return made


def _keep(
    service: Document,
    primary: Document,
    found: Sequence[Document],
    desired: int,
    made: Plan,
    at: float,
    real: float,
) -> None:
    """No deployment is under way: as many tasks as wanted, and none of another deployment."""
    look = Look(service, found, made, at, real, {}, primary, None, desired)
    if primary["rolloutState"] != FAILED or service["status"] != "ACTIVE":
        look.scale(primary, desired)
    for each in service["deployments"]:
        if each is not primary:
            look.scale(each, 0)
    left = tasks.left(found)
    if deployments.is_ending(service, left):
        return
    if look.is_scaled(primary) and len(left) == desired:
        rolling.settle(service, primary, made, at)
    else:
        made.again |= bool(left)


def _blue(service: Document, green: Document) -> Document | None:
    completed = [
        each for each in service["deployments"] if each.get("_completed") and each is not green
    ]
    return completed[0] if completed else None


def _deployment(service: Document, number: str) -> Document:
    found: Document = next(each for each in service["deployments"] if each["id"] == number)
    return found


def _judge(look: Look) -> None:
    """The circuit breaker and alarms, where the service has them, turn the release back.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
    """
    breaker = look.service["deploymentConfiguration"].get("deploymentCircuitBreaker") or {}
    counted = look.release["deploymentCircuitBreaker"]
    counted["failureCount"] = look.green["failedTasks"]
    if breaker.get("enable") and look.green["failedTasks"] >= counted["threshold"]:
        counted["status"] = "TRIGGERED"
        _fail(look, "tasks failed to start.")
    elif alarms.ring(look.service):
        _fail(look, "alarm detected.")


def _fail(look: Look, why: str) -> None:
    say(look.service, f"(deployment {look.green['id']}) deployment failed: {why}", look.at)
    _turn_back(look, f"Service deployment failed: {why}")


def _turn_back(look: Look, reason: str) -> None:
    """Make blue the primary deployment again; without a blue one the deployment has failed."""
    service, green, blue, at = look.service, look.green, look.blue, look.at
    green |= {"rolloutState": FAILED, "rolloutStateReason": reason, "updatedAt": at}
    look.plan.news.append(("SERVICE_DEPLOYMENT_FAILED", green["id"], reason))
    if blue is None:
        said = f"{reason} There is no completed service deployment to roll back to."
        releases.finish(look.release, releases.ROLLBACK_FAILED, at, said)
        rolling.end(service, look.live(green), look.plan, at)
        return
    releases.roll_back(look.release, blue.get("_revision", ""), reason, at)
    green["status"] = deployments.ACTIVE
    why = f"ECS deployment: rolling back to deploymentId {blue['id']}."
    blue |= {
        "status": deployments.PRIMARY,
        "rolloutState": IN_PROGRESS,
        "rolloutStateReason": why,
        "updatedAt": at,
    }
    service |= {
        "taskDefinition": blue["taskDefinition"],
        "networkConfiguration": blue["networkConfiguration"],
    }
    say(service, f"rolling back to deployment {blue['id']}.", at)
    look.plan.news.append(("SERVICE_DEPLOYMENT_IN_PROGRESS", blue["id"], why))


def _go_back(look: Look) -> None:
    """First the visitors go back to blue; then green's tasks end."""
    blue = look.blue
    if blue is None:
        raise RuntimeError("a deployment without a forerunner is rolled back")
    look.scale(blue, look.desired)
    sent = look.send(0.0)
    if not (look.send_tests(0.0) and sent):
        return
    look.scale(look.green, 0)
    if look.is_gone(look.green):
        releases.finish(look.release, releases.ROLLBACK_SUCCESSFUL, look.at)
        look.service["deployments"] = [blue]
        blue["rolloutState"] = IN_PROGRESS
        rolling.complete(look.service, blue, look.plan, look.at)


def _go_on(look: Look) -> None:
    """Go through the stages as far as they lead at this moment."""
    for each in look.service["deployments"]:
        if each is not look.green and each is not look.blue:
            look.scale(each, 0)
    stage = look.release["lifecycleStage"]
    if look.blue is not None and stage != "CLEAN_UP":
        look.scale(look.blue, look.desired)
    if STAGES.index(stage) >= STAGES.index("SCALE_UP"):
        look.scale(look.green, look.desired)
    while DO[stage](look):
        if stage == STAGES[-1]:
            _finish(look)
            return
        stage = STAGES[STAGES.index(stage) + 1]
        look.release |= {"lifecycleStage": stage, "updatedAt": look.at, "_until": 0.0}
        if stage == "SCALE_UP":
            look.scale(look.green, look.desired)


def _finish(look: Look) -> None:
    releases.finish(look.release, releases.SUCCESSFUL, look.at)
    look.service["deployments"] = [look.green]
    rolling.complete(look.service, look.green, look.plan, look.at)
