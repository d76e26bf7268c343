"""Evaluation of a lifecycle policy: which rule takes which image, and why the others stay.

Pure functions; times are seconds since 1970. The rules of evaluation:
https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html#lp_evaluation_rules,
with the examples of
https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_examples.html

- Rules apply in the order of their priorities, each to the images of one storage class.
- A rule identifies the images that its tag status and its tags name. It marks those that its count
  asks for. Images that a rule of higher priority has identified count, and are not marked again.
- An image that an index of the repository lists waits for the index. An artifact that refers to an
  image of the repository (a signature, an SBOM) follows that image (`artifacts`), and no rule
  identifies the artifact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from operator import attrgetter
from typing import Any, NamedTuple

from labs_helpers.sandbox.ecr.wildcards import matcher

STANDARD, ARCHIVE = "STANDARD", "ARCHIVE"

DAY = 24 * 60 * 60
"""Seconds of a day."""


class Candidate(NamedTuple):
    """What the evaluation knows of an image; sizes are bytes.

    indexes: digests of the repository's indexes that list the image; subject: digest of the image
    that this one refers to; subject_deleted_at: when the repository lost that image.
    """

    digest: str
    tags: Sequence[str]
    pushed_at: float
    size: int = 0
    pulled_at: float | None = None
    storage: str = STANDARD
    archived_at: float | None = None
    activated_at: float | None = None
    indexes: Sequence[str] = ()
    subject: str | None = None
    subject_deleted_at: float | None = None

    @property
    def in_storage_since(self) -> float:
        """When the image came to its storage class."""
        return _moved(self)


def _began(image: Candidate) -> float:
    """The push, or the return from the archive."""
    return image.activated_at or image.pushed_at


def _last_used(image: Candidate) -> float:
    if image.pulled_at is None:
        return _began(image)
    return max(image.pulled_at, image.activated_at or 0)


def _moved(image: Candidate) -> float:
    return image.archived_at or _began(image)


@dataclass(frozen=True)
class Rule:
    """One rule of a policy that `lifecycle_text.check_lifecycle_policy` accepted."""

    document: Mapping[str, Any]

    @cached_property
    def priority(self) -> int:
        """The rulePriority; the lowest number comes first."""
        return int(self.document["rulePriority"])

    @cached_property
    def expires(self) -> bool:
        """Whether the rule deletes images; otherwise the rule moves them to the archive."""
        return bool(self.document["action"]["type"] == "expire")

    @cached_property
    def storage(self) -> str:
        """The storage class whose images the rule is about."""
        return str(self._selection.get("storageClass", "standard")).upper()

    @cached_property
    def count(self) -> int:
        """The countNumber: images, or days."""
        return int(self._selection["countNumber"])

    @cached_property
    def counts_images(self) -> bool:
        """Whether the rule keeps a number of images; otherwise the rule counts days."""
        return self._count_type == "imageCountMoreThan"

    @cached_property
    def _count_type(self) -> str:
        return str(self._selection["countType"])

    @property
    def _selection(self) -> Mapping[str, Any]:
        return self.document["selection"]  # type: ignore[no-any-return]

    def identified(self, images: Iterable[Candidate]) -> list[Candidate]:
        """The images with the storage class, the tag status and all tags of the rule, in order."""
        of_class = [image for image in images if image.storage == self.storage]
        match self._selection["tagStatus"]:
            case "untagged":
                return [image for image in of_class if not image.tags]
            case "tagged":
                return [image for image in of_class if self._has_tags(image.tags)]
        return of_class

    def _has_tags(self, tags: Sequence[str]) -> bool:
        # loops, and not all() of any(), because this runs for each image of a large repository
        for fits in self._matchers:
            for tag in tags:
                if fits(tag):
                    break
            else:
                return False
        return True

    @cached_property
    def _matchers(self) -> list[Callable[[str], bool]]:
        """One for each tag that an image must have."""
        prefixes = [f"{each}*" for each in self._selection.get("tagPrefixList", ())]
        return list(map(matcher, [*prefixes, *self._selection.get("tagPatternList", ())]))

    @cached_property
    def time(self) -> Callable[[Candidate], float]:
        """What the rule reads of an image: the push, the last pull, or the move to the archive."""
        if self._count_type == "sinceImagePulled":
            return _last_used
        return _moved if self._count_type == "sinceImageTransitioned" else _began

    def due(self, image: Candidate) -> float:
        """When a rule that counts days wants the image."""
        return self.time(image) + self.count * DAY

    def marks(self, identified: Sequence[Candidate], now: float) -> list[Candidate]:
        """Those of the identified images that the count asks for, the oldest first."""
        oldest_first = sorted(identified, key=self.time)
        if self.counts_images:
            return oldest_first[: max(0, len(oldest_first) - self.count)]
        time, latest = self.time, now - self.count * DAY
        return [image for image in oldest_first if time(image) <= latest]


class Outcome(NamedTuple):
    """What becomes of an image: the rule that takes the image, or why the image stays.

    rule: of the highest priority that identified the image, None when no rule did; holder: digest
    of the image that keeps this one, an index that lists it or the subject that it refers to.
    """

    image: Candidate
    rule: Rule | None
    taken: bool
    holder: str | None = None

    @property
    def why(self) -> str:
        """Why the image stays, in words; empty for an image that is taken."""
        if self.taken:
            return ""
        if self.rule is None:
            if self.holder is None:
                return "no rule selects the image"
            gone = self.image.subject_deleted_at
            if gone is not None:
                return f"follows {short(self.holder)}, deleted {_for_people(gone)}"
            return f"goes with {short(self.holder)}, to which the artifact refers"
        if self.holder is not None:
            return f"the index {short(self.holder)} lists the image"
        if self.rule.counts_images:
            return f"among the newest {self.rule.count} of rule {self.rule.priority}"
        due = _for_people(self.rule.due(self.image))
        return f"rule {self.rule.priority} wants the image from {due}"


def rules_of(document: Mapping[str, Any]) -> list[Rule]:
    """The rules of a checked policy in the order in which they apply."""
    return sorted(map(Rule, document["rules"]), key=lambda rule: rule.priority)


def evaluate(rules: Sequence[Rule], images: Iterable[Candidate], now: float) -> list[Outcome]:
    """The outcome of each image, the oldest push first."""
    ordered = sorted(images, key=attrgetter("pushed_at", "digest"))
    by_digest = {image.digest: image for image in ordered}
    outcomes: dict[str, Outcome] = {}
    free = []
    for image in ordered:
        subject = image.subject
        if subject and (subject in by_digest or image.subject_deleted_at):
            outcomes[image.digest] = Outcome(image, None, False, subject)
        else:
            free.append(image)
    for rule in rules:
        identified = rule.identified(free)
        marked = {image.digest for image in rule.marks(identified, now)}
        for image in identified:
            digest = image.digest
            if digest in outcomes:
                continue
            holder = _holder(rule, image, by_digest) if digest in marked and image.indexes else None
            outcomes[digest] = Outcome(image, rule, digest in marked and holder is None, holder)
    return [outcomes.get(image.digest) or Outcome(image, None, False) for image in ordered]


def next_due(rules: Sequence[Rule], images: Iterable[Candidate], now: float) -> float | None:
    """The next time after `now` at which a rule that counts days wants another image, or None."""
    candidates = list(images)
    times = [
        rule.due(image)
        for rule in rules
        if not rule.counts_images
        for image in rule.identified(candidates)
    ]
    return min((time for time in times if time > now), default=None)


def short(digest: str) -> str:
    """A digest for people: its first 12 characters after the algorithm."""
    return digest.split(":")[-1][:12]


def _for_people(time: float) -> str:
    return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d %H:%M} UTC"


def _holder(rule: Rule, image: Candidate, by_digest: Mapping[str, Candidate]) -> str | None:
    """The digest of an index that keeps the image from the rule, or None."""
    for index in image.indexes:
        if rule.expires or by_digest[index].storage != ARCHIVE:
            return index
    return None
