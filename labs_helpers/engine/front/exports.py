"""An image that the daemon hands out, read as it comes: its configuration and its layers.

``GET /images/get`` gives a tar whose parts have another order in every version of Docker and
Podman; ``manifest.json`` says what they are: https://github.com/moby/docker-image-spec. A layer
is recognised by its content, so it does not matter how the archive calls it.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Collection
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, BinaryIO, Self, cast

from ..blobs import GZIP_TYPE, PORTION, BlobError, Blobs, Layer, finished
from ..errors import EngineError

_DOCUMENT_LIMIT = 4 * 1024 * 1024
_AT_ONCE = 2
"""Layers compressed at a time: each takes a core."""


class Export:
    """The parts of one image, kept in a folder until they are pushed; close it afterwards.

    Layers of ``new`` diff IDs, which no registry can have yet, are compressed while the next ones
    still arrive; the others when they are asked for.
    """

    def __init__(self, folder: Path, new: Collection[str] = ()) -> None:
        self._folder, self._new = folder, new
        self._lock = threading.Lock()
        self._plain: dict[str, Path] = {}
        self._documents: dict[str, bytes] = {}
        self._compressed: dict[str, Future[Layer]] = {}
        self._workers = ThreadPoolExecutor(_AT_ONCE, "compress")
        self.blobs = Blobs(folder / "blobs", durable=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._workers.shutdown(cancel_futures=True)

    def receive(self, archive: BinaryIO, wanted: Collection[str] | None) -> None:
        """Read the archive; of plain layers, keep those of ``wanted`` diff IDs (None: all).

        Raises:
            EngineError: it is not an image archive, or cut off.
        """
        try:
            with tarfile.open(fileobj=archive, mode="r|", bufsize=PORTION) as tar:
                for member in tar:
                    if member.isreg() and (file := tar.extractfile(member)):
                        self._part(member.name, member.size, file, wanted)
            while archive.read(PORTION):
                pass
        except (tarfile.TarError, EOFError, BlobError) as error:
            raise EngineError(f"the daemon's archive of the image cannot be read: {error}") from (
                error
            )

    def config(self) -> bytes:
        """The image's configuration, byte for byte. Raises EngineError."""
        try:
            (entry,) = json.loads(self._documents["manifest.json"])
            return self._documents[entry["Config"]]
        except (KeyError, ValueError, TypeError) as error:
            raise EngineError("the daemon's archive does not say what is in it") from error

    def layer(self, diff_id: str) -> Layer:
        """The blob of a layer, compressed now when it has not been. Raises EngineError."""
        with self._lock:
            if diff_id not in self._compressed:
                if diff_id not in self._plain:
                    raise EngineError(f"the daemon's archive lacks the layer {diff_id}")
                self._begin(diff_id)
            compressed = self._compressed[diff_id]
        return compressed.result()

    def _begin(self, diff_id: str) -> None:
        self._compressed[diff_id] = self._workers.submit(self._encode, self._plain[diff_id])

    def _encode(self, path: Path) -> Layer:
        with path.open("rb") as tar:
            layer = self.blobs.encode(tar)
        path.unlink()
        return layer

    def _part(self, name: str, size: int, file: IO[bytes], wanted: Collection[str] | None) -> None:
        head = file.read(2)
        if head == b"\x1f\x8b":
            layer = finished(
                self.blobs.receiving(cast(BinaryIO, _Begun(head, file)), None, GZIP_TYPE)
            )
            whole: Future[Layer] = Future()
            whole.set_result(layer)
            self._compressed[layer.diff_id] = whole
        elif head[:1] in (b"{", b"[") and size <= _DOCUMENT_LIMIT:
            self._documents[name] = head + file.read()
        else:
            self._keep_plain(cast(BinaryIO, _Begun(head, file)), wanted)

    def _keep_plain(self, tar: BinaryIO, wanted: Collection[str] | None) -> None:
        path = self._folder / f"layer{len(self._plain)}"
        content = hashlib.sha256()
        with path.open("wb") as out:
            while portion := tar.read(PORTION):
                content.update(portion)
                out.write(portion)
        diff_id = f"sha256:{content.hexdigest()}"
        if (wanted is None or diff_id in wanted) and diff_id not in self._plain:
            self._plain[diff_id] = path
            if diff_id in self._new:
                with self._lock:
                    self._begin(diff_id)
        else:
            path.unlink()


class _Begun(io.RawIOBase):
    """A file of which the first bytes have been read already."""

    def __init__(self, head: bytes, file: IO[bytes]) -> None:
        self._head, self._file = head, file

    def read(self, size: int = -1) -> bytes:
        head, self._head = self._head, b""
        return head or self._file.read(size)
