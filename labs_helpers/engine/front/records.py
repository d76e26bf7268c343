"""Records about a daemon's images, which a front needs in later requests.

They say which compressed blob a layer is, with which manifests an image is pushed, which names
pulls and pushes gave, and which image a registry's digest means. They lie in one small SQLite
database; the layers are in the daemon and in the registry. Without the database, the next push
compresses and sends its layers once more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from labs_helpers.oci import manifest as manifests
from labs_helpers.oci import reference as references
from labs_helpers.oci.manifest import Manifest
from labs_helpers.oci.reference import InvalidReference
from labs_helpers.runtime.database import DatabaseFile, create

from ..blobs import Layer
from ..database import LOCATIONS_SCHEMA, BlobLocations

DATABASE = "front.sqlite"
"""The name of the file in the engine's folder."""

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


class Records(BlobLocations):
    """The database of the records; threads of one process may share it.

    ``image`` is always the ID that the daemon has for an image.
    """

    def __init__(self, path: Path) -> None:
        file = DatabaseFile(
            path,
            prepare=lambda connection: create(connection, _SCHEMA),
            what="engine's record of your Docker's images",
            then="images are compressed and sent once more",
        )
        super().__init__(file.open(), threading.Lock())
        self.daemon: str = next(iter(self.daemons()), "")
        """The address of the front's daemon, or of its last daemon."""

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._db.close()

    def daemons(self) -> list[str]:
        """Return the addresses of all daemons that a front has served, the latest first."""
        return [row[0] for row in self._rows("SELECT address FROM daemons ORDER BY seen DESC")]

    def remember_daemon(self, address: str) -> None:
        """Record the daemon of the front; later records are about its images.

        For a new address, forget what is known of the earlier daemon's images, except the names
        that were given there.
        """
        if self.daemon != address:
            for table in ("configs", "manifests", "digests"):
                self._write(f"DELETE FROM {table}")
        self._write("INSERT OR REPLACE INTO daemons VALUES (?, ?)", address, time.time())
        self.daemon = address

    def config(self, image: str) -> bytes | None:
        """Return the configuration of an image."""
        found: bytes | None = self._value("SELECT config FROM configs WHERE image = ?", image)
        return found

    def remember_config(self, image: str, config: bytes) -> None:
        """Record the configuration of an image."""
        self._write("INSERT OR REPLACE INTO configs VALUES (?, ?)", image, config)

    def manifests(self, image: str) -> list[Manifest]:
        """Return the manifests to push an image with; none if a push makes the manifest."""
        rows = self._rows(
            "SELECT body, media_type FROM manifests WHERE image = ? ORDER BY place", image
        )
        return [manifests.parse(body, media_type) for body, media_type in rows]

    def remember_manifests(self, image: str, found: Iterable[Manifest]) -> None:
        """Record the manifests to push an image with; the last one gets the tag."""
        for place, manifest in enumerate(found):
            row = (image, place, manifest.media_type, manifest.body)
            self._write("INSERT OR REPLACE INTO manifests VALUES (?, ?, ?, ?)", *row)

    def layer(self, diff_id: str) -> Layer | None:
        """Return the blob in which a layer was last sent or received."""
        rows = self._rows(
            "SELECT diff_id, digest, size, media_type, unpacked FROM layers WHERE diff_id = ?",
            diff_id,
        )
        return Layer(*rows[0]) if rows else None

    def remember_layer(self, layer: Layer) -> None:
        """Record the blob of a layer."""
        self._write(
            "INSERT OR REPLACE INTO layers VALUES (?, ?, ?, ?, ?)",
            *(layer.diff_id, layer.digest, layer.size, layer.media_type, layer.unpacked),
        )

    def names(self, daemon: str | None = None) -> list[tuple[str, str, str | None]]:
        """Return the names given in a daemon: name, image, and the image that had it before."""
        return self._rows(
            "SELECT name, image, before FROM names WHERE daemon = ? ORDER BY name",
            self.daemon if daemon is None else daemon,
        )

    def remember_name(self, name: str, image: str, before: str | None) -> None:
        """Record the image that got a name, and the first time also the one that had it before."""
        self._write(
            "INSERT INTO names VALUES (?, ?, ?, ?)"
            " ON CONFLICT (daemon, name) DO UPDATE SET image = ?",
            *(self.daemon, name, image, before, image),
        )

    def forget_name(self, daemon: str, name: str) -> None:
        """Forget a name, or a name with a digest, that was removed from a daemon."""
        self._write("DELETE FROM names WHERE daemon = ? AND name = ?", daemon, name)
        if daemon == self.daemon:
            self._write("DELETE FROM digests WHERE name = ?", name)

    def copy_names(self, other: Records) -> None:
        """Copy the names and daemons of another database that this one does not have."""
        for row in other._rows("SELECT daemon, name, image, before FROM names"):
            self._write("INSERT OR IGNORE INTO names VALUES (?, ?, ?, ?)", *row)
        for row in other._rows("SELECT address, seen FROM daemons"):
            self._write("INSERT OR IGNORE INTO daemons VALUES (?, ?)", *row)

    def digests(self) -> list[tuple[str, str]]:
        """Return each ``repository@digest`` of the front's daemon, and its image."""
        return self._rows("SELECT name, image FROM digests ORDER BY name")

    def image_of_digest(self, name: str) -> str | None:
        """Return the image of ``repository@digest``; a tag in the name does not matter."""
        try:
            parsed = references.parse(name)
        except InvalidReference:
            return None
        if parsed.digest is None:
            return None
        key = f"{parsed.name}@{parsed.digest}"
        found: str | None = self._value("SELECT image FROM digests WHERE name = ?", key)
        return found

    def remember_digest(self, name: str, image: str) -> None:
        """Record the image of ``repository@digest``."""
        self._write("INSERT OR REPLACE INTO digests VALUES (?, ?)", name, image)

    def _rows(self, query: str, *values: str) -> list[Any]:
        with self._lock:
            return self._db.execute(query, values).fetchall()

    def _value(self, query: str, key: str) -> Any:
        rows = self._rows(query, key)
        return rows[0][0] if rows else None

    def _write(self, statement: str, *values: object) -> None:
        with self._lock, self._db:
            self._db.execute(statement, values)
