"""An image that the daemon hands out, read as it comes: its configuration and its layers.

``GET /images/get`` gives a tar whose parts have another order in every version of Docker and
Podman; ``manifest.json`` says what they are: https://github.com/moby/docker-image-spec. A layer
is recognised by its content, so it does not matter how the archive calls it. Docker with
containerd's store keeps layers packed, and manifests that name them: ``index.json`` leads there.
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
from labs_helpers.oci import manifest as manifests
from labs_helpers.oci import media_types
from labs_helpers.oci.manifest import Descriptor, InvalidManifest, Manifest

from ..blobs import GZIP_TYPE, BlobError, Blobs, Layer
from ..compression import HEAD, decoder_of
from ..errors import EngineError
from ..streams import CHUNK_SIZE, chunks
from .kept import Kept

_DOCUMENT_LIMIT = 4 * 1024 * 1024
_AT_ONCE = 2
"""Layers compressed at a time: each takes a core."""


class Export:
    """The parts of one image, kept in a folder until they are pushed; close it afterwards.

    One thread receives them while others ask for layers and wait. When all of ``diff_ids`` are
    ``new``, so that no registry can have any of them, layers are compressed as they come; else
    the new ones are once they are here, and the others when they are asked for.
    """

    def __init__(self, folder: Path, diff_ids: Collection[str], new: Collection[str] = ()) -> None:
        self._folder, self._wanted, self._new = folder, set(diff_ids), set(new)
        self._changed = threading.Condition()
        self._over = False
        self._plain: dict[str, Path] = {}
        self._compressed: dict[str, Future[Layer]] = {}
        self._documents: dict[str, bytes] = {}
        self._kept: Kept | None = None
        self._workers = ThreadPoolExecutor(_AT_ONCE, "compress")
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
        """Receive the archive on a thread, unless one does already. What fails, fails who waits."""
        if self._receiving is None:
            self._receiving = self._receiver.submit(self._run, archive)
            self._receiving.add_done_callback(lambda _: self._end())

    def receive(self, archive: BinaryIO) -> None:
        """Read the archive.

        Raises:
            EngineError: it is not an image archive, or cut off.
        """
        try:
            with tarfile.open(fileobj=archive, mode="r|", bufsize=CHUNK_SIZE) as tar:
                for member in tar:
                    if self._over:
                        return
                    if member.isreg() and (file := tar.extractfile(member)):
                        self._part(member.name, member.size, file)
            while archive.read(CHUNK_SIZE):
                pass
        except (tarfile.TarError, EOFError, BlobError) as error:
            raise EngineError(f"the daemon's archive of the image cannot be read: {error}") from (
                error
            )
        self._find_kept()
        self._end()

    def config(self) -> bytes:
        """The image's configuration, byte for byte. Raises EngineError."""
        self._wait_until_over()
        return self._config()

    def kept(self) -> Kept | None:
        """The manifests that the daemon keeps the image with; None where it has only layers."""
        self._wait_until_over()
        return self._kept

    def layer(self, diff_id: str) -> Layer:
        """The blob of a layer, compressed now when it has not been. Raises EngineError."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._over or diff_id in self._compressed or diff_id in self._plain
            )
            if diff_id not in self._compressed:
                self._raise_failure()
                if diff_id not in self._plain:
                    raise EngineError(f"the daemon's archive lacks the layer {diff_id}")
                self._begin(diff_id)
            compressed = self._compressed[diff_id]
        return compressed.result()

    def opened(self, digest: str) -> BinaryIO:
        """The bytes of a blob of the archive, or of a layer that is compressed."""
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
        """Raise what receiving failed with, when it has ended."""
        if self._over and self._receiving:
            self._receiving.result()

    def _begin(self, diff_id: str) -> None:
        self._compressed[diff_id] = self._workers.submit(self._encode, self._plain[diff_id])

    def _encode(self, path: Path) -> Layer:
        with path.open("rb") as tar:
            layer = self.blobs.encode(tar)
        path.unlink()
        return layer

    def _part(self, name: str, size: int, file: IO[bytes]) -> None:
        head = file.read(tarfile.BLOCKSIZE)
        whole = cast(BinaryIO, _Begun(head, file))
        # a tar begins with the name of a file, which may be [id].js
        document = head[:1] in (b"{", b"[") and head[257:262] != b"ustar"
        if document and size <= _DOCUMENT_LIMIT:
            self._documents[name] = whole.read() + whole.read()
        elif document or decoder_of(head[:HEAD]):
            self.blobs.store(whole)
        elif self._wanted <= self._new:
            self._compress(whole)
        else:
            self._keep_plain(whole)

    def _compress(self, tar: BinaryIO) -> None:
        layer = self.blobs.encode(tar)
        if layer.diff_id not in self._wanted:
            self.blobs.remove(layer.digest)
            return
        with self._changed:
            self._compressed[layer.diff_id] = _done(layer)
            self._changed.notify_all()

    def _keep_plain(self, tar: BinaryIO) -> None:
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
                self._begin(diff_id)
            self._changed.notify_all()

    def _config(self) -> bytes:
        try:
            (entry,) = json.loads(self._documents["manifest.json"])
            return self._documents[entry["Config"]]
        except (KeyError, ValueError, TypeError) as error:
            raise EngineError("the daemon's archive does not say what is in it") from error

    def _find_kept(self) -> None:
        """Follow ``index.json`` to a manifest whose layers are in the archive as it names them."""
        index = self._documents.get("index.json")
        if index is None:
            return
        try:
            described = manifests.parse(index, media_types.OCI_INDEX).manifests
            config = self._config()
            found = [self._kept_as(one, digests.of_bytes(config)) for one in described]
            self._kept = next((kept for kept in found if kept), None)
            if self._kept is None:
                return
            diff_ids = json.loads(config)["rootfs"]["diff_ids"]
            for diff_id, layer in zip(diff_ids, self._kept.image.layers, strict=True):
                made = Layer(diff_id, layer.digest, layer.size, GZIP_TYPE)
                self._compressed[diff_id] = _done(made)
        except (InvalidManifest, KeyError, ValueError, TypeError) as error:
            raise EngineError(f"the daemon's archive has no true index: {error}") from error

    def _kept_as(self, descriptor: Descriptor, config: str) -> Kept | None:
        top = self._manifest(descriptor)
        parts = [self._manifest(one) for one in top.manifests] if top and top.is_index else [top]
        image = next((one for one in parts if one and self._is_image(one, config)), None)
        if image is None or top is None:
            return None
        if top is image:
            return Kept((image,), image)
        whole = all(one and all(blob.digest in self for blob in one.blobs) for one in parts)
        if whole:
            return Kept((*(one for one in parts if one), top), image)
        return Kept((image,), image, instead_of=top)

    def _manifest(self, descriptor: Descriptor) -> Manifest | None:
        body = self._documents.get(digests.layout_path(descriptor.digest))
        if body is None or digests.of_bytes(body) != descriptor.digest:
            return None
        return manifests.parse(body, descriptor.media_type)

    def _is_image(self, manifest: Manifest, config: str) -> bool:
        layers = manifest.layers
        configured = manifest.config is not None and manifest.config.digest == config
        return configured and bool(layers) and all(one.digest in self.blobs for one in layers)

    def __contains__(self, digest: str) -> bool:
        return digests.layout_path(digest) in self._documents or digest in self.blobs


def _done(layer: Layer) -> Future[Layer]:
    future: Future[Layer] = Future()
    future.set_result(layer)
    return future


class _Begun(io.RawIOBase):
    """A file of which the first bytes have been read already."""

    def __init__(self, head: bytes, file: IO[bytes]) -> None:
        self._head, self._file = head, file

    def read(self, size: int = -1) -> Any:
        head, self._head = self._head, b""
        return head or self._file.read(size)
