"""Push in front of a daemon: the image comes out of it, and our registry client sends it.

What the registry has already is neither compressed nor sent; when it has all of it, as after a
push of the same image under another tag, the daemon is not asked for the image either.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from labs_helpers.oci.manifest import Manifest
from labs_helpers.oci.reference import Reference

from ..blobs import Layer
from ..credentials import Credentials
from ..errors import EngineError
from ..hosts import HostMap
from ..parallel import LARGE, Message
from ..push import AT_ONCE, local_tags, open_repository, push_errors, push_layers, push_manifest
from ..registry_client import Repository
from .daemon import RealDaemon
from .exports import Export
from .kept import push_kept, pushed_instead
from .memory import Memory


def push(
    reference: Reference,
    daemon: RealDaemon,
    memory: Memory,
    hosts: HostMap,
    credentials: Credentials,
    scratch: Path,
    image_id: str | None = None,
) -> Iterator[Message]:
    """Push one tag of the daemon, or every tag when the reference has none.

    With ``image_id``, push that image of the daemon under the tag of the reference, whatever its
    names are. Yields Docker's messages.

    Raises:
        EngineError: with dockerd's message; RegistryError when it is the registry's refusal.
    """
    yield {"status": f"The push refers to repository [{reference.name}]"}
    if reference.digest:
        raise EngineError("cannot push a digest reference")
    tags = [str(reference.tag)] if image_id else local_tags(reference, daemon.names())
    with push_errors(), open_repository(reference, hosts, credentials) as repository:
        for tag in tags:
            name = Reference(reference.domain, reference.path, tag)
            source = image_id or name.familiar
            found = daemon.inspect(source)
            if found is None:
                raise EngineError(f"tag does not exist: {name.familiar}")
            diff_ids = [str(one) for one in (found.get("RootFS") or {}).get("Layers") or []]
            new = {diff_id for diff_id in diff_ids if memory.layer(diff_id) is None}
            with (
                tempfile.TemporaryDirectory(dir=scratch) as folder,
                Export(Path(folder), diff_ids, new) as export,
            ):
                image = _DaemonImage(source, found, daemon, memory, export)
                layers = yield from push_layers(reference, diff_ids, image, repository)
                digest = yield from _push_manifests(tag, image, layers, repository)
            memory.remember_digest(f"{reference.name}@{digest}", image.id)
            memory.remember_name(str(name), image.id, None)


def _push_manifests(
    tag: str, image: _DaemonImage, layers: Sequence[Layer], repository: Repository
) -> Generator[Message, None, str]:
    kept = image.manifests()
    if kept:
        there = {layer.digest for layer in layers}
        digest = yield from push_kept(kept, tag, there, image.blob, repository)
        yield from image.pushed_instead()
        return digest
    return (yield from push_manifest(tag, image.config(), layers, repository))


class _DaemonImage:
    """An image of the daemon, exported when something of it is needed."""

    def __init__(
        self,
        source: str,
        found: dict[str, Any],
        daemon: RealDaemon,
        memory: Memory,
        export: Export,
    ) -> None:
        self.id = f"sha256:{found['Id'].removeprefix('sha256:')}"
        layers = (found.get("RootFS") or {}).get("Layers") or []
        large = int(found.get("Size") or 0) > 2 * LARGE and len(layers) > 1
        self.at_once = AT_ONCE if large else 1
        self.locations = memory.locations
        self.remember_location = memory.remember_location
        self._source, self._daemon = source, daemon
        self._memory, self._export = memory, export
        self._lock = threading.Lock()
        self._new = memory.config(self.id) is None

    def config(self) -> bytes:
        """The configuration, byte for byte."""
        known = self._memory.config(self.id)
        if known is None:
            known = self._receive().config()
            self._memory.remember_config(self.id, known)
        return known

    def manifests(self) -> Sequence[Manifest]:
        """The manifests that the daemon keeps it with; none where they are made."""
        if self._new and (kept := self._receive().kept()):
            self._memory.remember_manifests(self.id, kept.manifests)
            self.config()
        return self._memory.manifests(self.id)

    def pushed_instead(self) -> Iterator[Message]:
        """See ``kept.pushed_instead``: told when the daemon has just said so."""
        kept = self._receive().kept() if self._new else None
        return pushed_instead(kept) if kept else iter(())

    def blob(self, digest: str) -> BinaryIO:
        """A blob that one of the manifests names."""
        return self._receive().opened(digest)

    def known_blob(self, diff_id: str) -> Layer | None:
        return self._memory.layer(diff_id)

    def prepare(self, diff_id: str) -> Layer:
        layer = self._receive().layer(diff_id)
        self._memory.remember_layer(layer)
        return layer

    def open(self, layer: Layer) -> BinaryIO:
        return self._export.blobs.path(layer.digest).open("rb")

    def _receive(self) -> Export:
        with self._lock:
            self._export.start(self._daemon.export(self._source))
        return self._export
