"""Blobs (layers and configurations) that a repository holds: find, open, mount, delete.

Source: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchCheckLayerAvailability.html
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import BinaryIO

from labs_helpers.sandbox.ecr import blobs, collection, errors
from labs_helpers.sandbox.ecr.repositories import Registry, Repository
from labs_helpers.sandbox.ecr.store import Store


@dataclass(frozen=True)
class Blob:
    """A blob that a repository holds; size in bytes."""

    digest: str
    size: int


def find(store: Store, repository: Repository, digest: str) -> Blob | None:
    """The blob if this repository holds it, else None."""
    with store.read() as db:
        row = db.execute(
            "select blobs.digest, blobs.size from repository_blobs"
            " join blobs on blobs.digest = repository_blobs.digest"
            " where repository_id = ? and blobs.digest = ?",
            (repository.id, digest),
        ).fetchone()
    # a blob whose file is lost counts as missing, so that the next push brings the file back
    if row is None or not store.blob_path(digest).exists():
        return None
    return Blob(row["digest"], row["size"])


def find_for_push(store: Store, repository: Repository, digest: str) -> Blob | None:
    """Like find, for a client that will not push a blob that the repository has."""
    # before the answer: what is collected after that was not found
    collection.wanted(store, repository, digest)
    return find(store, repository, digest)


def open_blob(store: Store, repository: Repository, digest: str) -> tuple[Blob, BinaryIO]:
    """The blob and its bytes, open for reading; raises LayersNotFound."""
    blob = find(store, repository, digest)
    if blob is None:
        raise errors.LayersNotFound(digest=digest, **repository.names)
    try:
        return blob, store.blob_path(digest).open("rb")
    except FileNotFoundError as error:
        raise errors.LayersNotFound(digest=digest, **repository.names) from error


def mount(store: Store, source: Repository, target: Repository, digest: str) -> Blob | None:
    """Let `target` hold a blob of `source` without copying bytes; None when that is impossible.

    Both must be in one registry and have the same encryption, as AWS requires
    (https://docs.aws.amazon.com/AmazonECR/latest/userguide/blob-mounting.html).
    """
    if source.registry != target.registry or source.encryption != target.encryption:
        return None
    with store.write() as db:
        if not holds(db, source, digest):
            return None
        if not db.execute("select 1 from repositories where id = ?", (target.id,)).fetchone():
            return None
        link(store, db, target, digest)
    return find(store, target, digest)


def is_referenced(store: Store, repository: Repository, digest: str) -> bool:
    """Whether an image of the repository is made of the blob."""
    with store.read() as db:
        return _needed(db, repository, digest)


def holders(store: Store, registry: Registry, digest: str) -> list[str]:
    """The names of the registry's repositories that hold a blob."""
    with store.read() as db:
        rows = db.execute(
            "select name from repositories join repository_blobs on repository_id = repositories.id"
            " where account = ? and region = ? and digest = ? order by name",
            (registry.account, registry.region, digest),
        ).fetchall()
    return [row["name"] for row in rows]


def delete(store: Store, repository: Repository, digest: str) -> None:
    """Remove a blob from a repository.

    Raises LayersNotFound when the repository does not hold the blob, InvalidParameter when one of
    its images needs the blob.
    """
    with store.write() as db:
        if not holds(db, repository, digest):
            raise errors.LayersNotFound(digest=digest, **repository.names)
        if _needed(db, repository, digest):
            raise errors.InvalidParameter(
                f"The layer with digest '{digest}' is referenced by an image in the repository "
                f"with name '{repository.name}'"
            )
        db.execute(
            "delete from repository_blobs where repository_id = ? and digest = ?",
            (repository.id, digest),
        )
        blobs.remove_unused(store, db)


def holds(db: sqlite3.Connection, repository: Repository, digest: str) -> bool:
    """Whether the repository holds the blob, by the database."""
    row = db.execute(
        "select 1 from repository_blobs where repository_id = ? and digest = ?",
        (repository.id, digest),
    ).fetchone()
    return row is not None


def link(store: Store, db: sqlite3.Connection, repository: Repository, digest: str) -> None:
    """Let the repository hold a stored blob."""
    collection.wanted_within(db, repository, digest)
    db.execute(
        "insert or ignore into repository_blobs values (?, ?, ?)",
        (repository.id, digest, store.clock.now().timestamp()),
    )


def _needed(db: sqlite3.Connection, repository: Repository, digest: str) -> bool:
    row = db.execute(
        "select 1 from image_parts join images on images.id = image_parts.image_id"
        " where images.repository_id = ? and image_parts.digest = ? limit 1",
        (repository.id, digest),
    ).fetchone()
    return row is not None
