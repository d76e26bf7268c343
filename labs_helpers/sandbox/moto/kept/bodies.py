"""Bodies of Amazon S3 as files, by the SHA-256 of their content; a file is never written again.

    <folder>/<first two digits>/<sha256>

A snapshot may hold the same file by a hard link.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import IO, Any

_CHUNK = 1 << 20


class Bodies:
    """The files below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, content: IO[bytes]) -> str:
        """Keep a copy of all that a file holds, on the disk when this returns; its digest.

        Raises OSError.
        """
        digest = hashlib.sha256()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=".body.", dir=self.folder)
        new = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as written:
                content.seek(0)
                while chunk := content.read(_CHUNK):
                    digest.update(chunk)
                    written.write(chunk)
                written.flush()
                os.fsync(written.fileno())
            path = self.path(digest.hexdigest())
            path.parent.mkdir(mode=0o700, exist_ok=True)
            new.rename(path)
        finally:
            new.unlink(missing_ok=True)
        return digest.hexdigest()

    def path(self, digest: str) -> Path:
        """Where the body of this digest is, or would be."""
        return self.folder / digest[:2] / digest

    def open(self, digest: str) -> StoredBody:
        """The body as a file of moto's; nothing is opened before the first read."""
        return StoredBody(self.path(digest), digest)

    def has(self, digest: str) -> bool:
        """Whether the body of this digest is there."""
        return self.path(digest).is_file()

    def remove(self, digests: Collection[str]) -> None:
        """Remove bodies that nobody refers to; raises OSError."""
        for digest in digests:
            self.path(digest).unlink(missing_ok=True)

    def keep_only(self, digests: Collection[str]) -> None:
        """Remove every other body, and what a killed process left half-written; raises OSError."""
        if not self.folder.is_dir():
            return
        for path in self.folder.rglob("*"):
            if path.is_file() and path.name not in digests:
                path.unlink(missing_ok=True)


class StoredBody:
    """In the place of the file that moto keeps a body in: read from disk, and copied to change.

    moto seeks, reads, truncates and writes; whoever does so holds the key's lock.
    """

    def __init__(self, path: Path, digest: str) -> None:
        self._path = path
        self.digest = digest
        """Of the content; empty once the content was changed."""
        self._copy: Any = None
        self._at = 0

    def seek(self, offset: int, whence: int = 0) -> int:
        """As of a file."""
        if self._copy is not None:
            return int(self._copy.seek(offset, whence))
        base = (0, self._at, 0)[whence] if whence != os.SEEK_END else self._path.stat().st_size
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        """As of a file."""
        return self._at if self._copy is None else int(self._copy.tell())

    def read(self, size: int = -1) -> bytes:
        """As of a file; raises OSError."""
        if self._copy is not None:
            return bytes(self._copy.read(size))
        with self._path.open("rb") as file:
            file.seek(self._at)
            content = file.read(size)
        self._at += len(content)
        return content

    def truncate(self, size: int | None = None) -> int:
        """As of a file, in a copy."""
        return int(self._own().truncate(size))

    def write(self, content: bytes) -> int:
        """As of a file, in a copy."""
        return int(self._own().write(content))

    def close(self) -> None:
        """As of a file."""
        if self._copy is not None:
            self._copy.close()

    def _own(self) -> Any:
        if self._copy is None:
            copy = tempfile.SpooledTemporaryFile(1 << 24)  # noqa: SIM115 (lives as the key does)
            at, self._at = self._at, 0
            copy.write(self.read())
            copy.seek(at)
            self._copy, self.digest = copy, ""
        return self._copy
