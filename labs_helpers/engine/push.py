"""Push: what dockerd says and sends, in an order that does not vary.

Source of messages and order: daemon/internal/distribution/push_v2.go of
https://github.com/moby/moby
"""

from __future__ import annotations

import io
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import BinaryIO, Protocol

from labs_helpers.oci import digest as digests
from labs_helpers.oci.reference import Reference

from . import manifest
from .credentials import Credentials
from .errors import EngineError
from .hosts import HostMap, api_host
from .parallel import Job, Message, in_order, together
from .registry_client import Repository
from .registry_errors import RequestFailed
from .store import Image, ImageStore, Layer, NoSuchImage
from .upload import Blob

AT_ONCE = 5
"""dockerd uploads five layers at a time; those after say Waiting."""


class Layers(Protocol):
    """Where the layers of what is pushed come from; used from several threads."""

    @property
    def at_once(self) -> int:
        """How many of them to work on at a time."""

    def known(self, diff_id: str) -> Layer | None:
        """The blob that a layer was last sent or received as, whether or not it is at hand."""

    def ready(self, diff_id: str) -> Layer:
        """The blob that ``opened`` opens. Raises EngineError when it cannot be had."""

    def opened(self, layer: Layer) -> BinaryIO:
        """The bytes of a blob that is ready."""

    def locations(self, digest: str) -> Iterable[str]:
        """Repositories (``registry/path``) known to have a blob, the latest first."""

    def remember_location(self, digest: str, repository: str) -> None:
        """Note that a repository has a blob."""


def push(
    reference: Reference, store: ImageStore, hosts: HostMap, credentials: Credentials
) -> Iterator[Message]:
    """Push one tag, or every tag of a name that has none; yield Docker's progress messages.

    Raises:
        EngineError: with dockerd's message; RegistryError when it is the registry's refusal.
    """
    yield {"status": f"The push refers to repository [{reference.name}]"}
    if reference.digest:
        raise EngineError("cannot push a digest reference")
    tags = local_tags(reference, (name for image in store.list() for name in image.names))
    with push_errors(), opened_for_push(reference, hosts, credentials) as repository:
        for tag in tags:
            image = store.find(f"{reference.name}:{tag}")
            layers = _Stored(image, store)
            diff_ids = [layer.diff_id for layer in image.layers]
            digest = yield from push_image(
                reference, tag, image.config_bytes, diff_ids, layers, repository
            )
            _record(store, image, f"{reference.name}@{digest}")


def opened_for_push(reference: Reference, hosts: HostMap, credentials: Credentials) -> Repository:
    """The repository of a reference, to be pushed to."""
    host = api_host(reference.domain)
    return Repository(host, reference.path, hosts, credentials, "pull,push")


@contextmanager
def push_errors() -> Iterator[None]:
    """dockerd names the request that failed when it pulls, and only the cause when it pushes."""
    try:
        yield
    except RequestFailed as error:
        if isinstance(error.cause, EngineError) and error.cause.status == 401:
            raise error.cause from error
        raise


def local_tags(reference: Reference, names: Iterable[str]) -> list[str]:
    """The tags to push, of the canonical names that there are. Raises EngineError for none."""
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


def push_image(
    reference: Reference,
    tag: str,
    config: bytes,
    diff_ids: Sequence[str],
    layers: Layers,
    repository: Repository,
) -> Generator[Message, None, str]:
    """Push an image, given by its configuration and layers, lowest first; returns the digest.

    Raises as ``push`` does. The tag appears in the registry last, when everything else is there.
    """
    found = yield from push_layers(reference, diff_ids, layers, repository)
    return (yield from push_made(tag, config, found, repository))


def push_made(
    tag: str, config: bytes, layers: Sequence[Layer], repository: Repository
) -> Generator[Message, None, str]:
    """Push the configuration and a manifest made of it and the layers; returns its digest."""
    push_blob(repository, digests.of_bytes(config), len(config), lambda: io.BytesIO(config))
    body = manifest.manifest_of(config, layers)
    repository.put_manifest(tag, manifest.MEDIA_TYPE, body)
    digest = digests.of_bytes(body)
    yield from pushed(tag, digest, len(body))
    return digest


def push_layers(
    reference: Reference, diff_ids: Sequence[str], layers: Layers, repository: Repository
) -> Generator[Message, None, list[Layer]]:
    """Push the layers of an image, lowest first; returns the blobs that they are there."""
    upwards = list(reversed(diff_ids))
    for diff_id in upwards:
        yield _of(diff_id, "Preparing")
    for diff_id in upwards[AT_ONCE:]:
        yield _of(diff_id, "Waiting")
    at_once = layers.at_once
    pushing = _Pushing(reference, layers, repository, alone=at_once < 2)
    first = {diff_id: place for place, diff_id in reversed(list(enumerate(upwards)))}
    jobs: list[Job[Layer | None]] = [
        partial(pushing.push if first[diff_id] == place else pushing.repeat, diff_id)
        for place, diff_id in enumerate(upwards)
    ]
    sent = yield from in_order(jobs, at_once)
    found = {layer.diff_id: layer for layer in sent if layer}
    return [found[diff_id] for diff_id in diff_ids]


def push_blob(
    repository: Repository, digest: str, size: int, opened: Callable[[], BinaryIO]
) -> None:
    """Send a blob that nothing is told of, unless the repository has it. Raises as ``push``."""
    if not repository.has_blob(digest):
        for _ in repository.upload(digest, size, opened):
            pass


def pushed(tag: str, digest: str, size: int) -> Iterator[Message]:
    """What is said of a manifest of ``size`` bytes that a tag has now."""
    yield {"status": f"{tag}: digest: {digest} size: {size}"}
    yield {"progressDetail": {}, "aux": {"Tag": tag, "Digest": digest, "Size": size}}


class _Pushing:
    """The layers of one image on their way to one repository."""

    def __init__(
        self, reference: Reference, layers: Layers, repository: Repository, alone: bool
    ) -> None:
        self._reference, self._layers = reference, layers
        self._repository, self._alone = repository, alone

    def repeat(self, diff_id: str) -> Generator[Message, None, None]:
        """A layer that the image has more than once."""
        yield _of(diff_id, "Layer already exists")

    def push(self, diff_id: str) -> Generator[Message, None, Layer]:
        """Send a layer, unless the registry has it or takes it from another repository."""
        if self._alone:
            return (yield from self._push(diff_id, self._repository))
        with self._repository.another() as repository:
            return (yield from self._push(diff_id, repository))

    def _push(self, diff_id: str, repository: Repository) -> Generator[Message, None, Layer]:
        name = self._reference.name
        known = self._layers.known(diff_id)
        if known and repository.has_blob(known.digest):
            self._layers.remember_location(known.digest, name)
            yield _of(diff_id, "Layer already exists")
            return known
        sent: list[Layer] = []

        def prepared() -> Blob:
            sent.append(self._layers.ready(diff_id))
            return Blob(sent[0].digest, sent[0].size, lambda: self._layers.opened(sent[0]))

        source = self._mount_source(known)
        mount = (known.digest, source) if known and source else None
        done = "Pushed"
        for item in repository.send(prepared, mount):
            if known and isinstance(item, str):
                done, sent = f"Mounted from {item}", [known]
            elif isinstance(item, int):
                yield _of(diff_id, "Pushing", current=item, total=sent[0].size)
        yield _of(diff_id, done)
        self._layers.remember_location(sent[0].digest, name)
        return sent[0]

    def _mount_source(self, layer: Layer | None) -> str | None:
        """The path of a repository of the same registry that is known to have the layer."""
        prefix = f"{self._reference.domain}/"
        for known in self._layers.locations(layer.digest) if layer else ():
            if known.startswith(prefix) and known != self._reference.name:
                return known.removeprefix(prefix)
        return None


class _Stored:
    """The layers of an image of the store."""

    def __init__(self, image: Image, store: ImageStore) -> None:
        self._layers = {layer.diff_id: layer for layer in image.layers}
        self._store = store
        self.at_once = together([layer.size for layer in self._layers.values()], AT_ONCE)
        self.locations = store.locations
        self.remember_location = store.remember_location

    def known(self, diff_id: str) -> Layer:
        return self._layers[diff_id]

    ready = known

    def opened(self, layer: Layer) -> BinaryIO:
        return self._store.blobs.path(layer.digest).open("rb")


def _record(store: ImageStore, image: Image, name: str) -> None:
    try:
        store.tag(image, name)
    except NoSuchImage as error:
        raise EngineError(f"the image was removed while it was pushed: {error}") from error


def _of(diff_id: str, status: str, **detail: int) -> Message:
    short = diff_id.removeprefix("sha256:")[:12]
    return {"status": status, "progressDetail": detail, "id": short}
