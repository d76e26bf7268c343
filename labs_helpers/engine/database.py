"""The database of the engine's images: where it is, and its tables."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from labs_helpers.runtime.database import DatabaseFile, create

from . import locations

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
{locations.SCHEMA}
"""


def opened(root: Path) -> sqlite3.Connection:
    """The database ``images.sqlite`` under ``root``, made when missing; usable from any thread.

    A damaged one, or an empty one beside blobs, is set aside together with the blobs (a SetAside
    warning says where). Raises OSError, or sqlite3.OperationalError when the file is sound but
    cannot be used (a full disk, no rights).
    """
    return DatabaseFile(
        root / "images.sqlite",
        prepare=lambda connection: create(connection, _SCHEMA),
        what="engine's database of images",
        then="the engine starts without images, and build or pull brings them back",
        beside=(root / "blobs",),
        synchronous="NORMAL",
    ).open()
