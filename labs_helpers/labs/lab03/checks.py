"""Checks of lab 03: an image copied to ECR, and a pull-through cache rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from labs_helpers.checks import hub, images, regions
from labs_helpers.checks.goal import Fact, Finding, unmet
from labs_helpers.checks.outcome import NotAttempted, NotYet, Outcome, Passed
from labs_helpers.checks.registry import Answer
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World

SOURCE = "nginx:alpine"
NAMESPACE = "library/nginx"
COPY = "mirror/nginx"
TAG = "alpine"
PREFIX = "k8s"
UPSTREAM = "registry.k8s.io"


@dataclass(frozen=True)
class Copy:
    """What the registry answers for the copy's name, and the tags beside it."""

    host: str
    answer: Answer
    tags: list[str]
    address: str | None


def _under_the_tag(copy: Copy) -> Finding | None:
    if copy.answer.status == 200:
        return None
    return Finding(
        f"{COPY} in {copy.host}",
        f"tags: {', '.join(copy.tags)}",
        "the tag is part of the name that is pushed",
    )


def _is_the_image(copy: Copy) -> Finding | None:
    """Compare with Docker Hub's answer, by way of the local image where that has it."""
    found = _digests(copy.answer)
    wanted = hub.digest(NAMESPACE, TAG, copy.address)
    local = images.find(SOURCE)
    known = _digests_of(local) if local is not None else set()
    if wanted in found or (found & known and wanted in (*known, "")):
        return None
    if wanted not in known and found & hub.digests(NAMESPACE, TAG, copy.address):
        return None
    return Finding(
        f"{COPY}:{TAG} in {copy.host}",
        f"another image than {SOURCE}: {sorted(found)[0]}",
        "which image had this name when you pushed it? docker images lists names and ids",
    )


COPY_FACTS = (
    Fact(f"under the tag {TAG}", _under_the_tag),
    Fact(f"{SOURCE} from Docker Hub, in your repository {COPY}", _is_the_image),
)


@check("03.1", COPY_FACTS)
def copied_from_docker_hub(world: World) -> Outcome:
    answer = world.ask_registry(world.host(), world.fresh_login()).manifest(COPY, TAG)
    copy = Copy(world.host(), answer, _tags(world), world.address)
    if answer.status != 200 and not copy.tags:
        return NotAttempted(f"the images of {COPY} in {world.host()}")
    return unmet(COPY_FACTS, copy) or Passed(
        f"{COPY}:{TAG} in your registry is the image that Docker Hub calls {SOURCE}.",
        "It stays as it is when Docker Hub's tag moves on.",
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


@dataclass(frozen=True)
class Rules:
    """The pull-through cache rules of the registry by prefix."""

    by_prefix: dict[str, dict[str, Any]]

    @property
    def kubernetes(self) -> dict[str, Any] | None:
        return self.by_prefix.get(PREFIX)


def _prefix(rules: Rules) -> Finding | None:
    if rules.kubernetes is not None:
        return None
    near = [name for name, one in rules.by_prefix.items() if _upstream(one) == UPSTREAM]
    return Finding(
        "the prefixes of your pull-through cache rules",
        ", ".join(sorted(near)),
        "the prefix is the beginning of the name that the team pulls",
    )


def _source(rules: Rules) -> Finding | None:
    rule = rules.kubernetes or {}
    looked_at = f"the pull-through cache rule for {PREFIX}"
    if _upstream(rule) != UPSTREAM:
        return Finding(
            looked_at,
            str(rule.get("upstreamRegistryUrl")),
            "the source of a rule cannot be changed: delete the rule and make it again",
        )
    below = rule.get("upstreamRepositoryPrefix", "ROOT")
    if below != "ROOT":
        return Finding(
            looked_at,
            f"only what is below {below} there",
            "a rule may take a part of the other registry: the team needs all of it",
        )
    return None


RULE_FACTS = (
    Fact(f"under the prefix {PREFIX}", _prefix),
    Fact(f"images from {UPSTREAM}", _source),
)


def _upstream(rule: dict[str, Any]) -> str:
    return str(rule.get("upstreamRegistryUrl", "")).removeprefix("https://").rstrip("/")


def _has_the_rule(ecr: Any) -> object:
    asked = ecr.describe_pull_through_cache_rules(ecrRepositoryPrefixes=[PREFIX])
    return asked["pullThroughCacheRules"]


@check("03.2", RULE_FACTS)
def rule_for_kubernetes(world: World) -> Outcome:
    pages = world.client("ecr").get_paginator("describe_pull_through_cache_rules").paginate()
    listed = [one for page in pages for one in page["pullThroughCacheRules"]]
    rules = Rules({one["ecrRepositoryPrefix"]: one for one in listed})
    if rules.kubernetes is None and UPSTREAM not in map(_upstream, listed):
        there = regions.elsewhere(world, _has_the_rule)
        if there:
            found = regions.in_another(
                f"the rule for {PREFIX}", "the pull-through cache rules", world.region, there
            )
            return NotYet(found.looked_at, found.found, RULE_FACTS[0].says, found.suggestion)
        return NotAttempted(f"the pull-through cache rules of your registry in {world.region}")
    return unmet(RULE_FACTS, rules) or Passed(
        f"What is pulled as {PREFIX}/... comes from {UPSTREAM}.",
        f"The sandbox has no stand-in for {UPSTREAM}, so that a pull finds nothing here.",
    )
