"""Collection of the blobs that images left behind, beside pushes that may still need them.

A blob whose last image of the repository is deleted stays for `PATIENCE` of real time: a push that
was told that the repository has the blob can still put its manifest. Whoever asks for the blob
before a push (`wanted`) begins the time anew. When the time is over and no image needs the blob,
the next change of images in any repository removes the blob. A blob that was pushed and never got
an image stays until its repository goes, or until an image that needs the blob has come and gone.

ECR does not say when it removes layers; a deleted repository's are removed at once here.
"""

from __future__ import annotations

import sqlite3
import time
from datetime import timedelta

from labs_helpers.sandbox.ecr import blobs
from labs_helpers.sandbox.ecr.repositories import Repository
from labs_helpers.sandbox.ecr.store import Store

PATIENCE = timedelta(hours=1)
"""Longer than a push takes from its first question to its manifest."""

_UNNEEDED = (
    "not exists (select 1 from images join image_parts on image_parts.image_id = images.id"
    " where images.repository_id = {0}.repository_id and image_parts.digest = {0}.digest)"
)


def before_deletion(db: sqlite3.Connection, repository: Repository, image_id: int) -> None:
    """Remember the blobs of an image that is about to be deleted, in the caller's transaction."""
    db.execute(
        "insert or replace into left_blobs select repository_id, digest, ?"
        " from repository_blobs where repository_id = ?"
        " and digest in (select digest from image_parts where image_id = ?)",
        (time.time(), repository.id, image_id),
    )


def wanted(store: Store, repository: Repository, digest: str) -> None:
    """Begin the time of a blob anew, because a push is told that the repository has the blob."""
    with store.read() as db:
        found = db.execute(
            "select 1 from left_blobs where repository_id = ? and digest = ?",
            (repository.id, digest),
        ).fetchone()
    if found:
        with store.write() as db:
            wanted_within(db, repository, digest)


def wanted_within(db: sqlite3.Connection, repository: Repository, digest: str) -> None:
    """Like wanted, in the transaction of the caller."""
    db.execute(
        "update left_blobs set since = ? where repository_id = ? and digest = ?",
        (time.time(), repository.id, digest),
    )


def collect(store: Store, db: sqlite3.Connection) -> None:
    """Remove the blobs whose time is over, in the caller's transaction; files after the commit."""
    until = time.time() - PATIENCE.total_seconds()
    due = db.execute(
        "delete from left_blobs where since <= ? returning repository_id, digest", (until,)
    ).fetchall()
    if not due:
        return
    for row in due:
        db.execute(
            "delete from repository_blobs where repository_id = ? and digest = ?"
            f" and {_UNNEEDED.format('repository_blobs')}",
            tuple(row),
        )
    blobs.remove_unused(store, db)
