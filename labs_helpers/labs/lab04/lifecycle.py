"""What a lifecycle policy leaves in a repository: check 04.2.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from labs_helpers.checks.goal import Fact, Finding

REPAIRED = "payments/api"
PRODUCTION = "prod"
VERSION = "1.1"
KEPT = 3
_VERSION_OF = "org.opencontainers.image.version"


@dataclass(frozen=True)
class Left:
    """The images of the repository, as DescribeImages lists them, and its lifecycle policy.

    ``archived`` counts the images that a policy or a person archived: they are none of ``images``.
    """

    ecr: Any
    images: list[dict[str, Any]]
    policy: dict[str, Any]
    evaluated: datetime | None
    archived: int = 0
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
    def rules(self) -> list[dict[str, Any]]:
        """The rules of the policy in the order in which ECR applies them."""
        return sorted(self.policy.get("rules", ()), key=lambda one: int(one["rulePriority"]))

    def rule_of(self, image: Mapping[str, Any]) -> dict[str, Any] | None:
        """The first rule that an image's tags fit: no later rule takes the image."""
        return next((one for one in self.rules if _fits(one["selection"], image)), None)

    @property
    def said(self) -> str:
        """The names of all images, the newest first."""
        listed = sorted(self.images, key=lambda one: one["imagePushedAt"], reverse=True)
        return ", ".join(map(_called, listed)) or "no image"


def _called(image: dict[str, Any]) -> str:
    return "+".join(sorted(image.get("imageTags", ()))) or image["imageDigest"][:19]


def _fits(selection: Mapping[str, Any], image: Mapping[str, Any]) -> bool:
    """Whether an image is one of those that a rule selects, whatever the rule counts."""
    tags = image.get("imageTags") or ()
    if selection["tagStatus"] != "tagged":
        return selection["tagStatus"] == "any" or not tags
    patterns = selection.get("tagPatternList")
    if patterns is None:
        patterns = [f"{one}*" for one in selection.get("tagPrefixList", ())]
    escaped = [one.replace("[", "[[]") for one in patterns]
    return all(any(fnmatch.fnmatchcase(tag, one) for tag in tags) for one in escaped)


def _by_age(rule: Mapping[str, Any] | None) -> str:
    """When a rule takes an image for its age, in words; "" for one that counts images, or none."""
    if rule is None or not str(rule["selection"]["countType"]).startswith("since"):
        return ""
    selection = rule["selection"]
    days = f"{selection['countNumber']} {selection.get('countUnit', 'days')}"
    return f"rule {rule['rulePriority']} takes an image after {days} ({selection['countType']})"


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
    if not left.policy:
        return Finding(
            looked_at,
            "there is no policy",
            "a repository without a policy keeps every image: the ticket wants older ones to go",
        )
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
        if not (taken := _by_age(left.rule_of(production))):
            return None
        return Finding(looked_at, taken, "prod may be older than that one day, and still be prod")
    return Finding(
        looked_at,
        f"prod is among the {KEPT} newest images: {left.said}",
        "that proves nothing yet: let a month pass, with the releases of the cell below yours",
    )


def _newest_stay(left: Left) -> Finding | None:
    if len(left.others) >= KEPT:
        taken = (_by_age(left.rule_of(one)) for one in left.others[:KEPT])
        if not (age := next(filter(None, taken), "")):
            return None
        return Finding(
            f"the lifecycle policy of {REPAIRED}",
            age,
            "nothing may be released for a month: which images are left then?",
        )
    return Finding(
        f"the images of {REPAIRED}",
        left.said,
        "which rule took the newer ones? lab.lifecycle shows what each rule is about",
    )


def _older_go(left: Left) -> Finding | None:
    if len(left.others) <= KEPT:
        if not left.archived:
            return None
        return Finding(
            f"the images of {REPAIRED}",
            f"{left.archived} archived",
            "an image in the archive is still in the repository, and on the bill",
        )
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


def left_in(ecr: Any, on_aws: bool) -> Left | None:
    """What the repository holds; None where there is no such repository."""
    try:
        pages = ecr.get_paginator("describe_images")
        found = [
            image
            for page in pages.paginate(repositoryName=REPAIRED, filter={"imageStatus": "ANY"})
            for image in page["imageDetails"]
        ]
    except ecr.exceptions.RepositoryNotFoundException:
        return None
    images = [one for one in found if one.get("imageStatus", "ACTIVE") == "ACTIVE"]
    archived = len(found) - len(images)
    try:
        put = ecr.get_lifecycle_policy(repositoryName=REPAIRED)
    except ecr.exceptions.LifecyclePolicyNotFoundException:
        return Left(ecr, images, {}, None, archived, on_aws)
    evaluated = put.get("lastEvaluatedAt")
    never = evaluated is None or evaluated.year == 1970
    policy = json.loads(put["lifecyclePolicyText"])
    return Left(ecr, images, policy, None if never else evaluated, archived, on_aws)
