"""The files of blobs: each is put in place whole, and removed when no repository holds the blob."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from labs_helpers.sandbox.ecr.store import Store


def place(store: Store, source: Path, digest: str) -> None:
    """Give the finished file its final name, and write the name to disk.

    The bytes of `source` must be on disk already (fsync). Call this within a transaction, so that
    nobody removes the file as unused meanwhile.
    """
    target = store.blob_path(digest)
    for folder in (target.parent.parent, target.parent):
        folder.mkdir(mode=0o700, exist_ok=True)
    source.replace(target)
    sync_folder(target.parent)
    for folder in (target.parent, target.parent.parent):
        if folder not in store.named:  # its own name may not be on the disk yet
            sync_folder(folder.parent)
            store.named.add(folder)


def sync_folder(folder: Path) -> None:
    """Write the names in a folder to disk."""
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
    """Remove the files of blobs that still have no row; whoever has a file open can read on."""
    with store.write() as db:  # nobody puts a blob in place meanwhile
        for digest in digests:
            if not db.execute("select 1 from blobs where digest = ?", (digest,)).fetchone():
                store.blob_path(digest).unlink(missing_ok=True)
