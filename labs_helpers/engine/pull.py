"""Pull: the messages and requests of dockerd, in an order that does not vary.

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
from .parallel import Message, concurrency, run_in_order
from .platform import DEFAULT, Platform
from .registry_client import Repository
from .registry_errors import RegistryError
from .store import BlobError, Image, ImageStore, NoSuchImage
from .streams import map_generator, result_of

StoredLayer = TypeVar("StoredLayer", covariant=True)

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
    """Pull a tag or digest, or every tag when the reference has neither.

    Yields Docker's progress messages. The image appears in the store when it is complete and
    verified.

    Raises:
        EngineError: with dockerd's message and status.
    """
    target = platform or DEFAULT
    newer = False
    host = api_host(reference.domain)
    with (
        pull_errors(reference),
        Repository(host, reference.path, hosts, credentials) as repository,
    ):
        tags = [reference.digest or reference.tag] if reference.digest or reference.tag else []
        for tag in tags or repository.tags():
            newer |= yield from _pull_one(reference, str(tag), target, store, repository)
    yield status_message(reference, newer)


def status_message(reference: Reference, newer: bool) -> Message:
    """The last line of a pull."""
    state = "Downloaded newer image" if newer else "Image is up to date"
    return {"status": f"Status: {state} for {reference.familiar}"}


@contextmanager
def pull_errors(reference: Reference) -> Iterator[None]:
    """Reword a registry's refusals as dockerd does for a pull."""
    try:
        yield
    except RegistryError as error:
        raise _as_dockerd(error, reference) from error


def _as_dockerd(error: RegistryError, reference: Reference) -> EngineError:
    text = {
        "DENIED": f"pull access denied for {reference.familiar_name}, repository does not exist"
        " or may require 'docker login'",
        "MANIFEST_UNKNOWN": f"manifest for {reference.familiar} not found",
        "NAME_UNKNOWN": f"repository {reference.familiar_name} not found",
    }.get(error.code)
    if text and not error.faults[0].bare:
        return NotFound(f"{text}: {error.faults[0]}{_advice(error)}")
    return Unauthorized(str(error)) if error.code == "UNAUTHORIZED" else error


def _advice(error: RegistryError) -> str:
    """What to do about an image that the labs' stand-in for Docker Hub does not have."""
    images = sorted({image for fault in error.faults for image in fault.images})
    if not images:
        return ""
    if error.code != "MANIFEST_UNKNOWN":
        # every image has tags, so the list of images with their tags is long
        images = sorted({image.rpartition(":")[0] for image in images})
    return (
        f"\nThe labs' stand-in for the registry has {', '.join(images)}."
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
    image = yield from _fetch_image(manifest, reference, store, repository)
    yield {"status": f"Digest: {top.digest}"}
    pulled_name = f"{reference.name}:{tag}" if ":" not in tag else f"{reference.name}@{tag}"
    newer = _image_id(pulled_name, store) != image.id
    for name in dict.fromkeys((f"{reference.name}@{top.digest}", pulled_name)):
        store.tag(image, name, timed=False)
    return newer


def _fetch_image(
    manifest: Manifest, reference: Reference, store: ImageStore, repository: Repository
) -> Generator[Message, None, Image]:
    """The image of a manifest, fetched unless the store has it. Raises EngineError."""
    config = config_of(manifest)
    try:
        image = store.find(config.digest)
    except NoSuchImage:
        layers = yield from fetch_layers(manifest.layers, store, repository)
        document = fetch_config(config, repository)
        try:
            image = store.add_image(document, layers)
        except BlobError as error:
            raise EngineError(str(error)) from error
        except (ValueError, AttributeError, TypeError) as error:
            raise EngineError(MISMATCH) from error
    for layer in manifest.layers:
        store.remember_location(layer.digest, reference.name)
    return image


def config_of(manifest: Manifest) -> Descriptor:
    """The image configuration that a manifest names. Raises EngineError when it names another."""
    if manifest.config is None or manifest.config.media_type not in _CONFIGS:
        kind = manifest.config.media_type if manifest.config else manifest.media_type
        raise EngineError(
            f'Encountered remote "{kind}"(unknown) when fetching: this is not an image'
        )
    return manifest.config


def _image_id(name: str, store: ImageStore) -> str | None:
    try:
        return store.find(name).id
    except NoSuchImage:
        return None


def for_platform(manifest: Manifest, platform: Platform, repository: Repository) -> Manifest:
    """The manifest itself, or the manifest for the platform in an index. Raises NotFound."""
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


class LayerStore(Protocol, Generic[StoredLayer]):
    """Where fetched layers are stored; used from several threads."""

    def known_layer(self, digest: str) -> StoredLayer | None:
        """The stored layer for a blob digest, if there is one."""

    def receive_layer(self, source: BinaryIO, digest: str) -> Generator[int, None, StoredLayer]:
        """Verify and store a blob; yield the bytes received so far. Raises BlobError."""


def fetch_layers(
    descriptors: tuple[Descriptor, ...], store: LayerStore[StoredLayer], repository: Repository
) -> Generator[Message, None, list[StoredLayer]]:
    """Fetch the layers of a manifest that ``store`` lacks; return all of them as stored.

    Raises EngineError.
    """
    stored: dict[str, StoredLayer] = {}
    for descriptor in descriptors:
        if known := store.known_layer(descriptor.digest):
            stored[descriptor.digest] = known
            yield _message(descriptor, "Already exists")
        else:
            yield _message(descriptor, "Pulling fs layer")
    unique = {descriptor.digest: descriptor for descriptor in descriptors}
    missing = [descriptor for digest, descriptor in unique.items() if digest not in stored]
    at_once = concurrency([descriptor.size for descriptor in missing], AT_ONCE)
    jobs = [partial(_fetch_layer, d, store, repository, at_once > 1) for d in missing]
    fetched = yield from run_in_order(jobs, at_once)
    for descriptor, layer in zip(missing, fetched, strict=True):
        # the key is the manifest's digest: the store may compress a plain tar to another blob
        stored[descriptor.digest] = layer
        yield _message(descriptor, "Pull complete")
    return [stored[descriptor.digest] for descriptor in descriptors]


def _fetch_layer(
    descriptor: Descriptor,
    store: LayerStore[StoredLayer],
    repository: Repository,
    own_connection: bool,
) -> Generator[Message, None, StoredLayer]:
    with ExitStack() as stack:
        if own_connection:
            repository = stack.enter_context(repository.clone())
        stream = stack.enter_context(repository.blob(descriptor.digest))
        try:
            layer = yield from map_generator(
                lambda received: _message(
                    descriptor, "Downloading", current=received, total=descriptor.size
                ),
                store.receive_layer(stream, descriptor.digest),
            )
        except BlobError as error:
            raise EngineError(
                f"filesystem layer verification failed for digest {descriptor.digest}"
            ) from error
    yield _message(descriptor, "Verifying Checksum")
    yield _message(descriptor, "Download complete")
    return layer


def fetch_config(descriptor: Descriptor, repository: Repository) -> bytes:
    """Fetch and verify the configuration of an image. Raises EngineError."""
    with repository.blob(descriptor.digest) as stream:
        config = stream.read(_CONFIG_LIMIT)
    if digests.of_bytes(config) != descriptor.digest:
        raise EngineError(f"image config verification failed for digest {descriptor.digest}")
    return config


def _message(descriptor: Descriptor, status: str, **detail: int) -> Message:
    short = descriptor.digest.partition(":")[2][:12]
    return {"status": status, "progressDetail": detail, "id": short}


def pull_silently(
    reference: Reference, store: ImageStore, hosts: HostMap, credentials: Credentials
) -> Image:
    """Pull without messages; return the image. Raises as ``pull`` does."""
    for _ in pull(reference, store, hosts, credentials):
        pass
    return store.find(str(reference))


def fetch_without_name(
    reference: Reference,
    store: ImageStore,
    hosts: HostMap,
    credentials: Credentials,
    platform: Platform,
) -> Image:
    """Fetch the image for a platform without giving it the local name.

    For ``FROM`` in a build for another platform: the local name stays with the image that has it,
    so that the next build for the default platform finds it. Raises as ``pull`` does.
    """
    host = api_host(reference.domain)
    with (
        pull_errors(reference),
        Repository(host, reference.path, hosts, credentials) as repository,
    ):
        top = repository.manifest(str(reference.digest or reference.tag))
        manifest = for_platform(top, platform, repository)
        return result_of(_fetch_image(manifest, reference, store, repository))
