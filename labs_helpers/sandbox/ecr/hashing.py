"""The running hashes of uploads: bytes are hashed once, as they arrive.

They live in memory; after a restart an upload's hash is made again from its file.
"""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path


class RunningHash:
    """The sha256 of the first `size` bytes of an upload; `lock` is held while it grows."""

    def __init__(self) -> None:
        self.sha256 = hashlib.sha256()
        self.size = 0
        self.lock = threading.Lock()

    def start_again(self, path: Path, size: int) -> None:
        """Cut the file to its acknowledged `size` and hash what is left."""
        os.truncate(path, size)
        with path.open("rb") as file:
            self.sha256 = hashlib.file_digest(file, hashlib.sha256)
        self.size = size


class RunningHashes:
    """One RunningHash an upload, by upload id."""

    def __init__(self) -> None:
        self._hashes: dict[str, RunningHash] = {}
        self._lock = threading.Lock()

    def of(self, upload_id: str) -> RunningHash:
        """The upload's hash, a fresh one when this process has none yet."""
        with self._lock:
            return self._hashes.setdefault(upload_id, RunningHash())

    def forget(self, upload_id: str) -> None:
        """The upload is over."""
        with self._lock:
            self._hashes.pop(upload_id, None)
