"""A bad release, the one before, and whether the service was given the one before again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from labs_helpers.checks import calls
from labs_helpers.checks.goal import Finding
from labs_helpers.checks.patience import settled
from labs_helpers.checks.world import World
from labs_helpers.labs.delivery import deployed, history
from labs_helpers.labs.delivery.deployed import Definition, Deployment, Service
from labs_helpers.labs.delivery.names import CLUSTER, FAMILY, SERVICE

BAD = "Give everything away"
"""The subject of the bad release's commit."""
_PATIENCE = 10.0
"""Seconds that the check waits for a task that is to run, or for the end of a deployment."""
_AFTER = timedelta(seconds=1)
"""CloudTrail's times are of whole seconds: what began a deployment comes no later after it."""

_UNDO = (
    "take your commit back, too (git reset --hard HEAD~1). The pipeline then begins with the bad "
    'commit once more: when that waits, say no (sh answer.sh Rejected "why")'
)


@dataclass(frozen=True)
class Releases:
    """The bad release, the one before, and what the service runs.

    bad, good: task definitions; tags: tag -> digest; digests: every one in the repository; later:
    id -> subject of the commits after the bad one, the newest first; undone: whether the first of
    them holds what was there before the bad one; again: whether the service has had two deployments
    of the bad one, as after a forced one: the pipeline registers a task definition for each; back:
    when the service was given the good image again, None where it was not; sent: when the pipeline
    began with the first of the later commits; given: the digest of the image that the service was
    given, "" for one that is not known; newest: when the service had its newest deployment;
    is_cleaned_up: whether no task definition of the family is active.
    """

    world: World
    bad: Definition
    good: Definition
    tags: Mapping[str, str]
    digests: set[str]
    service: Service
    later: Mapping[str, str]
    undone: bool
    again: bool
    back: datetime | None
    sent: datetime | None
    given: str
    newest: datetime | None
    is_cleaned_up: bool

    @cached_property
    def named_in_vain(self) -> str:
        """The task definition of the newest call that gave the service what it had; "" for none.

        Such a call begins no deployment.
        """
        if self.newest is None:
            return ""
        made = calls.since(self.world, "UpdateService", self.newest)
        names = (
            str(one.params.get("taskDefinition") or "").rpartition("/")[2]
            for one in made
            if not one.refused
            and one.at > self.newest + _AFTER
            and str(one.params.get("service", "")).rpartition("/")[2] == SERVICE
        )
        return next(filter(None, names), "")

    @property
    def back_before_any_commit(self) -> bool:
        """After the release is back, the lesson goes on with commits."""
        return self.back is not None and (self.sent is None or self.back <= self.sent)

    @property
    def is_as_found(self) -> bool:
        """Whether nobody has tried anything."""
        return (
            self.service.definition == self.bad.arn
            and {*self.service.running} == {self.bad_digest}
            and not self.later
            and not self.again
            and nothing_deleted(self) is None
            and not self.named_in_vain
        )

    @property
    def runs_the_good_one(self) -> bool:
        return {*self.service.running} == {self.good_digest}

    @property
    def bad_digest(self) -> str:
        return self.bad.digest(self.tags)

    @property
    def good_digest(self) -> str:
        return self.good.digest(self.tags)


def nothing_deleted(releases: Releases) -> Finding | None:
    """The task definition of the bad release and both images are there."""
    if not releases.bad.active:
        return Finding(
            f"the task definition {releases.bad.name}",
            "it is deregistered",
            "the release was to be taken back, and the evidence to stay: lab.restart() begins "
            "once more",
        )
    if releases.digests >= {releases.bad_digest, releases.good_digest}:
        return None
    return Finding(
        f"the images of {releases.world.repository}",
        "an image of the two releases is no longer there",
        "whoever looks into the bad release needs its image: lab.restart() begins once more",
    )


def nothing_committed(releases: Releases) -> Finding | None:
    """No commit came before the release was back: neither instead of that, nor on the way."""
    if not releases.later or releases.back_before_any_commit:
        return None
    subject = [*releases.later.values()][-1]
    if len(releases.later) > 1:
        advice = "these commits came before the release was back: lab.restart() begins once more"
    elif releases.undone:
        advice = (
            "a revert is built, scanned and approved first, and the bad page stays meanwhile: "
            f"{_UNDO}; the image that ran before is ready to run"
        )
    else:
        advice = f"{_UNDO}; the image that ran before is in the registry, ready to run"
    return Finding("your first commit after the bad one", subject, advice)


def ran_before(releases: Releases) -> Finding | None:
    """The service runs the image of before; later commits may have brought another one since."""
    looked_at = f"what the service {SERVICE} runs"
    named = releases.service.definition.rpartition("/")[2]
    running = releases.service.running
    if releases.service.starts:
        return Finding(
            looked_at,
            f"{named}, and no task runs yet",
            "a task takes some seconds to start: watch it with lab.service, then check again",
        )
    if not running:
        return Finding(
            looked_at,
            f"{named}, and no task runs",
            "without a task there is no page: let the service run a task again",
        )
    if releases.runs_the_good_one or (releases.later and releases.back_before_any_commit):
        return None
    if releases.given == releases.good_digest:
        return Finding(
            looked_at,
            f"{named}; the deployment is still under way, and a task of before still runs",
            f'wait for its end, then check again:  lab.service("{SERVICE}", cluster="{CLUSTER}", '
            "wait=60)",
        )
    if releases.service.definition == releases.bad.arn and releases.named_in_vain == FAMILY:
        return Finding(
            looked_at,
            f"{named}, the bad release; the service was given {FAMILY} without a number",
            "a family without a number means its newest revision: which one ran before that?",
        )
    if releases.bad_digest in running and releases.given in (releases.bad_digest, ""):
        return Finding(
            looked_at,
            f"{named}; a task of the bad release still runs",
            "a service runs the task definition that it is given: name an earlier one",
        )
    wanted = releases.given or running[0]
    others = sorted(tag for tag, digest in releases.tags.items() if digest == wanted)
    return Finding(
        looked_at,
        f"{named}, the image with the tag {' and '.join(others)}"
        if others
        else f"{named}, an image without a tag",
        "look for the task definition that came just before the bad one",
    )


def releases_of(world: World) -> Releases | None:
    """None while the bad release has not been deployed, or the service is gone.

    Waits some seconds for a task that is to run, and for the end of a deployment.
    """
    commits = history.commits()
    running = settled(
        lambda: deployed.service(world),
        lambda found: found is not None and (found.starts or found.deployments > 1),
        _PATIENCE,
    )
    bad_commit = next((one for one, subject in commits.items() if subject == BAD), None)
    if bad_commit is None or running is None:
        return None
    tags, digests = world.tags(), _digests(world)
    listed = deployed.definitions(world)
    # what another beginning of the lab left is not this bad release
    if bad_commit[:7] not in tags and not _was_sent(world, bad_commit):
        return None
    bad = _bad(listed, tags, digests, bad_commit)
    if bad is None:
        return None
    before = listed[listed.index(bad) :]
    good = next((one for one in before if one.digest(tags) != bad.digest(tags)), None)
    if good is None:
        return None
    order = [*commits]
    later = {one: commits[one] for one in order[: order.index(bad_commit)]}
    made = deployed.deployments(world)
    return Releases(
        world,
        bad,
        good,
        tags,
        digests,
        running,
        later,
        undone=bool(later) and history.are_alike([*later][-1], f"{bad_commit}^"),
        again=[one.definition for one in made].count(bad.arn) > 1,
        back=_back(made, listed, bad, good, tags),
        sent=_sent(world, later),
        given=next((one.digest(tags) for one in listed if one.arn == running.definition), ""),
        newest=made[0].made if made else None,
        is_cleaned_up=not any(one.active for one in listed),
    )


def _digests(world: World) -> set[str]:
    pages = world.client("ecr").get_paginator("list_images")
    return {
        one["imageDigest"]
        for page in pages.paginate(repositoryName=world.repository)
        for one in page["imageIds"]
    }


def _bad(
    listed: Sequence[Definition], tags: Mapping[str, str], digests: set[str], commit: str
) -> Definition | None:
    """The newest task definition of the bad release; of one whose image is gone, if need be."""
    wanted = tags.get(commit[:7])
    return next(
        (
            one
            for one in listed
            if one.digest(tags) == wanted or (wanted is None and one.digest(tags) not in digests)
        ),
        None,
    )


def _back(
    made: Sequence[Deployment],
    listed: Sequence[Definition],
    bad: Definition,
    good: Definition,
    tags: Mapping[str, str],
) -> datetime | None:
    """When the service first had the good image again, after its newest deployment of the bad."""
    digests = {one.arn: one.digest(tags) for one in listed}
    found = None
    for one in made:
        digest = digests.get(one.definition)
        if digest == bad.digest(tags):
            break
        if digest == good.digest(tags):
            found = one.made
    return found


def _was_sent(world: World, commit: str) -> bool:
    """Whether the pipeline has brought a commit to the stage Deploy; True without a pipeline."""
    executions = deployed.executions(world)
    if executions is None:
        return True
    made = deployed.actions_of_commit(world, executions, commit)
    return any(one["stageName"] == "Deploy" for one in made)


def _sent(world: World, later: Mapping[str, str]) -> datetime | None:
    """When the pipeline began with the first of some commits; None where it has not."""
    begun = [
        one["startTime"]
        for one in deployed.executions(world) or []
        if any(each["revisionId"] in later for each in one.get("sourceRevisions", []))
    ]
    return min(begun, default=None)
