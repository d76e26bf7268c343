"""Where ECR's state lives: one SQLite database beside the blobs' files.

    <root>/ecr.sqlite             repositories, images, tags, tokens, settings
    <root>/blobs/sha256/ab/<hex>  layers and configurations, by content
    <root>/uploads/<id>           layers of which not all bytes have arrived

A blob's file is on disk under its final name before the row that names the blob is committed.
`kill -9` at any moment therefore loses nothing acknowledged, and leaves at most a file without a
row, which the next start removes.
"""

from __future__ import annotations

import hashlib
import os
import threading
from datetime import timedelta
from pathlib import Path

from labs_helpers.oci import digest as digests
from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.ecr import schema
from labs_helpers.sandbox.service import store

UPLOAD_LIFE = timedelta(days=1)
"""How long an unfinished upload can still be resumed after a restart."""


class RunningHash:
    """The sha256 of the first `size` bytes of an upload: bytes are hashed once, as they arrive.

    A thread that adds bytes holds the `lock`. The hash lives in memory; after a restart it is made
    again from the upload's file.
    """

    def __init__(self) -> None:
        self.sha256 = hashlib.sha256()
        self.size = 0
        self.lock = threading.Lock()

    def restart(self, path: Path, size: int) -> None:
        """Cut the file to its acknowledged `size` and hash the rest."""
        os.truncate(path, size)
        with path.open("rb") as file:
            self.sha256 = hashlib.file_digest(file, hashlib.sha256)
        self.size = size


class RunningHashes:
    """The RunningHash of each upload, by upload id."""

    def __init__(self) -> None:
        self._hashes: dict[str, RunningHash] = {}
        self._lock = threading.Lock()

    def of(self, upload_id: str) -> RunningHash:
        """The upload's hash; a new one when this process has none."""
        with self._lock:
            return self._hashes.setdefault(upload_id, RunningHash())

    def forget(self, upload_id: str) -> None:
        """Drop the hash of an upload that ended."""
        with self._lock:
            self._hashes.pop(upload_id, None)


class Store(store.Store):
    """The state of all registries; thread-safe."""

    def __init__(self, root: Path, clock: Clock) -> None:
        """Open or create the state under `root`.

        A damaged database is set aside with its blobs (a SetAside warning), never deleted: without
        their rows, the files would be removed. Raises StoreTooNew, OSError, sqlite3.Error.
        """
        self.clock = clock
        self.uploads = root / "uploads"
        self.blobs = root / "blobs"
        self.hashes = RunningHashes()
        self.named: set[Path] = set()
        """Folders of blobs whose names are known to be on disk."""
        super().__init__(root, "ECR", schema.SCHEMA, schema.VERSION, (self.blobs, self.uploads))
        with self.write() as connection:
            for statement in schema.ADDED:
                connection.execute(statement)
        for folder in (self.uploads, self.blobs, self.blobs / "sha256"):
            folder.mkdir(mode=0o700, exist_ok=True)
        self._remove_orphans()

    def blob_path(self, digest: str) -> Path:
        """The file of a blob; raises DigestError when `digest` is not one."""
        parsed = digests.parse(digest)
        return self.blobs / parsed.algorithm / parsed.hex[:2] / parsed.hex

    def upload_path(self, upload_id: str) -> Path:
        """The file of an upload; `upload_id` must come from the uploads table."""
        return self.uploads / upload_id

    def _remove_orphans(self) -> None:
        with self.write() as connection:
            known = {row["digest"] for row in connection.execute("select digest from blobs")}
            connection.execute(
                "delete from uploads where started_at < ?",
                ((self.clock.now() - UPLOAD_LIFE).timestamp(),),
            )
            uploads = {row["id"] for row in connection.execute("select id from uploads")}
            for path in self.blobs.glob("*/*/*"):
                if f"{path.parent.parent.name}:{path.name}" not in known:
                    path.unlink()
            for path in self.uploads.iterdir():
                if path.name not in uploads:
                    path.unlink()
