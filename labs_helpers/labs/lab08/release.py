"""The image that lab 08's exercises are about, in the registry, and ECR's scan of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from labs_helpers import gate
from labs_helpers.checks import images, layers
from labs_helpers.checks.goal import Finding
from labs_helpers.checks.pushed import Pushed, pushed
from labs_helpers.checks.world import World

IMAGE = "myapp:1.1.0"
REPOSITORY, RELEASE = "myapp", "1.1.0"
NEW_BASE = "nginx:alpine"
WAIT = 2.0
"""Seconds that a check waits for a scan that was just asked for."""

_ADVICE = {
    "NONE": "no rule has it scanned: the registry's rules were to ask for enhanced scanning",
    "UNSUPPORTED_IMAGE": "ECR cannot read this image: which base does it have?",
    "FAILED": "the description in the scan's answer says what went wrong",
}


@dataclass(frozen=True)
class Release:
    """The image under its tag, and ECR's scan of it."""

    world: World
    tags: dict[str, str]

    @cached_property
    def scan(self) -> gate.Scan:
        return gate.fetch(self.world.client("ecr"), gate.parse(IMAGE), wait=WAIT)

    @cached_property
    def image(self) -> Pushed | None:
        registry = self.world.ask_registry(self.world.host(), self.world.fresh_login())
        return pushed(registry, REPOSITORY, RELEASE)

    @cached_property
    def base(self) -> list[str]:
        """The digests of the new base's layers; empty where the base is not on this machine."""
        local = images.find(NEW_BASE)
        return images.diff_ids(local) if local is not None else []

    @cached_property
    def files(self) -> dict[str, str]:
        """What the image adds to its base."""
        if self.image is None:
            return {}
        own = layers.begins_with(self.image.diff_ids, self.base)
        return layers.visible(self.image.files(len(self.base) if own else 0))


def scanned(release: Release) -> Finding | None:
    """What is wrong with the scan, when it is not complete and enhanced."""
    looked_at = f"ECR's scan of {IMAGE}"
    if not release.scan.complete:
        suggestion = _ADVICE.get(release.scan.status, "wait a little, then look again")
        return Finding(looked_at, f"status {release.scan.status}", suggestion)
    if release.scan.kind != "ENHANCED":
        return Finding(
            looked_at,
            "a scan of type BASIC",
            "basic scanning does not read PyYAML: this lab switched to the other type",
        )
    return None


def tags(ecr: Any) -> dict[str, str]:
    """Tag -> digest of myapp; empty when there is no such repository."""
    pages = ecr.get_paginator("list_images").paginate(
        repositoryName=REPOSITORY, filter={"tagStatus": "TAGGED"}
    )
    try:
        return {one["imageTag"]: one["imageDigest"] for page in pages for one in page["imageIds"]}
    except ecr.exceptions.RepositoryNotFoundException:
        return {}
