"""Pull: what dockerd says and fetches, in an order that does not vary.

Source of messages and order: daemon/internal/distribution/pull_v2.go and errors.go of
https://github.com/moby/moby
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import BinaryIO, Generic, Protocol, TypeVar

from labs_helpers.oci import digest as digests
from labs_helpers.oci import media_types
from labs_helpers.oci.manifest import Descriptor, Manifest
from labs_helpers.oci.reference import Reference

from .credentials import Credentials
from .errors import EngineError, NotFound, Unauthorized
from .hosts import HostMap, api_host
from .parallel import Message, in_order, together
from .platform import DEFAULT, Platform
from .registry_client import Repository
from .registry_errors import RegistryError
from .store import BlobError, Image, ImageStore, NoSuchImage

Kept = TypeVar("Kept", covariant=True)

AT_ONCE = 3
"""dockerd downloads three layers at a time."""

MISMATCH = "layers from manifest don't match image configuration"
_CONFIG_LIMIT = 8 * 1024 * 1024
_CONFIGS = {media_types.DOCKER_CONFIG, media_types.OCI_CONFIG}


def pull(
    reference: Reference,
    store: ImageStore,
    hosts: HostMap,
    credentials: Credentials,
    platform: Platform | None = None,
) -> Iterator[Message]:
    """Pull a tag or digest, or every tag of a name without; yield Docker's progress messages.

    Nothing of the image shows in the store before all of it is there and verified.

    Raises:
        EngineError: with dockerd's message and status.
    """
    wanted = platform or DEFAULT
    newer = False
    host = api_host(reference.domain)
    with (
        pull_errors(reference),
        Repository(host, reference.path, hosts, credentials) as repository,
    ):
        tags = [reference.digest or reference.tag] if reference.digest or reference.tag else []
        for tag in tags or repository.tags():
            newer |= yield from _pull_one(reference, str(tag), wanted, store, repository)
    yield status(reference, newer)


def status(reference: Reference, newer: bool) -> Message:
    """The last line of a pull."""
    state = "Downloaded newer image" if newer else "Image is up to date"
    return {"status": f"Status: {state} for {reference.familiar}"}


@contextmanager
def pull_errors(reference: Reference) -> Iterator[None]:
    """A registry's refusals in the words that dockerd has for a pull."""
    try:
        yield
    except RegistryError as error:
        raise _translated(error, reference) from error


def _translated(error: RegistryError, reference: Reference) -> EngineError:
    said = {
        "DENIED": f"pull access denied for {reference.familiar_name}, repository does not exist"
        " or may require 'docker login'",
        "MANIFEST_UNKNOWN": f"manifest for {reference.familiar} not found",
        "NAME_UNKNOWN": f"repository {reference.familiar_name} not found",
    }.get(error.code)
    if said and not error.faults[0].bare:
        return NotFound(f"{said}: {error.faults[0]}{_instead(error)}")
    return Unauthorized(str(error)) if error.code == "UNAUTHORIZED" else error


def _instead(error: RegistryError) -> str:
    """After Docker's words for an image that the labs' stand-in for Docker Hub does not have."""
    images = [image for fault in error.faults for image in fault.images]
    if not images or error.code != "DENIED":
        return ""
    names = ", ".join(sorted({image.rpartition(":")[0] for image in images}))
    return (
        f"\nThe labs' stand-in for the registry has {names}."
        " To take the real one: LABS_HUB=online labs start"
    )


def _pull_one(
    reference: Reference,
    tag: str,
    platform: Platform,
    store: ImageStore,
    repository: Repository,
) -> Generator[Message, None, bool]:
    top = repository.manifest(tag)
    manifest = for_platform(top, platform, repository)
    yield {"status": f"Pulling from {reference.path}", "id": tag}
    image = yield from _image(manifest, reference, store, repository)
    yield {"status": f"Digest: {top.digest}"}
    named = f"{reference.name}:{tag}" if ":" not in tag else f"{reference.name}@{tag}"
    newer = _image_of(named, store) != image.id
    for name in dict.fromkeys((f"{reference.name}@{top.digest}", named)):
        store.tag(image, name, timed=False)
    return newer


def _image(
    manifest: Manifest, reference: Reference, store: ImageStore, repository: Repository
) -> Generator[Message, None, Image]:
    image = yield from fetch_image(manifest, store, repository)
    for layer in manifest.layers:
        store.remember_location(layer.digest, reference.name)
    return image


def fetch_image(
    manifest: Manifest, store: ImageStore, repository: Repository
) -> Generator[Message, None, Image]:
    """The image of a manifest, fetched unless the store has it. Raises EngineError."""
    config = config_of(manifest)
    try:
        return store.find(config.digest)
    except NoSuchImage:
        return (yield from _fetch(manifest, config, store, repository))


def config_of(manifest: Manifest) -> Descriptor:
    """The configuration that a manifest names. Raises EngineError when it is not an image's."""
    if manifest.config is None or manifest.config.media_type not in _CONFIGS:
        kind = manifest.config.media_type if manifest.config else manifest.media_type
        raise EngineError(f'Encountered remote "{kind}" when fetching: this is not an image')
    return manifest.config


def _fetch(
    manifest: Manifest, config: Descriptor, store: ImageStore, repository: Repository
) -> Generator[Message, None, Image]:
    layers = yield from fetch_layers(manifest.layers, store, repository)
    document = fetch_config(config, repository)
    try:
        return store.add_image(document, layers)
    except BlobError as error:
        raise EngineError(str(error)) from error
    except (ValueError, AttributeError, TypeError) as error:
        raise EngineError(MISMATCH) from error


def _image_of(name: str, store: ImageStore) -> str | None:
    try:
        return store.find(name).id
    except NoSuchImage:
        return None


def for_platform(manifest: Manifest, platform: Platform, repository: Repository) -> Manifest:
    """The manifest itself, or the one of an index that serves. Raises NotFound."""
    if not manifest.is_index:
        return manifest
    for entry in manifest.manifests:
        offered = entry.platform or {}
        described = [str(offered.get(key) or "") for key in ("os", "architecture", "variant")]
        if platform.fits(*described):
            chosen = repository.manifest(entry.digest)
            if not chosen.is_index:
                return chosen
    raise NotFound(f"no matching manifest for {platform} in the manifest list entries")


class LayerStore(Protocol, Generic[Kept]):
    """Where layers that are fetched go; used from several threads."""

    def known_layer(self, digest: str) -> Kept | None:
        """What is kept already of the blob of this digest."""

    def receiving_layer(self, source: BinaryIO, digest: str) -> Generator[int, None, Kept]:
        """Keep a blob, verified; yield the bytes received so far. Raises BlobError."""


def fetch_layers(
    descriptors: tuple[Descriptor, ...], store: LayerStore[Kept], repository: Repository
) -> Generator[Message, None, list[Kept]]:
    """What ``store`` makes of the layers of a manifest, those it has not fetched.

    Raises EngineError.
    """
    found: dict[str, Kept] = {}
    for descriptor in descriptors:
        if known := store.known_layer(descriptor.digest):
            found[descriptor.digest] = known
            yield _of(descriptor, "Already exists")
        else:
            yield _of(descriptor, "Pulling fs layer")
    unique = {descriptor.digest: descriptor for descriptor in descriptors}
    missing = [descriptor for digest, descriptor in unique.items() if digest not in found]
    at_once = together([descriptor.size for descriptor in missing], AT_ONCE)
    jobs = [partial(_fetch_layer, d, store, repository, at_once < 2) for d in missing]
    fetched = yield from in_order(jobs, at_once)
    for descriptor, layer in zip(missing, fetched, strict=True):
        # under the manifest's digest: a layer that came as a plain tar is kept under another
        found[descriptor.digest] = layer
        yield _of(descriptor, "Pull complete")
    return [found[descriptor.digest] for descriptor in descriptors]


def _fetch_layer(
    descriptor: Descriptor, store: LayerStore[Kept], repository: Repository, alone: bool
) -> Generator[Message, None, Kept]:
    with ExitStack() as stack:
        if not alone:
            repository = stack.enter_context(repository.another())
        stream = stack.enter_context(repository.blob(descriptor.digest))
        receiving = store.receiving_layer(stream, descriptor.digest)
        try:
            while True:
                received = next(receiving)
                yield _of(descriptor, "Downloading", current=received, total=descriptor.size)
        except StopIteration as end:
            layer: Kept = end.value
        except BlobError as error:
            raise EngineError(
                f"filesystem layer verification failed for digest {descriptor.digest}"
            ) from error
    yield _of(descriptor, "Verifying Checksum")
    yield _of(descriptor, "Download complete")
    return layer


def fetch_config(descriptor: Descriptor, repository: Repository) -> bytes:
    """The configuration of an image, verified. Raises EngineError."""
    with repository.blob(descriptor.digest) as stream:
        config = stream.read(_CONFIG_LIMIT)
    if digests.of_bytes(config) != descriptor.digest:
        raise EngineError(f"image config verification failed for digest {descriptor.digest}")
    return config


def _of(descriptor: Descriptor, status: str, **detail: int) -> Message:
    short = descriptor.digest.partition(":")[2][:12]
    return {"status": status, "progressDetail": detail, "id": short}


def pull_quietly(
    reference: Reference, store: ImageStore, hosts: HostMap, credentials: Credentials
) -> Image:
    """Pull without telling; the image it gave. Raises as ``pull`` does."""
    for _ in pull(reference, store, hosts, credentials):
        pass
    return store.find(str(reference))


def fetch_unnamed(
    reference: Reference,
    store: ImageStore,
    hosts: HostMap,
    credentials: Credentials,
    platform: Platform,
) -> Image:
    """Get the image of a platform and leave the local name to the one that has it.

    For ``FROM`` in a build for another platform: the next build for this one begins where it
    began before. Raises as ``pull`` does.
    """
    host = api_host(reference.domain)
    with (
        pull_errors(reference),
        Repository(host, reference.path, hosts, credentials) as repository,
    ):
        top = repository.manifest(str(reference.digest or reference.tag))
        messages = _image(for_platform(top, platform, repository), reference, store, repository)
        try:
            while True:
                next(messages)
        except StopIteration as done:
            image: Image = done.value
            return image
