"""Content-addressed files: the compressed layers of the engine's images.

A blob appears under its final name only when it is whole and its digest is verified: it is
written to ``incoming/``, synced and renamed. A process killed in between leaves a file in
``incoming/``, which the next start removes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

from .compression import GZIP, HEAD, CompressionError, GzipDecoder, LayerEncoder, decoder_of
from .streams import produced
from .tar_content import ContentSize

T = TypeVar("T")

PORTION = 1024 * 1024
"""Bytes read, hashed and written at a time."""

GZIP_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip"


class BlobError(ValueError):
    """Content that does not match its digest, or cannot be decoded; the message is Docker's."""


@dataclass(frozen=True)
class Layer:
    """One layer of an image.

    ``diff_id`` is the digest of the tar, ``digest`` and ``size`` (bytes) those of its compressed
    blob, ``unpacked`` the bytes of the files in it.
    """

    diff_id: str
    digest: str
    size: int
    media_type: str = GZIP_TYPE
    unpacked: int = 0


class Blobs:
    """The folder of blobs; safe to use from several threads.

    Not ``durable`` are those that only pass through: a power cut may take them.
    """

    def __init__(self, root: Path, durable: bool = True) -> None:
        self.durable = durable
        self._incoming = root / "incoming"
        self._folder = root / "sha256"
        for folder in (root, self._incoming, self._folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def path(self, digest: str) -> Path:
        """Where the blob of ``sha256:<hex>`` is, whether or not it exists."""
        return self._folder / digest.removeprefix("sha256:")

    def __contains__(self, digest: str) -> bool:
        return self.path(digest).is_file()

    def digests(self) -> Iterator[str]:
        """The digest of every blob kept."""
        return (f"sha256:{path.name}" for path in self._folder.iterdir())

    def remove(self, digest: str) -> int:
        """Delete a blob; return the bytes freed (0 when it was not there)."""
        path = self.path(digest)
        with contextlib.suppress(FileNotFoundError):
            size = path.stat().st_size
            path.unlink()
            return size
        return 0

    def clear_incoming(self) -> None:
        """Remove what an earlier process left unfinished."""
        for path in self._incoming.iterdir():
            path.unlink(missing_ok=True)

    def encode(self, tar: BinaryIO) -> Layer:
        """Compress a layer's tar stream into a blob, deterministically."""
        return finished(self._repacking(tar.read(PORTION), tar, None))

    def passing(self, source: BinaryIO, digest: str | None) -> Generator[int, None, str]:
        """Store a blob as it comes, whatever it holds.

        A generator: it yields the bytes received so far and returns the digest.

        Raises:
            BlobError: the content does not hash to ``digest``.
        """
        with self._writing() as out:
            while data := source.read(PORTION):
                out.write(data)
                yield out.size
            if digest and out.digest != digest:
                raise BlobError(_mismatch(digest, out.digest))
            return out.keep()

    def receiving(
        self, source: BinaryIO, digest: str | None, media_type: str
    ) -> Generator[int, None, Layer]:
        """Store a layer blob that comes from a registry or an archive.

        A generator: it yields the bytes received so far and returns the layer.

        Args:
            source: the blob's bytes; gzip, zstd or plain tar, told apart by their first bytes.
            digest: what the content must hash to; None takes it as it is.
            media_type: recorded with the layer. Of these, gzip is kept as it is; the others are
                made and recorded as gzip.

        Raises:
            BlobError: the digest does not match, or the stream is damaged.
        """
        head = source.read(HEAD)
        if not head.startswith(GZIP):
            return (yield from self._repacking(head, source, digest))
        decoder, diff, content = GzipDecoder(), hashlib.sha256(), ContentSize()
        with self._writing() as out:
            data = head
            try:
                while data:
                    out.write(data)
                    for part in decoder.feed(data):
                        diff.update(part)
                        content.feed(part)
                    yield out.size
                    data = source.read(PORTION)
                for part in decoder.finish():
                    diff.update(part)
                    content.feed(part)
            except CompressionError as error:
                raise BlobError(str(error)) from error
            if digest and out.digest != digest:
                raise BlobError(_mismatch(digest, out.digest))
            return Layer(
                f"sha256:{diff.hexdigest()}", out.keep(), out.size, media_type, content.total
            )

    def _repacking(
        self, data: bytes, source: BinaryIO, digest: str | None
    ) -> Generator[int, None, Layer]:
        decoder = decoder_of(data[:HEAD])
        encoder, diff, content, received = LayerEncoder(), hashlib.sha256(), ContentSize(), 0
        arrived = hashlib.sha256() if decoder else diff
        with self._writing() as out:

            def take(part: bytes) -> None:
                diff.update(part)
                content.feed(part)
                out.write(encoder.feed(part))

            try:
                while data:
                    if decoder:
                        arrived.update(data)
                    for part in decoder.feed(data) if decoder else (data,):
                        take(part)
                    received += len(data)
                    yield received
                    data = source.read(PORTION)
                for part in decoder.finish() if decoder else ():
                    take(part)
            except CompressionError as error:
                raise BlobError(str(error)) from error
            found = f"sha256:{arrived.hexdigest()}"
            if digest and found != digest:
                raise BlobError(_mismatch(digest, found))
            out.write(encoder.finish())
            return Layer(f"sha256:{diff.hexdigest()}", out.keep(), out.size, unpacked=content.total)

    def decoded(self, digest: str) -> BinaryIO:
        """The tar stream of a layer blob, decompressed as it is read."""
        return produced(_decode(self.path(digest)))

    @contextlib.contextmanager
    def _writing(self) -> Iterator[_Incoming]:
        descriptor, name = tempfile.mkstemp(dir=self._incoming)
        incoming = _Incoming(os.fdopen(descriptor, "wb"), Path(name), self)
        try:
            yield incoming
        finally:
            incoming.close()


def _mismatch(expected: str, found: str) -> str:
    return f"filesystem layer verification failed for digest {expected}: content is {found}"


def finished(receiving: Generator[int, None, T]) -> T:
    """Run a receiving generator to its end; return what it returns."""
    while True:
        try:
            next(receiving)
        except StopIteration as end:
            result: T = end.value
            return result


class _Incoming:
    """A blob being written."""

    def __init__(self, file: BinaryIO, path: Path, blobs: Blobs) -> None:
        self._file, self._path, self._blobs = file, path, blobs
        self._hash = hashlib.sha256()
        self.size = 0

    @property
    def digest(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"

    def write(self, data: bytes) -> None:
        self._hash.update(data)
        self.size += len(data)
        self._file.write(data)

    def keep(self) -> str:
        """Give the file its final name; return its digest."""
        self._file.flush()
        if self._blobs.durable:
            os.fsync(self._file.fileno())
        self._path.replace(self._blobs.path(self.digest))
        return self.digest

    def close(self) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)


def _decode(path: Path) -> Iterator[bytes]:
    decoder = GzipDecoder()
    with path.open("rb") as file:
        while data := file.read(PORTION):
            yield from decoder.feed(data)
        yield from decoder.finish()
