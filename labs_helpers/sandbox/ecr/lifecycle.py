"""Evaluation of a lifecycle policy: which rule takes which image, and why the others stay.

Pure functions. The rules of evaluation:
https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html#lp_evaluation_rules,
with the examples of
https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_examples.html

- Rules apply in the order of their priorities, each to the images of one storage class.
- A rule identifies the images that its tag status and its tags name. It marks those that its count
  asks for. Images that a rule of higher priority has identified count, and are not marked again.
- An image that an index of the repository lists waits for the index. An artifact that refers to an
  image of the repository (a signature, an SBOM) goes with that image, and no rule identifies the
  artifact: https://docs.aws.amazon.com/AmazonECR/latest/userguide/images.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from labs_helpers.sandbox.ecr.wildcards import matches

STANDARD, ARCHIVE = "STANDARD", "ARCHIVE"

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Candidate:
    """What the evaluation knows of an image; times are aware, sizes are bytes.

    indexes: digests of the repository's indexes that list the image; subject: digest of the image
    of the repository that this one refers to.
    """

    digest: str
    tags: tuple[str, ...]
    pushed_at: datetime
    size: int = 0
    pulled_at: datetime | None = None
    storage: str = STANDARD
    archived_at: datetime | None = None
    activated_at: datetime | None = None
    indexes: tuple[str, ...] = ()
    subject: str | None = None

    @property
    def began_at(self) -> datetime:
        """The push, or the return from the archive: what age is counted from."""
        return self.activated_at or self.pushed_at


@dataclass(frozen=True)
class Rule:
    """One rule of a policy that `lifecycle_text.check_lifecycle_policy` accepted."""

    document: Mapping[str, Any]

    @property
    def priority(self) -> int:
        """The rulePriority; the lowest number comes first."""
        return int(self.document["rulePriority"])

    @property
    def expires(self) -> bool:
        """Whether the rule deletes images; otherwise the rule moves them to the archive."""
        return bool(self.document["action"]["type"] == "expire")

    @property
    def storage(self) -> str:
        """The storage class whose images the rule is about."""
        return str(self._selection.get("storageClass", "standard")).upper()

    @property
    def count(self) -> int:
        """The countNumber: images, or days."""
        return int(self._selection["countNumber"])

    @property
    def counts_images(self) -> bool:
        """Whether the rule keeps a number of images; otherwise the rule counts days."""
        return bool(self._selection["countType"] == "imageCountMoreThan")

    @property
    def _selection(self) -> Mapping[str, Any]:
        return self.document["selection"]  # type: ignore[no-any-return]

    def identifies(self, image: Candidate) -> bool:
        """Whether the image has the storage class, the tag status and all tags of the rule."""
        if image.storage != self.storage:
            return False
        match self._selection["tagStatus"]:
            case "untagged":
                return not image.tags
            case "tagged":
                return all(
                    any(matches(pattern, tag) for tag in image.tags) for pattern in self._patterns
                )
        return True

    @property
    def _patterns(self) -> list[str]:
        prefixes = [f"{each}*" for each in self._selection.get("tagPrefixList", ())]
        return [*prefixes, *self._selection.get("tagPatternList", ())]

    def time(self, image: Candidate) -> datetime:
        """The time that the rule reads: of the push, the last pull, or the move to the archive."""
        match self._selection["countType"]:
            case "sinceImagePulled":
                if image.pulled_at is None:
                    return image.began_at
                return max(image.pulled_at, image.activated_at or _NEVER)
            case "sinceImageTransitioned":
                return image.archived_at or image.began_at
        if self.storage == ARCHIVE and image.archived_at:
            return image.archived_at
        return image.began_at

    def due(self, image: Candidate) -> datetime:
        """When a rule that counts days wants the image."""
        return self.time(image) + timedelta(days=self.count)

    def marks(self, identified: Sequence[Candidate], now: datetime) -> list[Candidate]:
        """Those of the identified images that the count asks for, the oldest first."""
        oldest_first = sorted(identified, key=lambda image: (self.time(image), image.digest))
        if self.counts_images:
            return oldest_first[: max(0, len(oldest_first) - self.count)]
        return [image for image in oldest_first if self.due(image) <= now]


@dataclass(frozen=True)
class Outcome:
    """What becomes of an image: the rule that takes the image, or why the image stays.

    rule: of the highest priority that identified the image, None when no rule did.
    """

    image: Candidate
    rule: Rule | None
    taken: bool
    why: str


def rules_of(document: Mapping[str, Any]) -> list[Rule]:
    """The rules of a checked policy in the order in which they apply."""
    return sorted(map(Rule, document["rules"]), key=lambda rule: rule.priority)


def evaluate(rules: Sequence[Rule], images: Iterable[Candidate], now: datetime) -> list[Outcome]:
    """The outcome of each image, the oldest push first."""
    ordered = sorted(images, key=lambda image: (image.pushed_at, image.digest))
    by_digest = {image.digest: image for image in ordered}
    outcomes: dict[str, Outcome] = {}
    for image in ordered:
        if image.subject in by_digest:
            why = f"goes with {short(str(image.subject))}, to which the artifact refers"
            outcomes[image.digest] = Outcome(image, None, False, why)
    free = [image for image in ordered if image.digest not in outcomes]
    for rule in rules:
        identified = [image for image in free if rule.identifies(image)]
        marked = {image.digest for image in rule.marks(identified, now)}
        for image in identified:
            if image.digest not in outcomes:
                outcomes[image.digest] = _outcome(rule, image, image.digest in marked, by_digest)
    for image in free:
        nobody = Outcome(image, None, False, "no rule selects the image")
        outcomes.setdefault(image.digest, nobody)
    return [outcomes[image.digest] for image in ordered]


def next_due(rules: Sequence[Rule], images: Iterable[Candidate], now: datetime) -> datetime | None:
    """The next time after `now` at which a rule that counts days wants another image, or None."""
    candidates = list(images)
    times = [
        rule.due(image)
        for rule in rules
        if not rule.counts_images
        for image in candidates
        if rule.identifies(image)
    ]
    return min((time for time in times if time > now), default=None)


def short(digest: str) -> str:
    """A digest for people: its first 12 characters after the algorithm."""
    return digest.split(":")[-1][:12]


def _outcome(
    rule: Rule, image: Candidate, marked: bool, by_digest: Mapping[str, Candidate]
) -> Outcome:
    if not marked:
        return Outcome(image, rule, False, _kept(rule, image))
    for index in image.indexes:
        if rule.expires or by_digest[index].storage != ARCHIVE:
            return Outcome(image, rule, False, f"the index {short(index)} lists the image")
    return Outcome(image, rule, True, "")


def _kept(rule: Rule, image: Candidate) -> str:
    if rule.counts_images:
        return f"among the newest {rule.count} of rule {rule.priority}"
    return f"rule {rule.priority} wants the image from {rule.due(image):%Y-%m-%d %H:%M} UTC"
