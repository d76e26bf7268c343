"""Read an image's configuration and layers from the archive that a daemon exports.

``GET /images/get`` returns a tar. The order of its files differs between versions of Docker and
Podman, and ``manifest.json`` says what they are: https://github.com/moby/docker-image-spec. The
reader recognises a layer by its content, so its path does not matter. Docker with containerd's
store exports compressed layers, and an ``index.json`` that leads to the manifests naming them.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Collection
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any, BinaryIO, Self, cast

from labs_helpers.oci import digest as digests
from labs_helpers.oci.manifest import InvalidManifest

from ..blobs import GZIP_TYPE, BlobError, Blobs, Layer
from ..compression import HEAD, decoder_of
from ..errors import EngineError
from ..streams import CHUNK_SIZE, chunks
from .stored_manifests import StoredManifests, find_stored_manifests

_DOCUMENT_LIMIT = 4 * 1024 * 1024
_COMPRESSIONS = 2
"""How many layers to compress at a time: each compression takes a core."""


class ArchiveReader:
    """The parts of one image, in a folder that lives as long as the push; close it afterwards.

    One thread receives the archive while other threads ask for layers and wait. ``new`` are the
    layers that we have not sent before. When all ``diff_ids`` are new, no registry can have a layer
    yet, so the reader compresses each one while it arrives. Otherwise it compresses a new layer
    once it is complete, and another layer when somebody asks for it.
    """

    def __init__(self, folder: Path, diff_ids: Collection[str], new: Collection[str] = ()) -> None:
        self._folder, self._wanted, self._new = folder, set(diff_ids), set(new)
        self._changed = threading.Condition()
        self._over = False
        self._plain: dict[str, Path] = {}
        self._compressed: dict[str, Future[Layer]] = {}
        self._documents: dict[str, bytes] = {}
        self._stored: StoredManifests | None = None
        self._workers = ThreadPoolExecutor(_COMPRESSIONS, "compress")
        self._receiver = ThreadPoolExecutor(1, "export")
        self._receiving: Future[None] | None = None
        self.blobs = Blobs(folder / "blobs", durable=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        self._receiver.shutdown()
        self._workers.shutdown(cancel_futures=True)

    def start(self, archive: AbstractContextManager[BinaryIO]) -> None:
        """Receive the archive on one thread. The methods that wait raise the thread's error."""
        if self._receiving is None:
            self._receiving = self._receiver.submit(self._run, archive)
            self._receiving.add_done_callback(lambda _: self._end())

    def receive(self, archive: BinaryIO) -> None:
        """Read the archive. Raises EngineError if it is cut off, or not an image's archive."""
        try:
            with tarfile.open(fileobj=archive, mode="r|", bufsize=CHUNK_SIZE) as tar:
                for member in tar:
                    if self._over:
                        return
                    if member.isreg() and (file := tar.extractfile(member)):
                        self._read_file(member.name, member.size, file)
            while archive.read(CHUNK_SIZE):
                pass
        except (tarfile.TarError, EOFError, BlobError) as error:
            raise EngineError(f"the daemon's archive of the image cannot be read: {error}") from (
                error
            )
        if "index.json" in self._documents:
            self._read_index()
        self._end()

    def config(self) -> bytes:
        """Wait for the image's configuration, and return its bytes. Raises EngineError."""
        self._wait_until_over()
        return self._config()

    def stored_manifests(self) -> StoredManifests | None:
        """Wait for the manifests of a containerd store; None without one. Raises EngineError."""
        self._wait_until_over()
        return self._stored

    def layer(self, diff_id: str) -> Layer:
        """Wait for the compressed blob of a layer. Raises EngineError."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._over or diff_id in self._compressed or diff_id in self._plain
            )
            if diff_id not in self._compressed:
                self._raise_failure()
                if diff_id not in self._plain:
                    raise EngineError(f"the daemon's archive lacks the layer {diff_id}")
                self._start_compression(diff_id)
            compressed = self._compressed[diff_id]
        return compressed.result()

    def open_blob(self, digest: str) -> BinaryIO:
        """Wait for the archive, and open a blob of it, or a layer that has been compressed."""
        self._wait_until_over()
        document = self._documents.get(digests.layout_path(digest))
        return io.BytesIO(document) if document is not None else self.blobs.path(digest).open("rb")

    def _run(self, archive: AbstractContextManager[BinaryIO]) -> None:
        with archive as stream:
            self.receive(stream)

    def _end(self) -> None:
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def _wait_until_over(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._over)
            self._raise_failure()

    def _raise_failure(self) -> None:
        """Raise the error of the receiving thread, if it has ended with one."""
        if self._over and self._receiving:
            self._receiving.result()

    def _read_file(self, name: str, size: int, file: IO[bytes]) -> None:
        head = file.read(tarfile.BLOCKSIZE)
        whole = cast(BinaryIO, _Rejoined(head, file))
        # a tar is no JSON document, though it may begin with a file name such as [id].js
        document = head[:1] in (b"{", b"[") and head[257:262] != b"ustar"
        if document and size <= _DOCUMENT_LIMIT:
            self._documents[name] = whole.read() + whole.read()
        elif document or decoder_of(head[:HEAD]):
            self.blobs.store(whole)
        elif self._wanted <= self._new:
            self._compress_now(whole)
        else:
            self._write_plain(whole)

    def _compress_now(self, tar: BinaryIO) -> None:
        layer = self.blobs.encode(tar)
        if layer.diff_id not in self._wanted:
            self.blobs.remove(layer.digest)
            return
        with self._changed:
            self._compressed[layer.diff_id] = _completed(layer)
            self._changed.notify_all()

    def _write_plain(self, tar: BinaryIO) -> None:
        path = self._folder / f"layer{len(self._plain)}"
        content = hashlib.sha256()
        with path.open("wb") as out:
            for portion in chunks(tar):
                content.update(portion)
                out.write(portion)
        diff_id = f"sha256:{content.hexdigest()}"
        if diff_id not in self._wanted or diff_id in self._plain:
            path.unlink()
            return
        with self._changed:
            self._plain[diff_id] = path
            if diff_id in self._new:
                self._start_compression(diff_id)
            self._changed.notify_all()

    def _start_compression(self, diff_id: str) -> None:
        self._compressed[diff_id] = self._workers.submit(self._compress_file, self._plain[diff_id])

    def _compress_file(self, path: Path) -> Layer:
        with path.open("rb") as tar:
            layer = self.blobs.encode(tar)
        path.unlink()
        return layer

    def _config(self) -> bytes:
        try:
            (entry,) = json.loads(self._documents["manifest.json"])
            return self._documents[entry["Config"]]
        except (KeyError, ValueError, TypeError) as error:
            raise EngineError("the daemon's archive does not say what is in it") from error

    def _read_index(self) -> None:
        """Take the manifests that ``index.json`` leads to, and the layers that they name."""
        config = self._config()
        try:
            stored = find_stored_manifests(self._documents, self.blobs, digests.of_bytes(config))
            if stored is None:
                return
            diff_ids = json.loads(config)["rootfs"]["diff_ids"]
            for diff_id, layer in zip(diff_ids, stored.image.layers, strict=True):
                blob = Layer(diff_id, layer.digest, layer.size, GZIP_TYPE)
                self._compressed[diff_id] = _completed(blob)
        except (InvalidManifest, KeyError, ValueError, TypeError) as error:
            raise EngineError(f"the daemon's archive has no valid index: {error}") from error
        self._stored = stored


def _completed(layer: Layer) -> Future[Layer]:
    future: Future[Layer] = Future()
    future.set_result(layer)
    return future


class _Rejoined(io.RawIOBase):
    """A file, and before it the bytes that have been read from it already."""

    def __init__(self, head: bytes, file: IO[bytes]) -> None:
        self._head, self._file = head, file

    def read(self, size: int = -1) -> Any:
        head, self._head = self._head, b""
        return head or self._file.read(size)
