"""Which repositories are known to have a blob: a push mounts it from there, and sends no bytes."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager

SCHEMA = """
CREATE TABLE IF NOT EXISTS locations (
    digest TEXT NOT NULL, repository TEXT NOT NULL, seen REAL NOT NULL,
    PRIMARY KEY (digest, repository));
"""


class Locations:
    """What a database with the table of ``SCHEMA`` knows; ``lock`` is held while it is asked."""

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
        """The repositories known to have a blob, the latest seen first."""
        with self._lock:
            rows = self._db.execute(
                "SELECT repository FROM locations WHERE digest = ? ORDER BY seen DESC, repository",
                (digest,),
            ).fetchall()
        return [row[0] for row in rows]
