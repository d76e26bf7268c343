"""An image as an archive that every daemon loads: Docker's own and an OCI layout in one.

Docker before 25 reads ``manifest.json``; Docker with containerd's store and Podman read
``index.json``, and keep the manifest as the registry has it, and so its digest.
https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from typing import Any

from labs_helpers.oci import digest as digests
from labs_helpers.oci import media_types
from labs_helpers.oci.manifest import Manifest
from labs_helpers.oci.reference import Reference

from .. import manifest as manifests
from ..blobs import PORTION
from ..store import Image, ImageStore


def archive(
    image: Image, manifest: Manifest, reference: Reference | None, store: ImageStore
) -> Iterator[bytes]:
    """The archive of an image of the store, in portions of at most 1 MiB.

    Args:
        manifest: as the registry has it.
        reference: the name, with tag, that the image is to have in the daemon.
    """
    body, kind = manifest.body, manifest.media_type
    if [layer.digest for layer in image.layers] != [layer.digest for layer in manifest.layers]:
        # layers that came as plain tars are kept compressed, so another manifest names them
        body, kind = manifests.manifest_of(image.config_bytes, image.layers), manifests.MEDIA_TYPE
    entry: dict[str, Any] = {
        "mediaType": kind,
        "digest": digests.of_bytes(body),
        "size": len(body),
    }
    if reference is not None:
        # Podman reads the second as the whole name, Docker does not need it
        entry["annotations"] = {
            "io.containerd.image.name": str(reference),
            "org.opencontainers.image.ref.name": str(reference),
        }
    docker = {
        "Config": _blob(image.id),
        "RepoTags": [reference.familiar] if reference else None,
        "Layers": [_blob(layer.digest) for layer in image.layers],
    }
    index = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": [entry]}
    files = {
        _blob(image.id): image.config_bytes,
        _blob(str(entry["digest"])): body,
        "index.json": _json(index),
        "manifest.json": _json([docker]),
        "oci-layout": _json({"imageLayoutVersion": "1.0.0"}),
    }
    for path, content in files.items():
        yield _header(path, len(content)) + content + _padding(len(content))
    for layer in {layer.digest: layer for layer in image.layers}.values():
        yield _header(_blob(layer.digest), layer.size)
        with store.blobs.path(layer.digest).open("rb") as file:
            while portion := file.read(PORTION):
                yield portion
        yield _padding(layer.size)
    yield b"\0" * 2 * tarfile.BLOCKSIZE


def _blob(digest: str) -> str:
    return f"blobs/sha256/{digest.removeprefix('sha256:')}"


def _json(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def _header(path: str, size: int) -> bytes:
    entry = tarfile.TarInfo(path)
    entry.size = size
    return entry.tobuf(tarfile.GNU_FORMAT)


def _padding(size: int) -> bytes:
    return b"\0" * (-size % tarfile.BLOCKSIZE)
