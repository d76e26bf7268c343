"""Blue/green, canary and linear deployments: a pure function of the service and its tasks.

The new revision (green) starts beside the old one (blue), in the other target group. Then the
weights of the listener's rule move the visitors from blue to green:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/blue-green-deployment-how-it-works.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-canary.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-linear.html

`service["_traffic"]` is what the rules are to have, {rule: {target group: weight}}; the scheduler
asks Elastic Load Balancing for that, and notes in `_applied` what the rules have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from labs_helpers.sandbox.balancing.weights import split
from labs_helpers.sandbox.ecs import alarms, deployments, releases, rolling, shares, tasks
from labs_helpers.sandbox.ecs.crew import Crew
from labs_helpers.sandbox.ecs.deployments import FAILED, IN_PROGRESS, say
from labs_helpers.sandbox.ecs.naming import Document
from labs_helpers.sandbox.ecs.plans import Plan

STAGES = (
    *("RECONCILE_SERVICE", "PRE_SCALE_UP", "SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT"),
    *("POST_TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"),
    *("BAKE_TIME", "CLEAN_UP"),
)
_MINUTE = 60


@dataclass
class _Look(Crew):
    """One look at a service: what the stages read, and the plan that they write."""

    release: Document
    green: Document
    blue: Document | None
    desired: int

    def is_scaled(self, deployment: Document) -> bool:
        return self.up(deployment) >= self.desired

    def send(self, weight: float) -> bool:
        """Have a percentage of the visitors meet green; whether the rules have it."""
        self.release["_weight"] = weight
        return self._want("productionListenerRule", weight)

    def send_tests(self, weight: float) -> bool:
        if any(shares.rule(each, "testListenerRule") for each in self.service["loadBalancers"]):
            self.release["_test"] = weight
        return self._want("testListenerRule", weight)

    def _want(self, which: str, weight: float) -> bool:
        traffic = self.service.setdefault("_traffic", {})
        for number, each in enumerate(self.service["loadBalancers"]):
            named = shares.rule(each, which)
            if named:
                traffic[named] = split(
                    self.green["_groups"][number],
                    shares.other(each, self.green["_groups"][number]),
                    weight,
                )
        return bool(traffic == self.service.get("_applied", {}))


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
        look = _Look(service, found, made, at, real, release, green, blue, desired)
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
    look = _Look(service, found, made, at, real, {}, primary, None, desired)
    if primary["rolloutState"] != FAILED or service["status"] != "ACTIVE":
        look.scale(primary, desired)
    for each in service["deployments"]:
        if each is not primary:
            look.scale(each, 0)
    left = [task for task in found if task["lastStatus"] != tasks.STOPPED]
    if service["status"] == "DRAINING":
        if not left:
            service["status"] = "INACTIVE"
    elif look.is_scaled(primary) and len(left) == desired:
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


def _judge(look: _Look) -> None:
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


def _fail(look: _Look, why: str) -> None:
    say(look.service, f"(deployment {look.green['id']}) deployment failed: {why}", look.at)
    _turn_back(look, f"Service deployment failed: {why}")


def _turn_back(look: _Look, reason: str) -> None:
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


def _go_back(look: _Look) -> None:
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


def _go_on(look: _Look) -> None:
    """Go through the stages as far as they lead at this moment."""
    for each in look.service["deployments"]:
        if each is not look.green and each is not look.blue:
            look.scale(each, 0)
    stage = look.release["lifecycleStage"]
    if look.blue is not None and stage != "CLEAN_UP":
        look.scale(look.blue, look.desired)
    if STAGES.index(stage) >= STAGES.index("SCALE_UP"):
        look.scale(look.green, look.desired)
    while _DO[stage](look):
        if stage == STAGES[-1]:
            _finish(look)
            return
        stage = STAGES[STAGES.index(stage) + 1]
        look.release |= {"lifecycleStage": stage, "updatedAt": look.at, "_until": 0.0}
        if stage == "SCALE_UP":
            look.scale(look.green, look.desired)


def _reconcile(look: _Look) -> bool:
    others = [
        each
        for each in look.service["deployments"]
        if each is not look.green and each is not look.blue
    ]
    if not all(look.is_gone(each) for each in others):
        return False
    look.service["deployments"] = [
        each for each in look.service["deployments"] if each not in others
    ]
    return True


def _prepare(look: _Look) -> bool:
    """Both target groups stand in the rules, so that green's health is checked."""
    weight = 100.0 if look.blue is None else 0.0
    sent = look.send(weight)
    return look.send_tests(weight) and sent


def _scale_up(look: _Look) -> bool:
    if look.is_scaled(look.green):
        return True
    look.plan.again = True
    return False


def _test(look: _Look) -> bool:
    return look.send_tests(100.0)


def _shift(look: _Look) -> bool:
    """All at once, or in steps with a pause after each but the last."""
    steps, pause = shares.steps(look.service["deploymentConfiguration"])
    if look.blue is None:
        steps = [100.0]
    while True:
        number = look.release["_step"]
        is_last = number + 1 == len(steps)
        if not is_last:
            _begin_to_wait(look, pause)
        if not look.send(steps[number]):
            return False
        if is_last:
            return True
        if not _waited(look, pause):
            return False
        look.release |= {"_step": number + 1, "_until": 0.0}


def _bake(look: _Look) -> bool:
    minutes = look.service["deploymentConfiguration"].get("bakeTimeInMinutes") or 0
    # nothing could be rolled back to, so that nobody has to wait
    return look.blue is None or _waited(look, minutes)


def _begin_to_wait(look: _Look, minutes: int) -> None:
    """Whoever sees a share of the visitors may move the clock at once: the wait has begun."""
    if not look.release["_until"]:
        look.release["_until"] = look.at + minutes * _MINUTE


def _waited(look: _Look, minutes: int) -> bool:
    """Whether so many minutes of the sandbox clock have gone by since the wait began."""
    _begin_to_wait(look, minutes)
    if look.at >= look.release["_until"]:
        return True
    look.plan.due = look.release["_until"]
    return False


def _clean_up(look: _Look) -> bool:
    if look.blue is None:
        return True
    look.scale(look.blue, 0)
    return look.is_gone(look.blue)


def _finish(look: _Look) -> None:
    releases.finish(look.release, releases.SUCCESSFUL, look.at)
    look.service["deployments"] = [look.green]
    rolling.complete(look.service, look.green, look.plan, look.at)


_DO: Mapping[str, Callable[[_Look], bool]] = {
    **dict.fromkeys(STAGES, lambda look: True),
    "RECONCILE_SERVICE": _reconcile,
    "PRE_SCALE_UP": _prepare,
    "SCALE_UP": _scale_up,
    "TEST_TRAFFIC_SHIFT": _test,
    "PRODUCTION_TRAFFIC_SHIFT": _shift,
    "BAKE_TIME": _bake,
    "CLEAN_UP": _clean_up,
}
