"""What is known of images between two requests: which blobs layers were, which names we gave.

No layers are kept here: they are in the daemon and in the registry. Records are small, in one
SQLite database, and may be lost: then layers are compressed and sent once more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from labs_helpers.database import DatabaseFile, create
from labs_helpers.oci import manifest as manifests
from labs_helpers.oci.manifest import Manifest

from ..blobs import Layer
from ..database import LOCATIONS_SCHEMA, BlobLocations

RECORDS = "front.sqlite"
"""The file in the engine's folder."""

_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS configs (image TEXT PRIMARY KEY, config BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS manifests (
    image TEXT NOT NULL, place INTEGER NOT NULL, media_type TEXT NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (image, place));
CREATE TABLE IF NOT EXISTS layers (
    diff_id TEXT PRIMARY KEY, digest TEXT NOT NULL, size INTEGER NOT NULL,
    media_type TEXT NOT NULL, unpacked INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS names (
    daemon TEXT NOT NULL, name TEXT NOT NULL, image TEXT NOT NULL, before TEXT,
    PRIMARY KEY (daemon, name));
CREATE TABLE IF NOT EXISTS digests (name TEXT PRIMARY KEY, image TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS daemons (address TEXT PRIMARY KEY, seen REAL NOT NULL);
{LOCATIONS_SCHEMA}
"""


class Memory(BlobLocations):
    """The records; usable from several threads of one process."""

    def __init__(self, path: Path) -> None:
        file = DatabaseFile(
            path,
            prepare=lambda connection: create(connection, _SCHEMA),
            what="engine's memory of your Docker's images",
            then="images are compressed and sent once more",
        )
        super().__init__(file.open(), threading.Lock())
        self.daemon: str = self._one("SELECT address FROM daemons ORDER BY seen DESC LIMIT 1") or ""
        """The address of the daemon that is, or was last, served for."""

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._db.close()

    def remember_daemon(self, address: str) -> None:
        """Note the daemon that all records are about from now on.

        What was known of another one's images is forgotten, but for the names given there.
        """
        if self.daemon != address:
            for table in ("configs", "manifests", "digests"):
                self._write(f"DELETE FROM {table}")
        self._write("INSERT OR REPLACE INTO daemons VALUES (?, ?)", address, time.time())
        self.daemon = address

    def config(self, image: str) -> bytes | None:
        """The configuration of a daemon's image, by the daemon's ID."""
        found: bytes | None = self._one("SELECT config FROM configs WHERE image = ?", image)
        return found

    def remember_config(self, image: str, config: bytes) -> None:
        """Note the configuration of a daemon's image."""
        self._write("INSERT OR REPLACE INTO configs VALUES (?, ?)", image, config)

    def manifests(self, image: str) -> list[Manifest]:
        """The manifests that a daemon's image is pushed with; none where they are made from it."""
        with self._lock:
            rows = self._db.execute(
                "SELECT body, media_type FROM manifests WHERE image = ? ORDER BY place", (image,)
            ).fetchall()
        return [manifests.parse(body, media_type) for body, media_type in rows]

    def remember_manifests(self, image: str, found: Iterable[Manifest]) -> None:
        """Note the manifests that a daemon's image is pushed with, the one for the tag last."""
        for place, one in enumerate(found):
            row = (image, place, one.media_type, one.body)
            self._write("INSERT OR REPLACE INTO manifests VALUES (?, ?, ?, ?)", *row)

    def layer(self, diff_id: str) -> Layer | None:
        """The blob that a layer was last sent or received as."""
        with self._lock:
            row = self._db.execute(
                "SELECT diff_id, digest, size, media_type, unpacked FROM layers WHERE diff_id = ?",
                (diff_id,),
            ).fetchone()
        return Layer(*row) if row else None

    def remember_layer(self, layer: Layer) -> None:
        """Note which blob a layer is."""
        self._write(
            "INSERT OR REPLACE INTO layers VALUES (?, ?, ?, ?, ?)",
            *(layer.diff_id, layer.digest, layer.size, layer.media_type, layer.unpacked),
        )

    def daemons(self) -> list[str]:
        """The addresses of the daemons that were served for, the latest first."""
        with self._lock:
            rows = self._db.execute("SELECT address FROM daemons ORDER BY seen DESC").fetchall()
        return [row[0] for row in rows]

    def names(self, daemon: str | None = None) -> list[tuple[str, str, str | None]]:
        """The names given in a daemon: name, image, and the image that had it before."""
        with self._lock:
            rows = self._db.execute(
                "SELECT name, image, before FROM names WHERE daemon = ? ORDER BY name",
                (self.daemon if daemon is None else daemon,),
            )
            return rows.fetchall()

    def remember_name(self, name: str, image: str, before: str | None) -> None:
        """Note a name that an image was given, and whose it was the first time that it was."""
        self._write(
            "INSERT INTO names VALUES (?, ?, ?, ?)"
            " ON CONFLICT (daemon, name) DO UPDATE SET image = ?",
            *(self.daemon, name, image, before, image),
        )

    def forget_name(self, daemon: str, name: str) -> None:
        """Forget a name, or a digest, that is no more."""
        self._write("DELETE FROM names WHERE daemon = ? AND name = ?", daemon, name)
        if daemon == self.daemon:
            self._write("DELETE FROM digests WHERE name = ?", name)

    def carry(self, other: Memory) -> None:
        """Take over what another memory knows of names and of daemons."""
        with other._lock:
            names = other._db.execute("SELECT daemon, name, image, before FROM names").fetchall()
            daemons = other._db.execute("SELECT address, seen FROM daemons").fetchall()
        for row in names:
            self._write("INSERT OR IGNORE INTO names VALUES (?, ?, ?, ?)", *row)
        for row in daemons:
            self._write("INSERT OR IGNORE INTO daemons VALUES (?, ?)", *row)

    def digests(self) -> list[tuple[str, str]]:
        """``repository@digest`` and the image, of the daemon that is or was last served for."""
        with self._lock:
            return self._db.execute("SELECT name, image FROM digests ORDER BY name").fetchall()

    def digest(self, name: str) -> str | None:
        """The daemon's image of ``repository@digest``."""
        found: str | None = self._one("SELECT image FROM digests WHERE name = ?", name)
        return found

    def remember_digest(self, name: str, image: str) -> None:
        """Note which of the daemon's images a repository has under a digest."""
        self._write("INSERT OR REPLACE INTO digests VALUES (?, ?)", name, image)

    def _one(self, query: str, *key: str) -> Any:
        with self._lock:
            row = self._db.execute(query, key).fetchone()
        return row[0] if row else None

    def _write(self, statement: str, *values: object) -> None:
        with self._lock, self._db:
            self._db.execute(statement, values)
