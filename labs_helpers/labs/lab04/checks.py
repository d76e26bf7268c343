"""Checks of lab 04: the settings of a repository, and what a lifecycle policy leaves in one."""

from __future__ import annotations

import fnmatch
import json
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from labs_helpers.checks.goal import Fact, Finding, unmet
from labs_helpers.checks.outcome import NotAttempted, NotYet, Outcome, Passed
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World

NAME = "team-a/api"
MOVING = ("dev-", "dev-1", "dev-main", "dev-feature-x.2")
"""Tags that begin with dev-."""
FIXED = ("1.4.2", "latest", "dev", "dev1", "devel-1", "my-dev-1", "prod-dev-1", "DEV-1", "v1-dev")
"""Tags that do not."""


@dataclass(frozen=True)
class Repository:
    """What ECR says of the repository. ``tags`` are those on the repository, not its images'."""

    rule: str
    filters: list[str]
    tags: dict[str, str]

    def may_move(self, tag: str) -> bool:
        """Whether a push may move this tag to another image.

        https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
        """
        excluded = any(fnmatch.fnmatchcase(tag, one.replace("[", "[[]")) for one in self.filters)
        return self.rule.startswith("MUTABLE") != ("EXCLUSION" in self.rule and excluded)

    @property
    def said(self) -> str:
        excepted = f", except {', '.join(self.filters)}" if self.filters else ""
        return f"{self.rule}{excepted}"


def _never_moves(repository: Repository) -> Finding | None:
    moving = [tag for tag in FIXED if repository.may_move(tag)]
    if not moving:
        return None
    suggestion = f"a push may move the tag {moving[0]} to another image here"
    if repository.rule == "MUTABLE_WITH_EXCLUSION":
        suggestion = f"this is the other way round: {suggestion}"
    return Finding(f"the tag rule of {NAME}", repository.said, suggestion)


def _except_dev(repository: Repository) -> Finding | None:
    fixed = [tag for tag in MOVING if not repository.may_move(tag)]
    if not fixed:
        return None
    return Finding(
        f"the tag rule of {NAME}",
        repository.said,
        f"no push may move the tag {fixed[-1]} here",
    )


def _billed(repository: Repository) -> Finding | None:
    if repository.tags.get("env") == "dev":
        return None
    found = ", ".join(f"{key} = {value}" for key, value in sorted(repository.tags.items()))
    return Finding(
        f"the tags on {NAME}",
        found or "none",
        "key and value are compared letter by letter, capitals too"
        if found
        else "a label for people and bills is set on the repository itself",
    )


FACTS = (
    Fact("a tag, once pushed, never moves", _never_moves),
    Fact("except tags that begin with dev-", _except_dev),
    Fact("on the bill it shows as env = dev (a tag on the repository)", _billed),
)


@check("04.1", FACTS)
def immutable_with_exclusion(world: World) -> Outcome:
    ecr = world.client("ecr")
    pages = ecr.get_paginator("describe_repositories").paginate()
    listed = {one["repositoryName"]: one for page in pages for one in page["repositories"]}
    if NAME not in listed:
        near = sorted(name for name in listed if name.startswith("team"))
        if near:
            return NotYet(
                "the names of your repositories",
                ", ".join(near),
                f"the repository {NAME}",
                "compare the two names, letter by letter",
            )
        return NotAttempted(f"repository {NAME} and its settings")
    found = listed[NAME]
    tags = ecr.list_tags_for_resource(resourceArn=found["repositoryArn"])["tags"]
    repository = Repository(
        found["imageTagMutability"],
        _filters(found),
        {tag["Key"]: tag["Value"] for tag in tags},
    )
    return unmet(FACTS, repository) or Passed(
        f"{NAME} keeps its tags, except those that begin with dev-, and is billed as env = dev.",
        "Who may push to it, a policy says: lab 02.",
    )


def _filters(repository: dict[str, Any]) -> list[str]:
    return sorted(one["filter"] for one in repository.get("imageTagMutabilityExclusionFilters", ()))


REPAIRED = "payments/api"
PRODUCTION = "prod"
VERSION = "1.1"
KEPT = 3
_VERSION_OF = "org.opencontainers.image.version"


@dataclass(frozen=True)
class Left:
    """The images of the repository, as DescribeImages lists them, and its lifecycle policy."""

    ecr: Any
    images: list[dict[str, Any]]
    policy: dict[str, Any]
    evaluated: datetime | None
    on_aws: bool = False

    @cached_property
    def production(self) -> dict[str, Any] | None:
        """The image that is tagged prod."""
        return next((one for one in self.images if PRODUCTION in one.get("imageTags", ())), None)

    @property
    def others(self) -> list[dict[str, Any]]:
        """The other images, the newest first."""
        rest = [one for one in self.images if one is not self.production]
        return sorted(rest, key=lambda one: one["imagePushedAt"], reverse=True)

    @property
    def said(self) -> str:
        """The names of all images, the newest first."""
        listed = sorted(self.images, key=lambda one: one["imagePushedAt"], reverse=True)
        return ", ".join(map(_called, listed)) or "no image"


def _called(image: dict[str, Any]) -> str:
    return "+".join(sorted(image.get("imageTags", ()))) or image["imageDigest"][:19]


def _is_back(left: Left) -> Finding | None:
    looked_at = f"the image {REPAIRED}:{PRODUCTION}"
    if left.production is None:
        return Finding(
            looked_at,
            f"not there; there are {left.said}",
            "was it pushed again? if so, which rule has taken it since?",
        )
    asked = {"imageDigest": left.production["imageDigest"]}
    image, *_ = left.ecr.batch_get_image(repositoryName=REPAIRED, imageIds=[asked])["images"]
    annotations = json.loads(image["imageManifest"]).get("annotations") or {}
    version = annotations.get(_VERSION_OF)
    if version == VERSION:
        return None
    return Finding(looked_at, f"version {version}", "which version did production run?")


def _never_taken(left: Left) -> Finding | None:
    looked_at = f"the lifecycle policy of {REPAIRED}"
    if left.evaluated is None:
        return Finding(
            looked_at,
            "not applied yet, since it was put",
            "AWS applies it within 24 hours, and its clock cannot be moved: look again tomorrow; "
            "start-lifecycle-policy-preview says today what it will take"
            if left.on_aws
            else "the cell below yours lets a month pass: run it, then this check",
        )
    production = left.production
    assert production is not None
    newer = [one for one in left.others if one["imagePushedAt"] > production["imagePushedAt"]]
    if len(newer) >= min(KEPT, len(left.others)) and newer:
        return None
    return Finding(
        looked_at,
        f"prod is among the {KEPT} newest images: {left.said}",
        "that proves nothing yet: let a month pass, with the releases of the cell below yours",
    )


def _newest_stay(left: Left) -> Finding | None:
    if len(left.others) >= KEPT:
        return None
    return Finding(
        f"the images of {REPAIRED}",
        left.said,
        "which rule took the newer ones? lab.lifecycle shows what each rule is about",
    )


def _older_go(left: Left) -> Finding | None:
    if len(left.others) <= KEPT:
        return None
    older = ", ".join(map(_called, left.others[KEPT:]))
    return Finding(
        f"the images of {REPAIRED}",
        f"besides the newest: {older}",
        "lab.lifecycle says why each of them stays",
    )


LEFT_FACTS = (
    Fact(f"version {VERSION} is back, tagged {PRODUCTION}", _is_back),
    Fact("a policy never takes the image tagged prod", _never_taken),
    Fact("the three newest images stay", _newest_stay),
    Fact("older ones go", _older_go),
)


@check("04.2", LEFT_FACTS)
def production_is_kept(world: World) -> Outcome:
    ecr = world.client("ecr")
    left = _left(ecr, on_aws=world.address is None)
    lesson = any(one["selection"].get("countNumber") == 10 for one in _rules(left))
    if left is None or (left.production is None and (lesson or not left.policy)):
        return NotAttempted(f"the images of {REPAIRED}, and its lifecycle policy")
    return unmet(LEFT_FACTS, left) or Passed(
        f"A month of releases later, {REPAIRED}:{PRODUCTION} is there, with the {KEPT} newest.",
        "The policy looks at tags: whoever moves prod decides which image is safe.",
    )


def _left(ecr: Any, on_aws: bool) -> Left | None:
    """What the repository holds; None where there is no such repository."""
    try:
        pages = ecr.get_paginator("describe_images").paginate(repositoryName=REPAIRED)
        images = [one for page in pages for one in page["imageDetails"]]
    except ecr.exceptions.RepositoryNotFoundException:
        return None
    try:
        found = ecr.get_lifecycle_policy(repositoryName=REPAIRED)
    except ecr.exceptions.LifecyclePolicyNotFoundException:
        return Left(ecr, images, {}, None, on_aws)
    evaluated = found.get("lastEvaluatedAt")
    never = evaluated is None or evaluated.year == 1970
    policy = json.loads(found["lifecyclePolicyText"])
    return Left(ecr, images, policy, None if never else evaluated, on_aws)


def _rules(left: Left | None) -> list[dict[str, Any]]:
    return list(left.policy.get("rules", ())) if left is not None else []
