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

from ..blobs import PORTION, Blobs


def archive(
    manifest: Manifest, config: bytes, reference: Reference | None, blobs: Blobs
) -> Iterator[bytes]:
    """The archive of an image, in portions of at most 1 MiB.

    Args:
        manifest: as the registry has it.
        config: the configuration that it names.
        reference: the name, with tag, that the image is to have in the daemon.
        blobs: has every layer that the manifest names, as it names it.
    """
    entry: dict[str, Any] = {
        "mediaType": manifest.media_type,
        "digest": manifest.digest,
        "size": len(manifest.body),
    }
    if reference is not None:
        # Podman reads the second as the whole name, Docker does not need it
        entry["annotations"] = {
            "io.containerd.image.name": str(reference),
            "org.opencontainers.image.ref.name": str(reference),
        }
    configured = digests.of_bytes(config)
    docker = {
        "Config": _blob(configured),
        "RepoTags": [reference.familiar] if reference else None,
        "Layers": [_blob(layer.digest) for layer in manifest.layers],
    }
    index = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": [entry]}
    files = {
        _blob(configured): config,
        _blob(manifest.digest): manifest.body,
        "index.json": _json(index),
        "manifest.json": _json([docker]),
        "oci-layout": _json({"imageLayoutVersion": "1.0.0"}),
    }
    for path, content in files.items():
        yield _header(path, len(content)) + content + _padding(len(content))
    for digest in dict.fromkeys(layer.digest for layer in manifest.layers):
        size = blobs.path(digest).stat().st_size
        yield _header(_blob(digest), size)
        with blobs.path(digest).open("rb") as file:
            while portion := file.read(PORTION):
                yield portion
        yield _padding(size)
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
