"""Checks of lab 09: a release that the pipeline brings to ECS by digest, and one taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from labs_helpers.checks.goal import Fact, Finding, unmet
from labs_helpers.checks.outcome import NotAttempted, Outcome, Passed
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World
from labs_helpers.labs.delivery import deployed, history, release
from labs_helpers.labs.delivery.buildspec import Spec
from labs_helpers.labs.delivery.deployed import Definition, Service
from labs_helpers.labs.delivery.names import PIPELINE, SERVICE
from labs_helpers.labs.delivery.release import LOOKED_AT, RECORD, SPEC, Release

BAD = "Give everything away"


def _is_untouched(given: Release) -> bool:
    """Whether the buildspec still is the one that was to be repaired."""
    if history.is_changed(SPEC) or not isinstance(given.spec, Spec):
        return False
    line = given.spec.line_with(RECORD)
    return 'app\\"' in line and "@" not in line


def _by_digest(given: Release) -> Finding | None:
    found = given.definition
    if found is None or "@" in found.image:
        return None
    return Finding(
        f"the image in the task definition {found.name}",
        found.image,
        "this is a tag, and a tag can move: after the push, ECR knows the digest",
    )


RELEASE_FACTS = (
    Fact("a commit of yours", release.committed),
    Fact("the test before the push, and a build that ends at a failed test", release.test_stays),
    Fact("tags from the commit's id", release.tags_stay),
    Fact("the rest stays: the gate", release.gate_stays),
    Fact("it arrives, sent there by the pipeline", release.arrives),
    Fact(
        f"the service {SERVICE} runs the image of your commit; tags from the commit's id",
        release.runs,
    ),
    Fact(f"{RECORD} names the image by digest", _by_digest),
)


@check("09.1", RELEASE_FACTS)
def arrived_by_digest(world: World) -> Outcome:
    looks_at = f"{LOOKED_AT}, the pipeline {PIPELINE} and the service {SERVICE}"
    commits = history.commits()
    if not commits or deployed.executions(world) is None:
        return NotAttempted(looks_at)
    given = Release(world, next(iter(commits)))
    if _is_untouched(given):
        return NotAttempted(looks_at)
    return unmet(RELEASE_FACTS, given) or Passed(
        "Your commit has arrived, and ECS was given its image by digest.",
        "Whoever moves a tag now changes nothing of what was approved.",
    )


# the release taken back


@dataclass(frozen=True)
class Releases:
    """The bad release, the one before, and what the service runs.

    bad, good: task definitions; tags: tag -> digest; digests: every one in the repository;
    undone: whether the last commit is as the one before the bad one; back: whether the service has
    had a deployment of the good image since.
    """

    world: World
    commits: Mapping[str, str]
    bad: Definition
    good: Definition
    tags: Mapping[str, str]
    digests: set[str]
    service: Service
    undone: bool
    back: bool

    @property
    def reverted(self) -> bool:
        """After the release is back, a revert is what the solution advises."""
        return self.undone and self.back

    @property
    def bad_digest(self) -> str:
        return self.bad.digest(self.tags)

    @property
    def good_digest(self) -> str:
        return self.good.digest(self.tags)


def _nothing_deleted(releases: Releases) -> Finding | None:
    if not releases.bad.active:
        return Finding(
            f"the task definition {releases.bad.name}",
            "it is deregistered",
            "the release was to be taken back, and the evidence to stay",
        )
    gone = [one for one in (releases.bad_digest, releases.good_digest) if _is_gone(one, releases)]
    if not gone:
        return None
    return Finding(
        f"the images of {releases.world.repository}",
        "an image of the two releases is no longer there",
        "whoever looks into the bad release needs its image: docker images says whether this "
        "machine has the image, to push again; else a build of its commit makes the image anew",
    )


def _is_gone(digest: str, releases: Releases) -> bool:
    return digest not in releases.digests


def _nothing_committed(releases: Releases) -> Finding | None:
    subject = next(iter(releases.commits.values()))
    if subject == BAD or releases.reverted:
        return None
    return Finding(
        "your last commit",
        subject,
        "a revert is built, scanned and approved first; the image that ran before is ready to run"
        if releases.undone
        else "take the commit back; the image that ran before is in the registry, ready to run",
    )


def _ran_before(releases: Releases) -> Finding | None:
    looked_at = f"what the service {SERVICE} runs"
    named = releases.service.definition.rpartition("/")[2]
    running = releases.service.running
    if not running:
        return Finding(
            looked_at,
            f"{named}, and no task runs",
            "without a task there is no page: let the service run a task again",
        )
    if {*running} == {releases.good_digest} or releases.reverted:
        return None
    if releases.bad_digest in running:
        return Finding(
            looked_at,
            f"{named}; a task of the bad release still runs",
            "a service runs the task definition that it is given: name an earlier one",
        )
    others = sorted(tag for tag, digest in releases.tags.items() if digest == running[0])
    return Finding(
        looked_at,
        f"{named}, the image {', '.join(others) or 'without a tag'}",
        "look for the task definition that came just before the bad one",
    )


BACK_FACTS = (
    Fact("delete nothing", _nothing_deleted),
    Fact("commit nothing", _nothing_committed),
    Fact(f"the service {SERVICE} runs the image that it ran before; build nothing", _ran_before),
)


@check("09.2", BACK_FACTS)
def taken_back(world: World) -> Outcome:
    looks_at = f"the service {SERVICE}, its task definitions, and the images of {world.repository}"
    releases = _releases(world)
    if releases is None or _as_found(releases):
        return NotAttempted(looks_at)
    if {*releases.service.running} == {releases.good_digest}:
        says = "The release from before runs again, in its own image, to the last byte."
    else:
        says = "The release from before ran again, and your revert has arrived after that."
    return unmet(BACK_FACTS, releases) or Passed(
        says, "The bad image is still there to be looked into."
    )


def _releases(world: World) -> Releases | None:
    """None while the bad release has not been deployed, or the service is gone."""
    commits, running = history.commits(), deployed.service(world)
    bad_commit = next((one for one, subject in commits.items() if subject == BAD), None)
    if bad_commit is None or running is None:
        return None
    tags = world.tags()
    pages = world.client("ecr").get_paginator("list_images")
    digests = {
        one["imageDigest"]
        for page in pages.paginate(repositoryName=world.repository)
        for one in page["imageIds"]
    }
    listed = deployed.definitions(world)
    wanted = tags.get(bad_commit[:7])
    place = next(
        (
            n
            for n, one in enumerate(listed)
            if one.digest(tags) == wanted or (wanted is None and one.digest(tags) not in digests)
        ),
        None,
    )
    if place is None:
        return None
    bad = listed[place]
    before = [one for one in listed[place:] if one.digest(tags) != bad.digest(tags)]
    if not before:
        return None
    good = before[0]
    undone = history.are_alike("HEAD", f"{bad_commit}^")
    back = undone and _was_back(world, listed, bad, good, tags)
    return Releases(world, commits, bad, good, tags, digests, running, undone, back)


def _was_back(
    world: World,
    listed: Sequence[Definition],
    bad: Definition,
    good: Definition,
    tags: Mapping[str, str],
) -> bool:
    """Whether the service had a deployment of the good image after its newest one of the bad."""
    digests = {one.arn: one.digest(tags) for one in listed}
    for arn in deployed.deployments(world):
        if digests.get(arn) == good.digest(tags):
            return True
        if digests.get(arn) == bad.digest(tags):
            return False
    return False


def _as_found(releases: Releases) -> bool:
    return (
        releases.service.definition == releases.bad.arn
        and {*releases.service.running} == {releases.bad_digest}
        and not deployed.is_deployed_again(releases.world, releases.bad)
        and _nothing_deleted(releases) is None
        and _nothing_committed(releases) is None
    )
