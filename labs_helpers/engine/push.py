"""Push: what dockerd says and sends, in an order that does not vary.

Source of messages and order: daemon/internal/distribution/push_v2.go of
https://github.com/moby/moby
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from labs_helpers.oci import digest as digests
from labs_helpers.oci.reference import Reference

from . import manifest
from .client import Repository, open_file
from .credentials import Credentials
from .errors import EngineError
from .hosts import HostMap, api_host
from .registry_errors import RequestFailed
from .store import Image, ImageStore, Layer, NoSuchImage

Message = dict[str, Any]

_AT_ONCE = 5
"""dockerd uploads five layers at a time; those after say Waiting."""


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
    tags = _local_tags(reference, store)
    host = api_host(reference.domain)
    with Repository(host, reference.path, hosts, credentials, "pull,push") as repository:
        try:
            for tag in tags:
                image = store.find(f"{reference.name}:{tag}")
                yield from _push_tag(reference, tag, image, store, repository)
        except RequestFailed as error:
            # dockerd names the request when it pulls, and only the cause when it pushes
            if isinstance(error.cause, EngineError) and error.cause.status == 401:
                raise error.cause from error
            raise


def _local_tags(reference: Reference, store: ImageStore) -> list[str]:
    prefix = f"{reference.name}:"
    tags = sorted(
        name.removeprefix(prefix)
        for image in store.list()
        for name in image.names
        if name.startswith(prefix)
    )
    if not tags:
        raise EngineError(
            f"An image does not exist locally with the tag: {reference.familiar_name}"
        )
    if reference.tag is None:
        return tags
    if reference.tag not in tags:
        raise EngineError(f"tag does not exist: {reference.familiar}")
    return [reference.tag]


def _push_tag(
    reference: Reference, tag: str, image: Image, store: ImageStore, repository: Repository
) -> Iterator[Message]:
    layers = list(reversed(image.layers))
    for layer in layers:
        yield _of(layer, "Preparing")
    for layer in layers[_AT_ONCE:]:
        yield _of(layer, "Waiting")
    sent: set[str] = set()
    for layer in layers:
        if layer.digest in sent:
            yield _of(layer, "Layer already exists")
            continue
        yield from _push_layer(layer, reference, store, repository)
        sent.add(layer.digest)
    if not repository.has_blob(image.id):
        config = image.config_bytes
        for _ in repository.upload(image.id, len(config), lambda: io.BytesIO(config)):
            pass
    body = manifest.manifest_of(image)
    digest = digests.of_bytes(body)
    repository.put_manifest(tag, manifest.MEDIA_TYPE, body)
    _record(store, image, f"{reference.name}@{digest}")
    yield {"status": f"{tag}: digest: {digest} size: {len(body)}"}
    yield {"progressDetail": {}, "aux": {"Tag": tag, "Digest": digest, "Size": len(body)}}


def _push_layer(
    layer: Layer, reference: Reference, store: ImageStore, repository: Repository
) -> Iterator[Message]:
    if repository.has_blob(layer.digest):
        store.remember_location(layer.digest, reference.name)
        yield _of(layer, "Layer already exists")
        return
    path = store.blobs.path(layer.digest)
    source = _mount_source(layer, reference, store)
    for item in repository.upload(layer.digest, layer.size, open_file(path), source):
        if isinstance(item, str):
            yield _of(layer, f"Mounted from {item}")
            break
        yield _of(layer, "Pushing", current=item, total=layer.size)
    else:
        yield _of(layer, "Pushed")
    store.remember_location(layer.digest, reference.name)


def _mount_source(layer: Layer, reference: Reference, store: ImageStore) -> str | None:
    """A repository of the same registry known to have the layer, without the registry's name."""
    prefix = f"{reference.domain}/"
    for known in store.locations(layer.digest):
        if known.startswith(prefix) and known != reference.name:
            return known.removeprefix(prefix)
    return None


def _record(store: ImageStore, image: Image, name: str) -> None:
    try:
        store.tag(image, name)
    except NoSuchImage as error:
        raise EngineError(f"the image was removed while it was pushed: {error}") from error


def _of(layer: Layer, status: str, **detail: int) -> Message:
    short = layer.diff_id.removeprefix("sha256:")[:12]
    return {"status": status, "progressDetail": detail, "id": short}
