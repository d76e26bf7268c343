"""Checks of lab 09: a release that the pipeline brings to ECS by digest, and one taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from labs_helpers.checks.goal import Fact, Finding, unmet
from labs_helpers.checks.outcome import NotAttempted, Outcome, Passed
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World
from labs_helpers.labs.lab09 import buildspec, deployed, history
from labs_helpers.labs.lab09.buildspec import Spec
from labs_helpers.labs.lab09.deployed import Definition, Service
from labs_helpers.labs.lab09.names import PIPELINE, PROJECTS, SERVICE

RECORD = "imagedefinitions.json"
SPEC, GATE = "buildspec.yml", "gate.yml"
STAGES = ["Source", "Build", "Gate", "Approve", "Deploy"]
BAD = "Give everything away"
_LOOKED_AT = f"{SPEC} of your last commit"
_WATCH = f'watch it with  lab.pipeline("{PIPELINE}", wait=300, commit="HEAD")'


@dataclass(frozen=True)
class Release:
    """The last commit, and what the pipeline made of the commit."""

    world: World
    commit: str

    @property
    def tag(self) -> str:
        return self.commit[:7]

    @cached_property
    def spec(self) -> Spec | str:
        return buildspec.load(history.file(SPEC))

    @cached_property
    def tags(self) -> dict[str, str]:
        return self.world.tags()

    @cached_property
    def executions(self) -> list[Mapping[str, Any]]:
        return deployed.executions(self.world) or []

    @property
    def untouched(self) -> bool:
        """Whether the buildspec still is the one that was to be repaired."""
        if history.is_changed(SPEC) or not isinstance(self.spec, Spec):
            return False
        line = self.spec.line_with(RECORD)
        return 'app\\"' in line and "@" not in line


def _committed(release: Release) -> Finding | None:
    if history.is_changed(SPEC):
        return Finding(
            SPEC,
            "your changes are in the file and in no commit",
            "the pipeline fetches commits, and no files of yours",
        )
    if isinstance(release.spec, str):
        return Finding(_LOOKED_AT, release.spec, "CodeBuild reads this file")
    return None


def _the_rest_stays(release: Release) -> Finding | None:
    spec = release.spec
    if not isinstance(spec, Spec):
        return None
    found = ""
    if not spec.stops_after_a_failed_build:
        found = "after a failed build, post_build still runs"
    elif not spec.tests_before_the_push:
        found = "no failed test stops the build before the push"
    elif command := spec.push_of_latest:
        found = f"{command}\nthis pushes the tag latest"
    elif line := spec.line_with(release.tag, "sha256:"):
        found = f"{line}\nthis names one image, also after the next commit"
    if not found:
        return None
    return Finding(_LOOKED_AT, found, "compare the file with the one that the cell began with")


def _the_gate_stays(release: Release) -> Finding | None:
    spec = buildspec.load(history.file(GATE))
    if isinstance(spec, str) or not spec.gates:
        found = spec if isinstance(spec, str) else "no gate in it can stop a build"
        return Finding(
            f"{GATE} of your last commit",
            found,
            "put the gate back: it has to judge the scan as before",
        )
    client = release.world.client("codepipeline")
    try:
        stages = client.get_pipeline(name=PIPELINE)["pipeline"]["stages"]
    except client.exceptions.PipelineNotFoundException:
        return None
    names = [stage["name"] for stage in stages]
    gates = [
        action["configuration"].get("ProjectName")
        for stage in stages
        if stage["name"] == "Gate"
        for action in stage["actions"]
    ]
    if names == STAGES and gates == [PROJECTS[1]]:
        return None
    return Finding(
        f"the stages of the pipeline {PIPELINE}",
        ", ".join(names),
        "put the stages back: the repair is a commit, and the pipeline stays as it is",
    )


def _arrives(release: Release) -> Finding | None:
    looked_at = f"the executions of the pipeline {PIPELINE}"
    made = deployed.of_commit(release.executions, release.commit)
    if made is None:
        return Finding(looked_at, f"none of the commit {release.tag} yet", _WATCH)
    stage, said = deployed.why(release.world, made["pipelineExecutionId"])
    if made["status"] == "InProgress" and stage == "Approve":
        found = f"the commit {release.tag} waits for an answer in the stage Approve"
        return Finding(looked_at, found, 'answer with  sh answer.sh Approved "why"')
    if made["status"] == "InProgress":
        running = f"the commit {release.tag} is on its way, in the stage {stage or STAGES[0]}"
        return Finding(looked_at, running, f"it still runs: {_WATCH}")
    if made["status"] != "Succeeded":
        what = f"{stage}: {said}" if stage else made["status"]
        return Finding(looked_at, f"{made['status']}, {what}", _hint_of(stage))
    return None


def _hint_of(stage: str) -> str:
    if stage in ("Build", "Gate"):
        project = PROJECTS[STAGES.index(stage) - 1]
        return f"read the end of the log:  sh log.sh {project}"
    if stage == "Deploy":
        return f"compare the names in {RECORD} with those that ECS knows"
    return _WATCH


def _runs(release: Release) -> Finding | None:
    digest = release.tags.get(release.tag)
    if digest is None:
        return Finding(
            f"the tags of {release.world.repository}",
            f"no tag {release.tag}",
            "the tag was to be the first seven characters of the commit's id",
        )
    if _definition(release) is None:
        return Finding(
            f"the images that {SERVICE} was given",
            "none of them is the image of your commit",
            f"{RECORD} has to name the image that the build of this commit pushed",
        )
    return None


def _by_digest(release: Release) -> Finding | None:
    found = _definition(release)
    if found is None or "@" in found.image:
        return None
    return Finding(
        f"the image in the task definition {found.name}",
        found.image,
        "this is a tag, and a tag can move: after the push, ECR knows the digest",
    )


def _definition(release: Release) -> Definition | None:
    """The newest task definition with the image of the commit."""
    digest = release.tags.get(release.tag)
    for one in deployed.definitions(release.world):
        if one.digest(release.tags) == digest:
            return one
    return None


RELEASE_FACTS = (
    Fact("a commit of yours", _committed),
    Fact("the test before the push, and a build that ends at a failed test", _the_rest_stays),
    Fact("the rest stays: the gate", _the_gate_stays),
    Fact("it arrives, sent there by the pipeline", _arrives),
    Fact(f"the service {SERVICE} runs the image of your commit; tags from the commit's id", _runs),
    Fact(f"{RECORD} names the image by digest", _by_digest),
)


@check("09.1", RELEASE_FACTS)
def arrived_by_digest(world: World) -> Outcome:
    looks_at = f"{_LOOKED_AT}, the pipeline {PIPELINE} and the service {SERVICE}"
    commits = history.commits()
    if not commits or deployed.executions(world) is None:
        return NotAttempted(looks_at)
    release = Release(world, next(iter(commits)))
    if release.untouched:
        return NotAttempted(looks_at)
    return unmet(RELEASE_FACTS, release) or Passed(
        "Your commit has arrived, and ECS was given its image by digest.",
        "Whoever moves a tag now changes nothing of what was approved.",
    )


# the release taken back


@dataclass(frozen=True)
class Releases:
    """The bad release, the one before, and what the service runs.

    bad, good: task definitions; tags: tag -> digest; digests: every one in the repository.
    """

    world: World
    commits: Mapping[str, str]
    bad: Definition
    good: Definition
    tags: Mapping[str, str]
    digests: set[str]
    service: Service

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
        "whoever looks into the bad release needs its image",
    )


def _is_gone(digest: str, releases: Releases) -> bool:
    return digest not in releases.digests


def _nothing_committed(releases: Releases) -> Finding | None:
    subject = next(iter(releases.commits.values()))
    if subject == BAD:
        return None
    return Finding(
        "your last commit",
        subject,
        "take the commit back; the image that ran before is in the registry, ready to run",
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
    if {*running} == {releases.good_digest}:
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
    return unmet(BACK_FACTS, releases) or Passed(
        "The release from before runs again, in its own image, to the last byte.",
        "The bad image is still there to be looked into.",
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
    return Releases(world, commits, bad, before[0], tags, digests, running) if before else None


def _as_found(releases: Releases) -> bool:
    return (
        releases.service.definition == releases.bad.arn
        and {*releases.service.running} == {releases.bad_digest}
        and not deployed.is_deployed_again(releases.world, releases.bad)
        and _nothing_deleted(releases) is None
        and _nothing_committed(releases) is None
    )
