"""Checks of lab 09: the image that a build pushed, the file that names it, and a rollback."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from labs_helpers import gate
from labs_helpers.checks.goal import Fact, Finding, unmet
from labs_helpers.checks.outcome import NotAttempted, Outcome, Passed
from labs_helpers.checks.pushed import pushed
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World
from labs_helpers.labs.lab09 import buildspec
from labs_helpers.labs.lab09.buildspec import Spec

COMMIT = "9b1d4e7c2f5a8063d1e4b7a0c3f6928d5e8b1a47"
TAG = COMMIT[:7]
RECORD = "imagedefinitions.json"
ARTIFACT = Path("artifacts", RECORD)
SPEC = Path("buildspec.yml")
REVISION = "org.opencontainers.image.revision"
GOOD, BAD, LIVE = "4f2a91c", "e07b3d5", "production"
RELEASES = Path("releases.txt")
RULES = gate.Rules(fail_on="CRITICAL")


@dataclass(frozen=True)
class Build:
    """What a build left: tags in the registry, and files in the lab's folder."""

    world: World
    tags: dict[str, str]

    @cached_property
    def spec(self) -> Spec | str:
        return buildspec.load(SPEC)

    @property
    def name(self) -> str:
        return f"{self.world.host()}/{self.world.repository}"

    @property
    def digest(self) -> str:
        return self.tags[TAG]

    @property
    def near(self) -> list[str]:
        """Tags that were cut from the commit's id at another place."""
        return sorted(tag for tag in self.tags if tag and (tag in COMMIT or COMMIT[:4] in tag))


def _tagged(build: Build) -> Finding | None:
    if TAG in build.tags:
        return None
    return Finding(
        f"the tags of {build.world.repository}",
        ", ".join(build.near),
        f"the tag was to be {TAG}: compare the two, letter by letter",
    )


def _spec_is_readable(build: Build) -> Finding | None:
    if isinstance(build.spec, Spec):
        return None
    return Finding(
        str(SPEC), build.spec, "CodeBuild reads this file: the last run was of an earlier one"
    )


def _for_every_commit(build: Build) -> Finding | None:
    spec = build.spec
    if not isinstance(spec, Spec):
        return None
    line = spec.line_with(TAG, COMMIT, COMMIT[:8])
    if not line:
        return None
    return Finding(
        str(SPEC), line, "what tag does the next commit's image get, with the file as it stands?"
    )


def _instead_of_latest(build: Build) -> Finding | None:
    """Whether this build left `latest` alone.

    The same sources make the same image, so an earlier build may have tagged this image `latest`:
    the tags alone do not tell who did it, and ECR keeps no date of a tag. The buildspec tells.
    """
    if build.tags.get("latest") != build.digest:
        return None
    spec = build.spec
    command = spec.push_of_latest if isinstance(spec, Spec) else ""
    if not command:
        return None
    return Finding(
        f"the tags of {build.world.repository}, and {SPEC}",
        f"{command}\n{TAG} and latest are one image",
        "this build moved latest as well",
    )


def _of_the_commit(build: Build) -> Finding | None:
    registry = build.world.ask_registry(build.world.host(), build.world.fresh_login())
    image = pushed(registry, build.world.repository, TAG)
    found = image.labels.get(REVISION, "no such label") if image else COMMIT
    if found == COMMIT:
        return None
    return Finding(
        f"the label {REVISION} of {build.world.repository}:{TAG}",
        found,
        "the build wrote the commit's id into the image: does it still?",
    )


def _by_digest(build: Build) -> Finding | None:
    found = _uri(ARTIFACT)
    if found == f"{build.name}@{build.digest}":
        spec = build.spec
        fixed = spec.line_with(build.digest) if isinstance(spec, Spec) else ""
        if not fixed:
            return None
        return Finding(str(SPEC), fixed, "which image does this line name after the next commit?")
    return Finding(f"imageUri in {ARTIFACT}", found, _advice(build, found))


def _the_rest_stays(build: Build) -> Finding | None:
    spec = build.spec
    if not isinstance(spec, Spec):
        return None
    found = ""
    if not spec.stops_after_a_failed_build:
        found = "after a failed build, post_build still runs"
    elif not spec.tests_before_the_push:
        found = "no failed test stops the build before the push"
    elif not spec.gates_before(RECORD):
        found = f"no gate at CRITICAL or below stops the build before {RECORD} is written"
    if not found:
        return None
    return Finding(str(SPEC), found, "compare the file with the one that the cell began with")


COMMIT_FACTS = (
    Fact(f"the first seven characters of the commit's id as its tag, here {TAG}", _tagged),
    Fact("the whole buildspec, changed", _spec_is_readable),
    Fact("the first seven characters of the commit's id as its tag", _for_every_commit),
    Fact("instead of latest", _instead_of_latest),
    Fact(f"{RECORD} names the image by digest", _by_digest),
    Fact("the rest stays: a failed test and the gate still stop the build", _the_rest_stays),
    Fact("the image of this commit", _of_the_commit),
)


@check("09.1", COMMIT_FACTS)
def recorded_by_digest(world: World) -> Outcome:
    build = Build(world, world.tags())
    if TAG not in build.tags and not build.near:
        return NotAttempted(f"the tags of {world.repository}, {SPEC} and {RECORD}")
    return unmet(COMMIT_FACTS, build) or Passed(
        f"The commit {TAG} is in the registry, and {RECORD} names it by digest.",
        "What the deployment does with that file, only AWS shows.",
    )


def _uri(path: Path) -> str:
    """``imageUri`` of the file's one container, or words for what is there instead."""
    if not path.exists():
        return "no such file"
    try:
        (entry,) = json.loads(path.read_text(encoding="utf-8"))
        return str(entry["imageUri"]) if entry["name"] == "web" else f"name {entry['name']}"
    except (ValueError, KeyError, TypeError):
        return "not a list of one container with name and imageUri"


def _advice(build: Build, found: str) -> str:
    if found == "no such file":
        return _why_it_stopped(build)
    if found in (f"{build.name}@", f"{build.name}@None"):
        return "the digest is empty: ECR knows it only after the push, and under the tag"
    if found.startswith(f"{build.name}:"):
        return "this is a tag, and a tag can move: after the push, ECR knows the digest"
    if found.startswith(f"{build.name}@"):
        return f"this is another image: which digest has the one tagged {TAG}?"
    if "@" in found:
        return "before the @ stands the registry, and the repository in it"
    return "the last command of post_build writes this file: look at its quotes"


def _why_it_stopped(build: Build) -> str:
    """Why a build that pushed an image did not write the note."""
    ecr = build.world.client("ecr")
    scan = gate.fetch(ecr, gate.parse(f"{build.world.repository}:{TAG}"), wait=0)
    verdict = gate.judge(scan, RULES, (), build.world.now().date())
    if not verdict.passed:
        return (
            f"the gate stopped the build ({verdict.summary()}):"
            " is the base in the Dockerfile the one that this lab put back?"
        )
    return "the build ended before the command that writes it: what does the end of its output say?"


# the rollback


@dataclass(frozen=True)
class Releases:
    """Tag -> digest in the repository, every digest there, and the history in releases.txt."""

    world: World
    tags: dict[str, str]
    digests: set[str]
    history: list[str]


def _nothing_deleted(releases: Releases) -> Finding | None:
    gone = [tag for tag in (GOOD, BAD) if tag not in releases.tags]
    gone += [one for one in dict.fromkeys(releases.history) if one not in releases.digests]
    if not gone:
        return None
    return Finding(
        f"the images of {releases.world.repository}",
        f"no {gone[0]} any more",
        "the cells that made the two releases make them again, and a rollback deletes nothing",
    )


def _ran_before(releases: Releases) -> Finding | None:
    live = releases.tags.get(LIVE)
    ran = releases.history[0] if releases.history else releases.tags[GOOD]
    if live == ran:
        return None
    looked_at = f"the tags of {releases.world.repository}"
    if live is None:
        return Finding(looked_at, f"no tag {LIVE}", "servers ask for this name")
    if live in releases.history:
        return Finding(
            looked_at, f"{LIVE} is {live}, the release of {BAD}", "which came before it?"
        )
    others = sorted(tag for tag, digest in releases.tags.items() if digest == live and tag != LIVE)
    return Finding(
        looked_at,
        f"{LIVE} is {live}" + (f", which is {', '.join(others)}" if others else ""),
        "the image that ran before is still in the registry, to the last byte: which one is it?",
    )


def _nothing_built(releases: Releases) -> Finding | None:
    for tag, ran in zip((GOOD, BAD), releases.history, strict=False):
        if releases.tags[tag] != ran:
            return Finding(
                f"the tags of {releases.world.repository}",
                f"{tag} is another image than the one that ran",
                "a build of the same commit is a new image, which nobody has tried",
            )
    return None


ROLLBACK_FACTS = (
    Fact("delete nothing", _nothing_deleted),
    Fact(f"{LIVE} names the image that ran before", _ran_before),
    Fact("build nothing", _nothing_built),
)


@check("09.2", ROLLBACK_FACTS)
def rolled_back(world: World) -> Outcome:
    pages = (
        world.client("ecr").get_paginator("list_images").paginate(repositoryName=world.repository)
    )
    ids: list[dict[str, Any]] = [one for page in pages for one in page["imageIds"]]
    tags = {one["imageTag"]: one["imageDigest"] for one in ids if "imageTag" in one}
    history = RELEASES.read_text(encoding="utf-8").split() if RELEASES.exists() else []
    releases = Releases(world, tags, {one["imageDigest"] for one in ids}, history)
    live = tags.get(LIVE)
    not_begun = live is None and BAD not in tags
    as_found = (
        live is not None
        and live == tags.get(BAD)
        and not _nothing_deleted(releases)
        and not _nothing_built(releases)
    )
    if not_begun or as_found:
        return NotAttempted(f"the tags of {world.repository}, above all {LIVE}")
    return unmet(ROLLBACK_FACTS, releases) or Passed(
        f"{LIVE} is {GOOD} again, to the last byte, and {BAD} is still there to be looked into.",
        "Servers that run already change only when they are told to deploy.",
    )
