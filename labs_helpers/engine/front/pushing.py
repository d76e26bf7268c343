"""Push an image of the daemon to a registry: the daemon exports it, our registry client sends it.

Layers that the registry has are neither compressed nor sent. When the registry has the whole image,
as after a push of the same image under another tag, the daemon need not export it either.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Generator, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from labs_helpers.oci.manifest import Manifest, descriptor_of
from labs_helpers.oci.reference import Reference

from ..blobs import Layer
from ..credentials import Credentials
from ..errors import EngineError
from ..parallel import LARGE, Message
from ..push import (
    AT_ONCE,
    local_tags,
    open_repository,
    push_blob,
    push_errors,
    push_layers,
    push_manifest,
    pushed_messages,
)
from ..registry_client import Repository
from .archive_reader import ArchiveReader
from .daemon import full_id
from .resources import Resources
from .stored_manifests import StoredManifests


def push(
    reference: Reference, credentials: Credentials, resources: Resources, image: str | None = None
) -> Iterator[Message]:
    """Push one tag, or every tag of a name without one; yield Docker's messages.

    With ``image``, the ID of an image in the daemon, push that image as ``reference``, which has a
    tag then. Without ``image``, push the daemon's images of these names.

    Raises:
        EngineError: with dockerd's message; RegistryError when the registry refuses.
    """
    yield {"status": f"The push refers to repository [{reference.name}]"}
    if reference.digest:
        raise EngineError("cannot push a digest reference")
    tags = [str(reference.tag)] if image else local_tags(reference, resources.daemon.names())
    with push_errors(), open_repository(reference, resources.hosts, credentials) as repository:
        for tag in tags:
            name = Reference(reference.domain, reference.path, tag)
            yield from _push_tag(name, image or name.familiar, repository, resources)


def _push_tag(
    name: Reference, source: str, repository: Repository, resources: Resources
) -> Iterator[Message]:
    described = resources.daemon.inspect(source)
    if described is None:
        raise EngineError(f"tag does not exist: {name.familiar}")
    diff_ids = [str(diff_id) for diff_id in (described.get("RootFS") or {}).get("Layers") or []]
    new = {diff_id for diff_id in diff_ids if resources.records.layer(diff_id) is None}
    with (
        tempfile.TemporaryDirectory(dir=resources.scratch) as folder,
        ArchiveReader(Path(folder), diff_ids, new) as archive,
    ):
        image = _DaemonImage(source, described, resources, archive)
        layers = yield from push_layers(name, diff_ids, image, repository)
        digest = yield from _push_manifests(str(name.tag), image, layers, repository)
    resources.records.remember_digest(f"{name.name}@{digest}", image.id)
    resources.records.remember_name(str(name), image.id, None)


def _push_manifests(
    tag: str, image: _DaemonImage, layers: Sequence[Layer], repository: Repository
) -> Generator[Message, None, str]:
    """Push the daemon's manifests, or one that we make; return the digest that the tag has."""
    stored = image.manifests()
    if not stored:
        return (yield from push_manifest(tag, image.config(), layers, repository))
    sent = {layer.digest for layer in layers}
    for blob in (blob for manifest in stored for blob in manifest.blobs):
        if blob.digest not in sent:
            sent.add(blob.digest)
            push_blob(repository, blob.digest, blob.size, partial(image.blob, blob.digest))
    *parts, top = stored
    for part in parts:
        repository.put_manifest(part.digest, part.media_type, part.body)
    repository.put_manifest(tag, top.media_type, top.body)
    yield from pushed_messages(tag, top.digest, len(top.body))
    yield from image.index_messages()
    return top.digest


def index_messages(stored: StoredManifests) -> Iterator[Message]:
    """Yield Docker's message for an index of which only the image is pushed.

    The docker command explains it: "only the available single-platform image was pushed".
    https://pkg.go.dev/github.com/docker/docker/api/types/auxprogress
    """
    if stored.incomplete_index:
        aux = {
            "manifestPushedInsteadOfIndex": True,
            "originalIndex": descriptor_of(stored.incomplete_index),
            "selectedManifest": descriptor_of(stored.image),
        }
        yield {"progressDetail": {}, "aux": aux}


class _DaemonImage:
    """An image of the daemon, which exports it when a part of it is first needed."""

    def __init__(
        self, source: str, described: dict[str, Any], resources: Resources, archive: ArchiveReader
    ) -> None:
        self.id = full_id(described)
        layers = (described.get("RootFS") or {}).get("Layers") or []
        large = int(described.get("Size") or 0) > 2 * LARGE and len(layers) > 1
        self.at_once = AT_ONCE if large else 1
        self.locations = resources.records.locations
        self.remember_location = resources.records.remember_location
        self._source, self._daemon = source, resources.daemon
        self._records, self._archive = resources.records, archive
        self._lock = threading.Lock()
        self._new = self._records.config(self.id) is None

    def config(self) -> bytes:
        """Return the bytes of the configuration."""
        known = self._records.config(self.id)
        if known is None:
            known = self._export().config()
            self._records.remember_config(self.id, known)
        return known

    def manifests(self) -> Sequence[Manifest]:
        """Return the manifests that the daemon keeps the image with; none if we make one."""
        if self._new and (stored := self._export().stored_manifests()):
            self._records.remember_manifests(self.id, stored.pushed)
            self.config()
        return self._records.manifests(self.id)

    def index_messages(self) -> Iterator[Message]:
        """Yield the message of ``index_messages`` if the daemon has just exported the image."""
        stored = self._export().stored_manifests() if self._new else None
        return index_messages(stored) if stored else iter(())

    def blob(self, digest: str) -> BinaryIO:
        """Open a blob that a manifest names."""
        return self._export().open_blob(digest)

    def known_blob(self, diff_id: str) -> Layer | None:
        return self._records.layer(diff_id)

    def prepare(self, diff_id: str) -> Layer:
        layer = self._export().layer(diff_id)
        self._records.remember_layer(layer)
        return layer

    def open(self, layer: Layer) -> BinaryIO:
        return self._archive.blobs.path(layer.digest).open("rb")

    def _export(self) -> ArchiveReader:
        with self._lock:
            self._archive.start(self._daemon.export(self._source))
        return self._archive
