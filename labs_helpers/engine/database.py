"""The engine's SQLite tables: the images, and the repositories that are known to have a blob."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path

from labs_helpers.runtime.database import DatabaseFile, create

LOCATIONS_SCHEMA = """
CREATE TABLE IF NOT EXISTS locations (
    digest TEXT NOT NULL, repository TEXT NOT NULL, seen REAL NOT NULL,
    PRIMARY KEY (digest, repository));
"""
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS images (
    id TEXT PRIMARY KEY, config BLOB NOT NULL, parent TEXT, tagged REAL NOT NULL);
CREATE TABLE IF NOT EXISTS layers (
    image TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE, place INTEGER NOT NULL,
    diff_id TEXT NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL,
    media_type TEXT NOT NULL, unpacked INTEGER NOT NULL, PRIMARY KEY (image, place));
CREATE INDEX IF NOT EXISTS layers_by_digest ON layers(digest);
CREATE TABLE IF NOT EXISTS names (
    name TEXT PRIMARY KEY, image TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE);
{LOCATIONS_SCHEMA}
"""


def open_database(root: Path) -> sqlite3.Connection:
    """Open ``images.sqlite`` in the folder ``root``, created when missing; usable from any thread.

    A damaged database, and an empty one beside blobs, is set aside together with the blobs; a
    SetAside warning says where. Raises OSError, or sqlite3.OperationalError when the file is sound
    but cannot be used (the disk is full, the rights are missing).
    """
    return DatabaseFile(
        root / "images.sqlite",
        prepare=lambda connection: create(connection, _SCHEMA),
        what="engine's database of images",
        then="the engine starts without images, and build or pull brings them back",
        beside=(root / "blobs",),
        synchronous="NORMAL",
    ).open()


class BlobLocations:
    """The repositories known to have a blob. A push mounts the blob from there and sends no bytes.

    Reads and writes the table of LOCATIONS_SCHEMA, and holds ``lock`` meanwhile.
    """

    def __init__(self, database: sqlite3.Connection, lock: AbstractContextManager[bool]) -> None:
        self._db = database
        self._lock = lock

    def remember_location(self, digest: str, repository: str) -> None:
        """Record that a repository (``registry/path``) has this blob."""
        with self._lock, self._db:
            self._db.execute(
                "INSERT OR REPLACE INTO locations VALUES (?, ?, ?)",
                (digest, repository, time.time()),
            )

    def locations(self, digest: str) -> Iterable[str]:
        """The repositories known to have a blob, the most recently seen first."""
        with self._lock:
            rows = self._db.execute(
                "SELECT repository FROM locations WHERE digest = ? ORDER BY seen DESC, repository",
                (digest,),
            ).fetchall()
        return [row[0] for row in rows]
