"""Artifacts (signatures, SBOMs) follow the image that they refer to, their subject.

Lifecycle policies expire or archive them within 24 hours of the deletion or the archival of their
subject (https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html#lp_evaluation_rules),
and not before they have been 24 hours in their storage class
(https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-signing.html). So the next run of the
repository's policy does it, whoever deleted the subject. The guide names nothing else that would:
in a repository without a policy artifacts stay.

An artifact whose subject was never in the repository is an image like others.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from labs_helpers.sandbox.ecr.lifecycle import ARCHIVE, DAY, STANDARD, Candidate
from labs_helpers.sandbox.ecr.repositories import Repository

LEAST = DAY
"""How many seconds an artifact stays in its storage class before it follows its subject."""


def subject_deleted(db: sqlite3.Connection, repository: Repository, digest: str, at: float) -> None:
    """Remember which artifacts an image leaves behind, in the transaction that deletes the image.

    at: seconds since 1970 by the sandbox's clock.
    """
    db.execute(
        "insert or ignore into left_artifacts select id, ? from images"
        " where repository_id = ? and subject = ?",
        (at, repository.id, digest),
    )


def subject_pushed(db: sqlite3.Connection, repository: Repository, digest: str) -> None:
    """Let the artifacts of an image that came back stay, in the transaction of the push."""
    db.execute(
        "delete from left_artifacts where image_id in"
        " (select id from images where repository_id = ? and subject = ?)",
        (repository.id, digest),
    )


def due(images: Iterable[Candidate], now: float) -> tuple[list[Candidate], list[Candidate]]:
    """The artifacts that a run at `now` expires, and those that it archives."""
    expired: list[Candidate] = []
    archived: list[Candidate] = []
    for artifact, at, deleted in _following(images):
        if at <= now:
            (expired if deleted else archived).append(artifact)
    return expired, archived


def next_due(images: Iterable[Candidate], now: float) -> float | None:
    """The next time after `now` from which another artifact may follow its subject, or None."""
    return min((at for _, at, _ in _following(images) if at > now), default=None)


def _following(images: Iterable[Candidate]) -> list[tuple[Candidate, float, bool]]:
    """The artifacts that follow a subject: from when on, and whether the subject is deleted.

    What an index of the repository lists waits for the index.
    """
    found = []
    candidates = list(images)
    by_digest = {each.digest: each for each in candidates if each.storage == ARCHIVE}
    for each in candidates:
        if each.subject is None or each.indexes:
            continue
        ready = each.in_storage_since + LEAST
        if each.subject_deleted_at is not None:
            found.append((each, max(each.subject_deleted_at, ready), True))
        elif each.storage == STANDARD and each.subject in by_digest:
            moved = by_digest[each.subject].in_storage_since
            found.append((each, max(moved, ready), False))
    return found
