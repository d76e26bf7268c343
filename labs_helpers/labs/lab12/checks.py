"""Check of lab 12: a release that was taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from labs_helpers.checks import calls
from labs_helpers.checks.goal import Fact, Finding, unmet
from labs_helpers.checks.outcome import NotAttempted, Outcome, Passed
from labs_helpers.checks.patience import settled
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World
from labs_helpers.labs.deployment.names import (
    BALANCER,
    CLUSTER,
    FRONT,
    FRONTS_ROLE,
    RELEASE,
    SHOPS_RELEASE,
)
from labs_helpers.labs.deployment.running import Running, look
from labs_helpers.prepare.load_balancers import balancer_arn


@dataclass(frozen=True)
class Mistake:
    """The newest deployment that brought the older version to the service, by its status.

    before: the versions that the service ran when the deployment began, as far as ECS tells.
    """

    world: World
    status: str
    began: datetime
    before: tuple[str, ...]

    @property
    def goes_on(self) -> bool:
        return self.status in _GOES_ON

    @property
    def is_as_found(self) -> bool:
        """Whether the deployment goes on, and nobody has done anything about it."""
        if not self.goes_on or self.front is None:
            return False
        return self.front.service["desiredCount"] == 1 and not self.by_hand

    @cached_property
    def by_hand(self) -> str:
        """What somebody did by hand since the deployment began, in words; "" for nothing.

        stoppingAt: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html
        """
        tasks = self.front.tasks if self.front else []
        stopped = [one for one in tasks if one.get("stopCode") == "UserInitiated"]
        if any(one.get("stoppingAt", self.began) > self.began for one in stopped):
            return "a task was stopped by hand"
        for name in ("ModifyRule", "ModifyListener"):
            for one in calls.since(self.world, name, self.began):
                if not one.refused and one.role != FRONTS_ROLE:
                    return "the weights at the load balancer were changed by hand"
        refused = calls.since(self.world, "StopServiceDeployment", self.began)
        if any(one.refused for one in refused):
            return "another deployment was to be stopped, and ECS refused"
        return ""

    @property
    def is_cleaned_up(self) -> bool:
        """Whether the load balancer is gone with the service, as after the lab's clean-up."""
        return self.front is None and not balancer_arn(self.world.client("elbv2"), BALANCER)

    @cached_property
    def front(self) -> Running | None:
        """The service, at one look for all facts; None without it.

        Only what has gone back needs its tasks: another deployment may take minutes to its end.
        """
        return look(self.world, FRONT, _PATIENCE if self.status == _BACK else 0.0)


_TRY = {
    "a task": "who stops a task gets another one: what is it that starts them?",
    "the weights": "the deployment goes on and sets them again: stop the deployment itself.",
    "another": "several deployments are listed: which of them is under way?",
}
"""What is to be thought about, by how `Mistake.by_hand` begins."""
_ONCE_MORE = (
    f"let the service run next.json ({RELEASE}) to its end, as in the lesson; then run the "
    "colleague's cell again"
)
AGAIN = f"{_ONCE_MORE}. What stops a deployment that is under way?"
_PATIENCE = 10.0
"""Seconds that the check waits for a deployment that goes back."""
_GOES_ON = ("PENDING", "IN_PROGRESS")
_BACK = "ROLLBACK_SUCCESSFUL"
_GOES_BACK = ("ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS")
_ENDS = {
    "SUCCESSFUL": "the deployment has ended, and everybody meets the older version",
    "STOPPED": "nobody stopped the deployment, and another one took its place",
    "ROLLBACK_FAILED": "the rollback has failed",
}
"""https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceDeployment.html"""


def _mistake(world: World) -> Mistake | None:
    """None without the service, and where the colleague has deployed nothing yet.

    Waits some seconds for a deployment that goes back.
    """
    return settled(
        lambda: _seen(world),
        lambda found: found is not None and found.status in _GOES_BACK,
        _PATIENCE,
    )


def _seen(world: World) -> Mistake | None:
    ecs = world.client("ecs")
    try:
        found = ecs.list_service_deployments(cluster=CLUSTER, service=FRONT)
    except (ecs.exceptions.ClusterNotFoundException, ecs.exceptions.ServiceNotFoundException):
        return None
    # the newest is the first; the oldest made the service
    for each in found["serviceDeployments"][:-1]:
        if _version(ecs, each["targetServiceRevisionArn"]) == SHOPS_RELEASE:
            sources = _sources(ecs, each["serviceDeploymentArn"])
            return Mistake(world, str(each["status"]), each["createdAt"], sources)
    return None


def _sources(ecs: Any, deployment: str) -> tuple[str, ...]:
    """The versions of the service revisions that a deployment takes the place of.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceDeployment.html
    """
    described = ecs.describe_service_deployments(serviceDeploymentArns=[deployment])
    sources = [
        source["arn"]
        for one in described["serviceDeployments"]
        for source in one.get("sourceServiceRevisions", ())
    ]
    return tuple(_version(ecs, arn) for arn in sources)


def _version(ecs: Any, revision: str) -> str:
    """The tag in the task definition of a service revision."""
    described = ecs.describe_service_revisions(serviceRevisionArns=[revision])
    (found,) = described["serviceRevisions"]
    definition = ecs.describe_task_definition(taskDefinition=found["taskDefinition"])
    image = str(definition["taskDefinition"]["containerDefinitions"][0]["image"])
    return image.rpartition("/")[2].partition(":")[2]


def _there(seen: Mistake) -> Finding | None:
    if seen.front is not None:
        return None
    return Finding(
        f"the service {FRONT}",
        "deleted",
        "a service that is gone serves nobody. Run the lesson's cell that creates the service, "
        "then the colleague's cell again. What stops a deployment that is under way?",
    )


def _taken_back(seen: Mistake) -> Finding | None:
    if seen.status == _BACK:
        return None
    looked_at = f"the deployment of {SHOPS_RELEASE} to {FRONT}"
    if seen.status in _GOES_BACK:
        return Finding(
            looked_at,
            f"{seen.status}: on its way back",
            "a rollback takes some seconds: watch it with lab.service, then check again",
        )
    if seen.goes_on:
        hand = seen.by_hand
        return Finding(
            looked_at,
            f"{seen.status}: under way, whatever tasks there are" + (f"\n{hand}" if hand else ""),
            next(
                (said for begins, said in _TRY.items() if hand.startswith(begins)),
                "other tasks do not end a deployment: stop the deployment.",
            )
            + f" If it has ended before you stop it, {_ONCE_MORE}",
        )
    return Finding(looked_at, f"{seen.status}: {_ENDS.get(seen.status, 'ended')}", AGAIN)


def _everybody(seen: Mistake) -> Finding | None:
    front = seen.front
    if front is None:
        return _there(seen)
    if not front.is_tagged(RELEASE) or (seen.before and RELEASE not in seen.before):
        return Finding(
            front.looked_at,
            f"{front.image}\nthe deployment of {SHOPS_RELEASE} began when everybody met this "
            "version already",
            AGAIN,
        )
    return front.runs(1)


BACK_FACTS = (
    Fact(f"the service {FRONT} is there", _there),
    Fact(f"the deployment of {SHOPS_RELEASE} was stopped, and went back", _taken_back),
    Fact(f"one task of {RELEASE} serves everybody", _everybody),
)


@check("12.1", BACK_FACTS)
def release_taken_back(world: World) -> Outcome:
    seen = _mistake(world)
    if seen is None:
        return NotAttempted(
            f"the deployments of the service {FRONT}; the colleague's cell has made none yet"
        )
    if seen.is_cleaned_up:
        return NotAttempted(
            f"the deployments of the service {FRONT}; the service and its load balancer are gone, "
            "as after the lab's clean-up"
        )
    if seen.is_as_found:
        return NotAttempted(
            f"the deployments of the service {FRONT}; the colleague's still goes on"
        )
    return unmet(BACK_FACTS, seen) or Passed(
        f"Everybody meets {RELEASE} again, at once: blue was running all the time.",
        "The check has looked at what ECS says. Ask the load balancer too, as the lesson did.",
    )
