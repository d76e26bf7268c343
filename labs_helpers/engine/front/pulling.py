"""Pull in front of a daemon: our registry client fetches the image, and the daemon loads it.

Blobs are verified here; the daemon compares what they hold with the configuration. It is given each
layer as soon as that is here, and has nothing of the image before it has them all.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import threading
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Self

from labs_helpers.oci.manifest import Manifest
from labs_helpers.oci.reference import Reference

from ..blobs import GZIP_TYPE, BlobError, Layer
from ..compression import GZIP, HEAD, CompressionError, decoder_of
from ..credentials import Credentials
from ..errors import EngineError
from ..hosts import HostMap, api_host
from ..parallel import Message
from ..platform import DEFAULT, Platform
from ..pull import (
    MISMATCH,
    config_of,
    fetch_config,
    fetch_layers,
    for_platform,
    pull_errors,
    status_message,
)
from ..registry_client import Repository
from ..streams import chunks
from .archives import archive
from .belongings import kept_name
from .daemon import RealDaemon
from .memory import Memory


def pull(
    reference: Reference,
    daemon: RealDaemon,
    memory: Memory,
    hosts: HostMap,
    credentials: Credentials,
    platform: Platform | None,
    scratch: Path,
) -> Iterator[Message]:
    """Pull a tag or digest, or every tag of a name without; yield Docker's progress messages.

    Nothing of the image shows in the daemon before all of it is here and verified.

    Raises:
        EngineError: with dockerd's message and status; DaemonError when the daemon refuses it.
    """
    newer = False
    host = api_host(reference.domain)
    with (
        pull_errors(reference),
        Repository(host, reference.path, hosts, credentials) as repository,
    ):
        wanted = reference.digest or reference.tag
        for tag in [wanted] if wanted else repository.tags():
            top = repository.manifest(tag)
            manifest = for_platform(top, platform or DEFAULT, repository)
            yield {"status": f"Pulling from {reference.path}", "id": tag}
            named = None if ":" in tag else Reference(reference.domain, reference.path, tag)
            before = daemon.image_id(named.familiar) if named else None
            there = _there(manifest, daemon)
            if named and before and before not in (there, manifest.digest):
                _keep(named, before, daemon, memory)
            if there:
                yield from _already(manifest)
                image = there
            else:
                image = yield from _loaded(manifest, named, daemon, memory, repository, scratch)
            if named and there and before != there:
                daemon.tag(there, named)
            yield {"status": f"Digest: {top.digest}"}
            newer |= image != before if named else not there
            for digest in {top.digest, manifest.digest}:
                memory.remember_digest(f"{reference.name}@{digest}", image)
            if named:
                memory.remember_name(str(named), image, before)
            for layer in manifest.layers:
                memory.remember_location(layer.digest, reference.name)
    yield status_message(reference, newer)


def _already(manifest: Manifest) -> Iterator[Message]:
    for layer in manifest.layers:
        short = layer.digest.partition(":")[2][:12]
        yield {"status": "Already exists", "progressDetail": {}, "id": short}


def _keep(named: Reference, image: str, daemon: RealDaemon, memory: Memory) -> None:
    """Give the image that loses its name another one, unless it is one of ours itself."""
    ours = {name: given for name, given, _ in memory.names()}
    if ours.get(str(named)) != image:
        daemon.tag(image, kept_name(named))


def _there(manifest: Manifest, daemon: RealDaemon) -> str | None:
    """The ID of an image that the daemon has already.

    It is the digest of its configuration, or where images are in containerd's store that of its
    manifest.
    """
    for digest in (config_of(manifest).digest, manifest.digest):
        if found := daemon.image_id(digest):
            return found
    return None


def _loaded(
    manifest: Manifest,
    named: Reference | None,
    daemon: RealDaemon,
    memory: Memory,
    repository: Repository,
    scratch: Path,
) -> Generator[Message, None, str]:
    """Fetch the image, and give it to the daemon under its name; returns the daemon's ID."""
    config = fetch_config(config_of(manifest), repository)
    diff_ids = _diff_ids(config, len(manifest.layers))
    packed = daemon.keeps_layers_packed()
    with (
        tempfile.TemporaryDirectory(dir=scratch) as folder,
        ThreadPoolExecutor(1, "load") as loader,
        _Passing(Path(folder), packed) as passing,
    ):
        archived = archive(manifest, config, named, passing.file, packed)
        loading = loader.submit(daemon.load, archived)
        gzip = yield from fetch_layers(manifest.layers, passing, repository)
        loading.result()
    for diff_id, layer, gzipped in zip(diff_ids, manifest.layers, gzip, strict=True):
        if gzipped:
            memory.remember_layer(Layer(diff_id, layer.digest, layer.size, GZIP_TYPE))
    found = daemon.image_id(named.familiar) if named else _there(manifest, daemon)
    image = found or config_of(manifest).digest
    memory.remember_config(image, config)
    if image == manifest.digest:
        memory.remember_manifests(image, [manifest])
    return image


class _Passing:
    """Layers on their way, in files: as they come, or unpacked; told whether they were gzip."""

    def __init__(self, folder: Path, packed: bool) -> None:
        self._folder, self._packed = folder, packed
        self._files: dict[str, Path] = {}
        self._changed = threading.Condition()
        self._over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def file(self, digest: str) -> Path:
        """The file of a layer, once it is whole and verified. Raises EngineError: it never was."""
        with self._changed:
            self._changed.wait_for(lambda: self._over or digest in self._files)
            if digest not in self._files:
                raise EngineError(f"the layer {digest} was not fetched")
            return self._files[digest]

    def known_layer(self, _: str) -> bool:
        return False

    def receive_layer(self, source: BinaryIO, digest: str) -> Generator[int, None, bool]:
        path = self._folder / digest.removeprefix("sha256:")
        content, received = hashlib.sha256(), 0
        head = source.read(HEAD)
        decoder = None if self._packed else decoder_of(head)
        try:
            with path.open("wb") as file:
                for data in chain([head], chunks(source)):
                    content.update(data)
                    received += len(data)
                    file.writelines(decoder.feed(data) if decoder else [data])
                    yield received
                file.writelines(decoder.finish() if decoder else [])
        except CompressionError as error:
            raise BlobError(str(error)) from error
        if f"sha256:{content.hexdigest()}" != digest:
            raise BlobError(f"content is not {digest}")
        with self._changed:
            self._files[digest] = path
            self._changed.notify_all()
        return head.startswith(GZIP)


def _diff_ids(config: bytes, count: int) -> list[str]:
    try:
        found = json.loads(config)["rootfs"]["diff_ids"]
    except (ValueError, KeyError, TypeError) as error:
        raise EngineError(MISMATCH) from error
    if not isinstance(found, list) or len(found) != count:
        raise EngineError(MISMATCH)
    return [str(one) for one in found]
