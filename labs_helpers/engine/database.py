"""The database of the engine's images: its tables, and what is done with a damaged one."""

from __future__ import annotations

import sqlite3
import warnings
from datetime import UTC, datetime
from pathlib import Path

from labs_helpers.workspace import SetAside

_SCHEMA = """
CREATE TABLE IF NOT EXISTS images (
    id TEXT PRIMARY KEY, config BLOB NOT NULL, parent TEXT, tagged REAL NOT NULL);
CREATE TABLE IF NOT EXISTS layers (
    image TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE, place INTEGER NOT NULL,
    diff_id TEXT NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL,
    media_type TEXT NOT NULL, unpacked INTEGER NOT NULL, PRIMARY KEY (image, place));
CREATE INDEX IF NOT EXISTS layers_by_digest ON layers(digest);
CREATE TABLE IF NOT EXISTS names (
    name TEXT PRIMARY KEY, image TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE);
CREATE TABLE IF NOT EXISTS locations (
    digest TEXT NOT NULL, repository TEXT NOT NULL, seen REAL NOT NULL,
    PRIMARY KEY (digest, repository));
"""


def opened(root: Path) -> sqlite3.Connection:
    """The database ``images.sqlite`` under ``root``, made when missing; usable from any thread.

    A damaged one, or an empty one beside blobs, is set aside together with the blobs (a SetAside
    warning says where). Raises OSError, or sqlite3.OperationalError when the file is sound but
    cannot be used (a full disk, no rights).
    """
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        return _checked(root)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        _set_aside(root, error)
        return _checked(root)


def _checked(root: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(root / "images.sqlite", check_same_thread=False, timeout=30)
    try:
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if problem != "ok":
            raise sqlite3.DatabaseError(problem)
        new = not connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        if new and any((root / "blobs").glob("sha256/*")):
            # a start removes the blobs that no image has: here, all of them
            raise sqlite3.DatabaseError("it is empty, and there are layers beside it")
        with connection:
            connection.executescript(_SCHEMA)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _set_aside(root: Path, error: sqlite3.DatabaseError) -> None:
    aside = root / f"damaged-{datetime.now(UTC):%Y%m%dT%H%M%S%f}Z"
    aside.mkdir(mode=0o700)
    for path in [*root.glob("images.sqlite*"), root / "blobs"]:
        if path.exists():
            path.rename(aside / path.name)
    warnings.warn(
        f"The engine's database of images was damaged ({error}). It is kept in {aside}; "
        "the engine starts without images, and build or pull brings them back.",
        SetAside,
        stacklevel=2,
    )
