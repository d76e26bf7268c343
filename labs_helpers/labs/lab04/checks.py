"""Check of lab 04: the settings of a repository in ECR."""

from __future__ import annotations

import json
from typing import Any

from labs_helpers.checks.outcome import NotAttempted, NotYet, Outcome, Passed
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World

NAME = "team-a/api"
RULE = {"imageTagMutability": "IMMUTABLE_WITH_EXCLUSION", "except": ["dev-*"]}
TAGS = {"env": "dev"}


@check("04.1")
def immutable_with_exclusion(world: World) -> Outcome:
    ecr = world.client("ecr")
    try:
        (found,) = ecr.describe_repositories(repositoryNames=[NAME])["repositories"]
    except ecr.exceptions.RepositoryNotFoundException:
        return NotAttempted(
            f"repository {NAME}", "it is not there yet: create it in the cell above"
        )
    rule = _rule(found)
    if rule != RULE:
        return NotYet(f"the tag rule of {NAME}", json.dumps(rule), json.dumps(RULE), _advice(rule))
    listed = ecr.list_tags_for_resource(resourceArn=found["repositoryArn"])["tags"]
    tags = {tag["Key"]: tag["Value"] for tag in listed}
    if not TAGS.items() <= tags.items():
        return NotYet(
            f"the tags on {NAME}",
            json.dumps(tags, sort_keys=True),
            json.dumps(TAGS),
            "aws ecr tag-resource takes the ARN of the repository, and --tags Key=...,Value=...",
        )
    return Passed(
        f"{NAME} keeps its tags, except {', '.join(rule['except'])}, and is billed as env = dev.",
        "Who may push to it, a policy says: lab 02.",
    )


def _rule(repository: dict[str, Any]) -> dict[str, Any]:
    filters = repository.get("imageTagMutabilityExclusionFilters", [])
    return {
        "imageTagMutability": repository["imageTagMutability"],
        "except": sorted(one["filter"] for one in filters),
    }


def _advice(rule: dict[str, Any]) -> str:
    if rule["imageTagMutability"] == "MUTABLE":
        return "a tag may still move here: put-image-tag-mutability changes that"
    if rule["imageTagMutability"] == "MUTABLE_WITH_EXCLUSION":
        return "this is the other way round: every tag may move, except those of the filter"
    if not rule["except"]:
        return "every tag is fixed now: which filter excepts those that begin with dev-?"
    return "the filter decides which tags may move: only those that begin with dev-"
