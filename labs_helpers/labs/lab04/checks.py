"""Checks of lab 04: the settings of a repository, and what a lifecycle policy leaves in one."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from typing import Any

from labs_helpers.checks import regions
from labs_helpers.checks.goal import Fact, Finding, unmet
from labs_helpers.checks.outcome import NotAttempted, NotYet, Outcome, Passed
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World
from labs_helpers.labs.lab04.lifecycle import KEPT, LEFT_FACTS, PRODUCTION, REPAIRED, left_in

NAME = "team-a/api"
LOOKS_AT = f"the images of {REPAIRED}, and its lifecycle policy"
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
        there = regions.elsewhere(
            world, lambda ecr: ecr.describe_repositories(repositoryNames=[NAME])
        )
        if there:
            found = regions.in_another(NAME, "the repositories", world.region, there)
            return NotYet(found.looked_at, found.found, f"the repository {NAME}", found.suggestion)
        return NotAttempted(f"repository {NAME} and its settings")
    own = listed[NAME]
    tags = ecr.list_tags_for_resource(resourceArn=own["repositoryArn"])["tags"]
    repository = Repository(
        own["imageTagMutability"],
        _filters(own),
        {tag["Key"]: tag["Value"] for tag in tags},
    )
    return unmet(FACTS, repository) or Passed(
        f"{NAME} keeps its tags, except those that begin with dev-, and is billed as env = dev.",
        "Who may push to it, a policy says: lab 02.",
    )


def _filters(repository: dict[str, Any]) -> list[str]:
    return sorted(one["filter"] for one in repository.get("imageTagMutabilityExclusionFilters", ()))


@check("04.2", LEFT_FACTS)
def production_is_kept(world: World) -> Outcome:
    left = left_in(world.client("ecr"), on_aws=world.address is None)
    if left is None:
        return NotAttempted(LOOKS_AT)
    lesson = any(one["selection"].get("countNumber") == 10 for one in left.rules)
    if left.production is None and (lesson or not left.policy):
        return NotAttempted(LOOKS_AT)
    return unmet(LEFT_FACTS, left) or Passed(
        f"A month of releases later, {REPAIRED}:{PRODUCTION} is there, with the {KEPT} newest.",
        "The policy looks at tags: whoever moves prod decides which image is safe.",
    )
