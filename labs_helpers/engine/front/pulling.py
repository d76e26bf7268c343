"""Pull an image for the daemon: our registry client fetches it, and the daemon loads it.

Our client verifies every blob. The daemon compares the layers with the configuration. It gets each
layer as soon as the layer is here, and shows nothing of the image before it has all layers.
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
from ..hosts import api_host
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
from .archive_writer import image_archive
from .leftovers import backup_name
from .resources import Resources


def pull(
    reference: Reference, credentials: Credentials, platform: Platform | None, resources: Resources
) -> Iterator[Message]:
    """Pull a tag or digest, or every tag of a name without one; yield Docker's messages.

    The daemon shows nothing of an image before all of it is here and verified.

    Raises:
        EngineError: with dockerd's message and status; DaemonError when the daemon refuses it.
    """
    newer = False
    host = api_host(reference.domain)
    with (
        pull_errors(reference),
        Repository(host, reference.path, resources.hosts, credentials) as repository,
    ):
        wanted = reference.digest or reference.tag
        for tag in [wanted] if wanted else repository.tags():
            newer |= yield from _pull_tag(
                reference, tag, platform or DEFAULT, repository, resources
            )
    yield status_message(reference, newer)


def _pull_tag(
    reference: Reference, tag: str, platform: Platform, repository: Repository, resources: Resources
) -> Generator[Message, None, bool]:
    """Pull one tag or digest; return whether the daemon got something new."""
    top = repository.manifest(tag)
    manifest = for_platform(top, platform, repository)
    yield {"status": f"Pulling from {reference.path}", "id": tag}
    name = None if ":" in tag else Reference(reference.domain, reference.path, tag)
    before = resources.daemon.image_id(name.familiar) if name else None
    present = _present_id(manifest, resources)
    if name and before and before not in (present, manifest.digest):
        _back_up(name, before, resources)
    if present:
        yield from _already_exists(manifest)
        image = present
    else:
        image = yield from _load(manifest, name, repository, resources)
    if name and present and before != present:
        resources.daemon.tag(present, name)
    yield {"status": f"Digest: {top.digest}"}
    for digest in {top.digest, manifest.digest}:
        resources.records.remember_digest(f"{reference.name}@{digest}", image)
    if name:
        resources.records.remember_name(str(name), image, before)
    for layer in manifest.layers:
        resources.records.remember_location(layer.digest, reference.name)
    return image != before if name else not present


def _already_exists(manifest: Manifest) -> Iterator[Message]:
    for layer in manifest.layers:
        short = layer.digest.partition(":")[2][:12]
        yield {"status": "Already exists", "progressDetail": {}, "id": short}


def _back_up(name: Reference, image: str, resources: Resources) -> None:
    """Give another name to the image that loses ``name``, unless an earlier pull brought it."""
    recorded = {known: of for known, of, _ in resources.records.names()}
    if recorded.get(str(name)) != image:
        resources.daemon.tag(image, backup_name(name))


def _present_id(manifest: Manifest, resources: Resources) -> str | None:
    """Return the ID of an image that the daemon has already.

    The ID is the digest of the configuration, or with containerd's store that of the manifest.
    """
    for digest in (config_of(manifest).digest, manifest.digest):
        if found := resources.daemon.image_id(digest):
            return found
    return None


def _load(
    manifest: Manifest, name: Reference | None, repository: Repository, resources: Resources
) -> Generator[Message, None, str]:
    """Fetch an image, load it into the daemon under its name, and return its ID there."""
    config = fetch_config(config_of(manifest), repository)
    diff_ids = _diff_ids(config, len(manifest.layers))
    compressed = resources.daemon.keeps_layers_compressed()
    with (
        tempfile.TemporaryDirectory(dir=resources.scratch) as folder,
        ThreadPoolExecutor(1, "load") as loader,
        _LayerFiles(Path(folder), compressed) as files,
    ):
        archive = image_archive(manifest, config, name, files.wait_for, compressed)
        loading = loader.submit(resources.daemon.load, archive)
        gzip = yield from fetch_layers(manifest.layers, files, repository)
        loading.result()
    for diff_id, layer, is_gzip in zip(diff_ids, manifest.layers, gzip, strict=True):
        if is_gzip:
            resources.records.remember_layer(Layer(diff_id, layer.digest, layer.size, GZIP_TYPE))
    found = resources.daemon.image_id(name.familiar) if name else _present_id(manifest, resources)
    image = found or config_of(manifest).digest
    resources.records.remember_config(image, config)
    if image == manifest.digest:
        resources.records.remember_manifests(image, [manifest])
    return image


class _LayerFiles:
    """The files of layers between the registry and the daemon, compressed or unpacked.

    ``receive_layer`` returns whether a layer came as gzip.
    """

    def __init__(self, folder: Path, compressed: bool) -> None:
        self._folder, self._compressed = folder, compressed
        self._files: dict[str, Path] = {}
        self._changed = threading.Condition()
        self._over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def wait_for(self, digest: str) -> Path:
        """Wait until a layer is here and verified. Raises EngineError if the pull ends first."""
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
        decoder = None if self._compressed else decoder_of(head)
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
    return [str(diff_id) for diff_id in found]
