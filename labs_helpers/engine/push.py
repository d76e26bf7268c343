"""Push: the messages and requests of dockerd, in an order that does not vary.

Source of messages and order: daemon/internal/distribution/push_v2.go of
https://github.com/moby/moby
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import BinaryIO, Protocol

from labs_helpers.oci import digest as digests
from labs_helpers.oci import media_types
from labs_helpers.oci.reference import Reference

from .credentials import Credentials
from .errors import EngineError
from .hosts import HostMap, api_host
from .parallel import Job, Message, concurrency, run_in_order
from .registry_client import Repository
from .registry_errors import RequestFailed
from .store import Image, ImageStore, Layer, NoSuchImage
from .streams import map_generator, result_of
from .upload import Blob

AT_ONCE = 5
"""dockerd uploads five layers at a time; it says Waiting for the others."""


class LayerSource(Protocol):
    """Where the layers of a push come from; used from several threads."""

    @property
    def at_once(self) -> int:
        """How many layers to push at a time."""

    def known_blob(self, diff_id: str) -> Layer | None:
        """The blob that this layer was last sent or received as, if any; it may be gone here."""

    def prepare(self, diff_id: str) -> Layer:
        """Make the blob of a layer ready to open. Raises EngineError when that fails."""

    def open(self, layer: Layer) -> BinaryIO:
        """The bytes of a blob that is ready."""

    def locations(self, digest: str) -> Iterable[str]:
        """Repositories (``registry/path``) known to have a blob, the most recent first."""

    def remember_location(self, digest: str, repository: str) -> None:
        """Record that a repository has a blob."""


def push(
    reference: Reference, store: ImageStore, hosts: HostMap, credentials: Credentials
) -> Iterator[Message]:
    """Push one tag, or every tag when the reference has none; yield Docker's progress messages.

    Raises:
        EngineError: with dockerd's message; RegistryError when the registry refuses.
    """
    yield {"status": f"The push refers to repository [{reference.name}]"}
    if reference.digest:
        raise EngineError("cannot push a digest reference")
    tags = local_tags(reference, (name for image in store.list() for name in image.names))
    with push_errors(), open_repository(reference, hosts, credentials) as repository:
        for tag in tags:
            image = store.find(f"{reference.name}:{tag}")
            diff_ids = [layer.diff_id for layer in image.layers]
            layers = yield from push_layers(
                reference, diff_ids, _StoredLayers(image, store), repository
            )
            digest = yield from push_manifest(tag, image.config_bytes, layers, repository)
            try:
                store.tag(image, f"{reference.name}@{digest}")
            except NoSuchImage as error:
                raise EngineError(f"the image was removed while it was pushed: {error}") from error


def open_repository(reference: Reference, hosts: HostMap, credentials: Credentials) -> Repository:
    """The repository of a reference, for a push."""
    host = api_host(reference.domain)
    return Repository(host, reference.path, hosts, credentials, "pull,push")


@contextmanager
def push_errors() -> Iterator[None]:
    """Report a refused login as dockerd does for a push: the cause only, without the request."""
    try:
        yield
    except RequestFailed as error:
        if isinstance(error.cause, EngineError) and error.cause.status == 401:
            raise error.cause from error
        raise


def local_tags(reference: Reference, names: Iterable[str]) -> list[str]:
    """The tags to push, out of the canonical names of all images. Raises EngineError for none."""
    prefix = f"{reference.name}:"
    tags = sorted(name.removeprefix(prefix) for name in names if name.startswith(prefix))
    if not tags:
        raise EngineError(
            f"An image does not exist locally with the tag: {reference.familiar_name}"
        )
    if reference.tag is None:
        return tags
    if reference.tag not in tags:
        raise EngineError(f"tag does not exist: {reference.familiar}")
    return [reference.tag]


def push_manifest(
    tag: str, config: bytes, layers: Sequence[Layer], repository: Repository
) -> Generator[Message, None, str]:
    """Push the configuration, then a manifest of the configuration and the pushed layers.

    The tag appears in the registry last. Returns the digest of the manifest; raises as ``push``.
    """
    push_blob(repository, digests.of_bytes(config), len(config), lambda: io.BytesIO(config))
    body = docker_manifest(config, layers)
    repository.put_manifest(tag, media_types.DOCKER_MANIFEST, body)
    digest = digests.of_bytes(body)
    yield from pushed_messages(tag, digest, len(body))
    return digest


def docker_manifest(config: bytes, layers: Sequence[Layer]) -> bytes:
    """The Docker schema 2 manifest of an image, byte for byte as dockerd writes it.

    Source: https://distribution.github.io/distribution/spec/manifest-v2-2/
    """
    document = {
        "schemaVersion": 2,
        "mediaType": media_types.DOCKER_MANIFEST,
        "config": {
            "mediaType": media_types.DOCKER_CONFIG,
            "size": len(config),
            "digest": digests.of_bytes(config),
        },
        "layers": [
            {
                "mediaType": media_types.DOCKER_LAYER_GZIP,
                "size": layer.size,
                "digest": layer.digest,
            }
            for layer in layers
        ],
    }
    return json.dumps(document, indent=3).encode()


def push_layers(
    reference: Reference, diff_ids: Sequence[str], layers: LayerSource, repository: Repository
) -> Generator[Message, None, list[Layer]]:
    """Push the layers of an image, lowest first; return their blobs in the registry."""
    upwards = list(reversed(diff_ids))
    for diff_id in upwards:
        yield _message(diff_id, "Preparing")
    for diff_id in upwards[AT_ONCE:]:
        yield _message(diff_id, "Waiting")
    at_once = layers.at_once
    pusher = _LayerPusher(reference, layers, repository, own_connections=at_once > 1)
    jobs: list[Job[Layer | None]] = []
    for place, diff_id in enumerate(upwards):
        is_repeated = diff_id in upwards[:place]
        jobs.append(partial(pusher.skip if is_repeated else pusher.push, diff_id))
    pushed = yield from run_in_order(jobs, at_once)
    by_diff_id = {layer.diff_id: layer for layer in pushed if layer}
    return [by_diff_id[diff_id] for diff_id in diff_ids]


def push_blob(repository: Repository, digest: str, size: int, open: Callable[[], BinaryIO]) -> None:
    """Send a blob without messages, unless the repository has it. Raises as ``push``."""
    if not repository.has_blob(digest):
        result_of(repository.upload(lambda: Blob(digest, size, open)))


def pushed_messages(tag: str, digest: str, size: int) -> Iterator[Message]:
    """The messages that a tag now names a manifest of ``size`` bytes."""
    yield {"status": f"{tag}: digest: {digest} size: {size}"}
    yield {"progressDetail": {}, "aux": {"Tag": tag, "Digest": digest, "Size": size}}


class _LayerPusher:
    """Pushes the layers of one image to one repository."""

    def __init__(
        self,
        reference: Reference,
        layers: LayerSource,
        repository: Repository,
        own_connections: bool,
    ) -> None:
        self._reference, self._layers, self._repository = reference, layers, repository
        self._own_connections = own_connections

    def skip(self, diff_id: str) -> Generator[Message, None, None]:
        """Report a layer that an earlier job of the same image pushes."""
        yield _message(diff_id, "Layer already exists")

    def push(self, diff_id: str) -> Generator[Message, None, Layer]:
        """Send a layer, unless the registry has it or mounts it from another repository."""
        if not self._own_connections:
            return (yield from self._push(diff_id, self._repository))
        with self._repository.clone() as repository:
            return (yield from self._push(diff_id, repository))

    def _push(self, diff_id: str, repository: Repository) -> Generator[Message, None, Layer]:
        name = self._reference.name
        layer = self._layers.known_blob(diff_id)
        if layer and repository.has_blob(layer.digest):
            self._layers.remember_location(layer.digest, name)
            yield _message(diff_id, "Layer already exists")
            return layer
        source = self._mount_source(layer)
        size = 0

        def blob() -> Blob:
            nonlocal layer, size
            ready = layer = self._layers.prepare(diff_id)
            size = ready.size
            return Blob(ready.digest, size, lambda: self._layers.open(ready))

        mount = (layer.digest, source) if layer and source else None
        mounted = yield from map_generator(
            lambda sent: _message(diff_id, "Pushing", current=sent, total=size),
            repository.upload(blob, mount),
        )
        yield _message(diff_id, f"Mounted from {source}" if mounted else "Pushed")
        assert layer, "an upload is either mounted from a known blob or made ready"
        self._layers.remember_location(layer.digest, name)
        return layer

    def _mount_source(self, layer: Layer | None) -> str | None:
        """The path of another repository of this registry that is known to have the layer."""
        prefix = f"{self._reference.domain}/"
        for known in self._layers.locations(layer.digest) if layer else ():
            if known.startswith(prefix) and known != self._reference.name:
                return known.removeprefix(prefix)
        return None


class _StoredLayers:
    """The layers of an image in the store."""

    def __init__(self, image: Image, store: ImageStore) -> None:
        self._layers = {layer.diff_id: layer for layer in image.layers}
        self._store = store
        self.at_once = concurrency([layer.size for layer in self._layers.values()], AT_ONCE)
        self.locations = store.locations
        self.remember_location = store.remember_location

    def known_blob(self, diff_id: str) -> Layer:
        return self._layers[diff_id]

    def prepare(self, diff_id: str) -> Layer:
        return self._layers[diff_id]

    def open(self, layer: Layer) -> BinaryIO:
        return self._store.blobs.path(layer.digest).open("rb")


def _message(diff_id: str, status: str, **detail: int) -> Message:
    short = diff_id.removeprefix("sha256:")[:12]
    return {"status": status, "progressDetail": detail, "id": short}
