"""Content-addressed files: the compressed layers of the engine's images.

A blob gets its final name only when it is complete and its digest is verified: the content is
written to ``incoming/``, synced and renamed. A process that is killed in between leaves a file in
``incoming/``, which the next start removes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from .compression import GZIP, HEAD, CompressionError, GzipDecoder, LayerEncoder, decoder_of
from .streams import chunks, result_of, stream_of
from .tar_content import ContentSize

GZIP_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip"


class BlobError(ValueError):
    """The content does not match its digest, or cannot be decoded; the message is Docker's."""


@dataclass(frozen=True)
class Layer:
    """One layer of an image.

    ``diff_id`` is the digest of the tar. ``digest`` and ``size`` (bytes) describe the compressed
    blob. ``unpacked`` is the size in bytes of the files in the tar.
    """

    diff_id: str
    digest: str
    size: int
    media_type: str = GZIP_TYPE
    unpacked: int = 0


class Blobs:
    """A folder of blobs; safe to use from several threads.

    Pass ``durable=False`` for blobs that only pass through: a power cut may lose them.
    """

    def __init__(self, root: Path, durable: bool = True) -> None:
        self.durable = durable
        self._incoming = root / "incoming"
        self._folder = root / "sha256"
        for folder in (root, self._incoming, self._folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def path(self, digest: str) -> Path:
        """The path of the blob ``sha256:<hex>``, whether or not the blob exists."""
        return self._folder / digest.removeprefix("sha256:")

    def __contains__(self, digest: str) -> bool:
        return self.path(digest).is_file()

    def digests(self) -> Iterator[str]:
        """The digest of every blob in the folder."""
        return (f"sha256:{path.name}" for path in self._folder.iterdir())

    def remove(self, digest: str) -> int:
        """Delete a blob; return the bytes freed (0 when there was no such blob)."""
        path = self.path(digest)
        with contextlib.suppress(FileNotFoundError):
            size = path.stat().st_size
            path.unlink()
            return size
        return 0

    def clear_incoming(self) -> None:
        """Remove the unfinished blobs of an earlier process."""
        for path in self._incoming.iterdir():
            path.unlink(missing_ok=True)

    def encode(self, tar: BinaryIO) -> Layer:
        """Compress a layer's tar stream into a blob; equal tars give equal blobs."""
        return result_of(self._repack(tar.read(HEAD), tar, None))

    def store(self, source: BinaryIO) -> str:
        """Store a blob as it is, and return its digest."""
        with self._new_file() as file:
            for data in chunks(source):
                file.write(data)
            return file.finish()

    def receive(
        self, source: BinaryIO, digest: str | None, media_type: str
    ) -> Generator[int, None, Layer]:
        """Store a layer blob from a registry or an archive.

        A generator: it yields the bytes received so far and returns the layer.

        Args:
            source: the blob's bytes; their first bytes tell gzip, zstd and plain tar apart.
            digest: the expected digest of the bytes; None accepts any.
            media_type: recorded with the layer. A gzip blob is stored as it is; other blobs are
                compressed and recorded as gzip.

        Raises:
            BlobError: the digest does not match, or the stream is damaged.
        """
        head = source.read(HEAD)
        if not head.startswith(GZIP):
            return (yield from self._repack(head, source, digest))
        content = _TarContent(head)
        with self._new_file() as file:
            for data in chain([head], chunks(source)):
                file.write(data)
                for _ in content.feed(data):
                    pass
                yield file.size
            for _ in content.finish():
                pass
            _verify(digest, file.digest)
            return Layer(content.digest, file.finish(), file.size, media_type, content.size)

    def _repack(
        self, head: bytes, source: BinaryIO, digest: str | None
    ) -> Generator[int, None, Layer]:
        content, encoder, received = _TarContent(head), LayerEncoder(), 0
        source_hash = hashlib.sha256() if content.is_packed else None
        with self._new_file() as file:
            for data in chain([head], chunks(source)):
                if source_hash:
                    source_hash.update(data)
                for part in content.feed(data):
                    file.write(encoder.feed(part))
                received += len(data)
                yield received
            for part in content.finish():
                file.write(encoder.feed(part))
            _verify(digest, _digest_of(source_hash) if source_hash else content.digest)
            file.write(encoder.finish())
            return Layer(content.digest, file.finish(), file.size, unpacked=content.size)

    def open_tar(self, digest: str) -> BinaryIO:
        """The tar stream of a gzip layer blob, decompressed while it is read."""
        return stream_of(_decompress(self.path(digest)))

    @contextlib.contextmanager
    def _new_file(self) -> Iterator[_IncomingFile]:
        descriptor, name = tempfile.mkstemp(dir=self._incoming)
        file = _IncomingFile(os.fdopen(descriptor, "wb"), Path(name), self)
        try:
            yield file
        finally:
            file.close()


class _TarContent:
    """The tar in a layer blob: unpacked, hashed and measured while it passes."""

    def __init__(self, head: bytes) -> None:
        self._decoder = decoder_of(head)
        self._hash, self._size = hashlib.sha256(), ContentSize()

    @property
    def is_packed(self) -> bool:
        """Whether the blob is compressed."""
        return self._decoder is not None

    @property
    def digest(self) -> str:
        return _digest_of(self._hash)

    @property
    def size(self) -> int:
        """Bytes of the files in the tar."""
        return self._size.total

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The parts of the tar in the next bytes of the blob. Raises BlobError."""
        return self._measure(self._decoder.feed(data) if self._decoder else (data,))

    def finish(self) -> Iterator[bytes]:
        """The last parts of the tar. Raises BlobError when the blob is cut off."""
        return self._measure(self._decoder.finish() if self._decoder else ())

    def _measure(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        try:
            for part in parts:
                self._hash.update(part)
                self._size.feed(part)
                yield part
        except CompressionError as error:
            raise BlobError(str(error)) from error


class _IncomingFile:
    """A blob that is being written."""

    def __init__(self, file: BinaryIO, path: Path, blobs: Blobs) -> None:
        self._file, self._path, self._blobs = file, path, blobs
        self._hash = hashlib.sha256()
        self.size = 0

    @property
    def digest(self) -> str:
        return _digest_of(self._hash)

    def write(self, data: bytes) -> None:
        self._hash.update(data)
        self.size += len(data)
        self._file.write(data)

    def finish(self) -> str:
        """Give the file its final name; return its digest."""
        self._file.flush()
        if self._blobs.durable:
            os.fsync(self._file.fileno())
        self._path.replace(self._blobs.path(self.digest))
        return self.digest

    def close(self) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)


def _digest_of(content: hashlib._Hash) -> str:
    return f"sha256:{content.hexdigest()}"


def _verify(expected: str | None, found: str) -> None:
    if expected and found != expected:
        raise BlobError(
            f"filesystem layer verification failed for digest {expected}: content is {found}"
        )


def _decompress(path: Path) -> Iterator[bytes]:
    decoder = GzipDecoder()
    with path.open("rb") as file:
        for data in chunks(file):
            yield from decoder.feed(data)
        yield from decoder.finish()
