"""Blobs as files: put in place whole or not at all, removed once nobody holds them."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from labs_helpers.sandbox.ecr.store import Store


def place(store: Store, source: Path, digest: str) -> None:
    """Give the finished file its final name; on disk, name and all, when this returns.

    The bytes of `source` must be on disk already (fsync). To be called within a write
    transaction, so that nobody removes the file as unused in between.
    """
    target = store.blob_path(digest)
    for folder in (target.parent.parent, target.parent):
        folder.mkdir(mode=0o700, exist_ok=True)
    source.replace(target)
    for folder in (target.parent, target.parent.parent, store.blobs):
        sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_unused(store: Store, db: sqlite3.Connection) -> None:
    """Delete the rows of blobs that no repository holds, and their files after the commit."""
    rows = db.execute(
        "delete from blobs where not exists"
        " (select 1 from repository_blobs where repository_blobs.digest = blobs.digest)"
        " returning digest"
    ).fetchall()
    digests = [row["digest"] for row in rows]
    if digests:
        store.after_commit(lambda: _unlink(store, digests))


def _unlink(store: Store, digests: Iterable[str]) -> None:
    """Remove the files of blobs that still have no row; who has a file open can read on."""
    with store.write() as db:  # so that nobody puts a blob in place meanwhile
        for digest in digests:
            if not db.execute("select 1 from blobs where digest = ?", (digest,)).fetchone():
                store.blob_path(digest).unlink(missing_ok=True)
