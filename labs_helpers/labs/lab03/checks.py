"""Checks of lab 03: an image copied to ECR, and a pull-through cache rule."""

from __future__ import annotations

from typing import Any

from labs_helpers.checks import images
from labs_helpers.checks.outcome import NotAttempted, NotYet, Outcome, Passed
from labs_helpers.checks.registry import Answer
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World

SOURCE = "nginx:alpine"
COPY = "mirror/nginx"
TAG = "alpine"
PREFIX = "k8s"
UPSTREAM = "registry.k8s.io"


@check("03.1")
def copied_from_docker_hub(world: World) -> Outcome:
    registry = world.ask_registry(world.host(), world.fresh_login())
    looked_at = f"{COPY}:{TAG} in {world.host()}"
    answer = registry.manifest(COPY, TAG)
    if answer.status != 200:
        tags = _tags(world)
        if tags:
            return NotYet(
                looked_at, f"tags: {', '.join(tags)}", TAG, "the tag is part of the name you push"
            )
        return NotAttempted(looked_at, "the repository has no image yet: pull, tag, push")
    local = images.find(SOURCE)
    if local is None:
        return NotYet(
            "the local images",
            f"no {SOURCE}",
            f"the image that {COPY}:{TAG} was made from",
            f"docker pull {SOURCE}, so that the two can be compared",
        )
    found = _digests(answer)
    if not found & _digests_of(local):
        return NotYet(
            looked_at,
            sorted(found)[0],
            f"{local.id}, which is {SOURCE}",
            f"this is another image: docker tag {SOURCE} with the name in ECR, and push that",
        )
    return Passed(
        f"{COPY}:{TAG} in your registry is the image that Docker Hub calls {SOURCE}.",
        "It stays as it is when Docker Hub's tag moves on.",
    )


@check("03.2")
def rule_for_kubernetes(world: World) -> Outcome:
    ecr = world.client("ecr")
    looked_at = f"the pull-through cache rule for {PREFIX}"
    try:
        (rule,) = ecr.describe_pull_through_cache_rules(ecrRepositoryPrefixes=[PREFIX])[
            "pullThroughCacheRules"
        ]
    except ecr.exceptions.PullThroughCacheRuleNotFoundException:
        return NotAttempted(looked_at, "there is none yet: create it in the cell above")
    if rule["upstreamRegistryUrl"] != UPSTREAM:
        return NotYet(
            looked_at,
            rule["upstreamRegistryUrl"],
            UPSTREAM,
            "the source of a rule cannot be changed: delete the rule and make it again",
        )
    return Passed(
        f"what is pulled as {PREFIX}/... comes from {UPSTREAM}.",
        "The sandbox keeps the rule and does not follow it yet; ECR does.",
    )


def _tags(world: World) -> list[str]:
    """The tags in the repository of the copy; none when there is no such repository."""
    ecr = world.client("ecr")
    try:
        listed = ecr.list_images(repositoryName=COPY, filter={"tagStatus": "TAGGED"})["imageIds"]
    except ecr.exceptions.RepositoryNotFoundException:
        return []
    return sorted(one["imageTag"] for one in listed)


def _digests(answer: Answer) -> set[str]:
    """The digests of an image in a registry: of its configuration, and of its manifest."""
    config = answer.json().get("config", {}).get("digest")
    return {digest for digest in (config, answer.headers.get("docker-content-digest")) if digest}


def _digests_of(local: Any) -> set[str]:
    """The digests of a local image, whose id is one of the two, by the engine's choice."""
    pulled = local.attrs.get("RepoDigests") or []
    return {local.id, *(name.rpartition("@")[2] for name in pulled)}
