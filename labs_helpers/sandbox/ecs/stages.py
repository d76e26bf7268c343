"""The stages of a blue/green, canary or linear deployment (`shifting.py` goes through them).

The new revision (green) starts beside the old one (blue), in the other target group. Then the
weights of the listener's rule move the visitors from blue to green:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/blue-green-deployment-how-it-works.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-canary.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-linear.html

`service["_traffic"]` is what the rules are to have, {rule: {target group: weight}}; the scheduler
asks Elastic Load Balancing for that, and notes in `_applied` what the rules have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from labs_helpers.sandbox.balancing.weights import split
from labs_helpers.sandbox.ecs import shares
from labs_helpers.sandbox.ecs.crew import Crew
from labs_helpers.sandbox.ecs.naming import Document

STAGES = (
    *("RECONCILE_SERVICE", "PRE_SCALE_UP", "SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT"),
    *("POST_TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"),
    *("BAKE_TIME", "CLEAN_UP"),
)
_MINUTE = 60


@dataclass
class Look(Crew):
    """One look at a service: what the stages read, and the plan that they write."""

    release: Document
    green: Document
    blue: Document | None
    desired: int

    def is_scaled(self, deployment: Document) -> bool:
        return self.up(deployment) >= self.desired

    def send(self, weight: float) -> bool:
        """Send a percentage of the visitors to green; returns whether the rules do so already."""
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


def _reconcile(look: Look) -> bool:
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


def _prepare(look: Look) -> bool:
    """Both target groups stand in the rules, so that green's health is checked."""
    weight = 100.0 if look.blue is None else 0.0
    sent = look.send(weight)
    return look.send_tests(weight) and sent


def _scale_up(look: Look) -> bool:
    if look.is_scaled(look.green):
        return True
    look.plan.again = True
    return False


def _test(look: Look) -> bool:
    return look.send_tests(100.0)


def _shift(look: Look) -> bool:
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


def _bake(look: Look) -> bool:
    minutes = look.service["deploymentConfiguration"].get("bakeTimeInMinutes") or 0
    # nothing could be rolled back to, so that nobody has to wait
    return look.blue is None or _waited(look, minutes)


def _begin_to_wait(look: Look, minutes: int) -> None:
    """Note when the wait ends, if nobody has: a learner may move the clock at any moment."""
    if not look.release["_until"]:
        look.release["_until"] = look.at + minutes * _MINUTE


def _waited(look: Look, minutes: int) -> bool:
    """Whether so many minutes of the sandbox clock have gone by since the wait began."""
    _begin_to_wait(look, minutes)
    if look.at >= look.release["_until"]:
        return True
    look.plan.due = look.release["_until"]
    return False


def _clean_up(look: Look) -> bool:
    if look.blue is None:
        return True
    look.scale(look.blue, 0)
    return look.is_gone(look.blue)


DO: Mapping[str, Callable[[Look], bool]] = {
    **dict.fromkeys(STAGES, lambda look: True),
    "RECONCILE_SERVICE": _reconcile,
    "PRE_SCALE_UP": _prepare,
    "SCALE_UP": _scale_up,
    "TEST_TRAFFIC_SHIFT": _test,
    "PRODUCTION_TRAFFIC_SHIFT": _shift,
    "BAKE_TIME": _bake,
    "CLEAN_UP": _clean_up,
}
"""Stage -> does what the stage is for, and returns whether the stage is over."""
