"""Push in front of a daemon: the image comes out of it, and our registry client sends it.

What the registry has already is neither compressed nor sent; when it has all of it, as after a
push of the same image under another tag, the daemon is not asked for the image either.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from labs_helpers.oci.reference import Reference

from ..blobs import Layer
from ..credentials import Credentials
from ..errors import EngineError
from ..hosts import HostMap
from ..parallel import LARGE, Message
from ..push import AT_ONCE, local_tags, opened_for_push, push_errors, push_image
from .daemon import RealDaemon
from .exports import Export
from .memory import Memory


def push(
    reference: Reference,
    daemon: RealDaemon,
    memory: Memory,
    hosts: HostMap,
    credentials: Credentials,
    scratch: Path,
) -> Iterator[Message]:
    """Push one tag of the daemon's, or every tag of a name that has none; yield Docker's messages.

    Raises:
        EngineError: with dockerd's message; RegistryError when it is the registry's refusal.
    """
    yield {"status": f"The push refers to repository [{reference.name}]"}
    if reference.digest:
        raise EngineError("cannot push a digest reference")
    tags = local_tags(reference, daemon.names())
    with push_errors(), opened_for_push(reference, hosts, credentials) as repository:
        for tag in tags:
            name = Reference(reference.domain, reference.path, tag)
            found = daemon.inspect(name.familiar)
            if found is None:
                raise EngineError(f"tag does not exist: {name.familiar}")
            diff_ids = [str(one) for one in (found.get("RootFS") or {}).get("Layers") or []]
            new = {diff_id for diff_id in diff_ids if memory.layer(diff_id) is None}
            with (
                tempfile.TemporaryDirectory(dir=scratch) as folder,
                Export(Path(folder), new) as export,
            ):
                image = _DaemonImage(name, found, daemon, memory, export)
                digest = yield from push_image(
                    reference, tag, image.config(), diff_ids, image, repository
                )
            memory.remember_digest(f"{reference.name}@{digest}", image.id)
            memory.remember_name(str(name), image.id, None)


class _DaemonImage:
    """An image of the daemon, exported when something of it is needed."""

    def __init__(
        self,
        name: Reference,
        found: dict[str, Any],
        daemon: RealDaemon,
        memory: Memory,
        export: Export,
    ) -> None:
        self.id = f"sha256:{found['Id'].removeprefix('sha256:')}"
        self._diff_ids = [str(one) for one in (found.get("RootFS") or {}).get("Layers") or []]
        large = int(found.get("Size") or 0) > 2 * LARGE and len(self._diff_ids) > 1
        self.at_once = AT_ONCE if large else 1
        self.locations = memory.locations
        self.remember_location = memory.remember_location
        self._name, self._daemon = name, daemon
        self._memory, self._export = memory, export
        self._lock = threading.Lock()
        self._received = False

    def config(self) -> bytes:
        """The configuration, byte for byte."""
        known = self._memory.config(self.id)
        if known is None:
            self._receive()
            known = self._export.config()
            self._memory.remember_config(self.id, known)
        return known

    def known(self, diff_id: str) -> Layer | None:
        return self._memory.layer(diff_id)

    def ready(self, diff_id: str) -> Layer:
        self._receive()
        layer = self._export.layer(diff_id)
        self._memory.remember_layer(layer)
        return layer

    def opened(self, layer: Layer) -> BinaryIO:
        return self._export.blobs.path(layer.digest).open("rb")

    def _receive(self) -> None:
        with self._lock:
            if not self._received:
                with self._daemon.export(self._name.familiar) as archive:
                    self._export.receive(archive, self._diff_ids)
                self._received = True
