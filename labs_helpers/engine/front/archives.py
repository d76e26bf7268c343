"""An image as an archive that a daemon loads: Docker's own, and where it helps an OCI layout too.

Docker's older store reads ``manifest.json``, and keeps layers unpacked: it need not do that itself.
Docker with containerd's store and Podman read ``index.json``, and keep the manifest as the registry
has it, and so its digest. https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from labs_helpers.oci import digest as digests
from labs_helpers.oci import media_types
from labs_helpers.oci.manifest import Manifest
from labs_helpers.oci.reference import Reference

from ..save import header, padding
from ..streams import chunks


def archive(
    manifest: Manifest,
    config: bytes,
    reference: Reference | None,
    file_of: Callable[[str], Path],
    packed: bool,
) -> Iterator[bytes]:
    """The archive of an image, in portions of at most 1 MiB.

    Args:
        manifest: as the registry has it.
        config: the configuration that it names.
        reference: the name, with tag, that the image is to have in the daemon.
        file_of: the file of a layer, by the digest that the manifest names; may wait for it.
        packed: whether the layers are as the manifest names them, so that it can be in the archive.
    """
    configured = digests.of_bytes(config)
    docker = {
        "Config": digests.layout_path(configured),
        "RepoTags": [reference.familiar] if reference else None,
        "Layers": [digests.layout_path(layer.digest) for layer in manifest.layers],
    }
    files = {digests.layout_path(configured): config, "manifest.json": _json([docker])}
    if packed:
        files |= _layout(manifest, reference)
    for path, content in files.items():
        yield header(path, len(content)) + content + padding(len(content))
    for digest in dict.fromkeys(layer.digest for layer in manifest.layers):
        layer = file_of(digest)
        size = layer.stat().st_size
        yield header(digests.layout_path(digest), size)
        with layer.open("rb") as file:
            yield from chunks(file)
        yield padding(size)
    yield b"\0" * 2 * tarfile.BLOCKSIZE


def _layout(manifest: Manifest, reference: Reference | None) -> dict[str, bytes]:
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
    index = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": [entry]}
    return {
        digests.layout_path(manifest.digest): manifest.body,
        "index.json": _json(index),
        "oci-layout": _json({"imageLayoutVersion": "1.0.0"}),
    }


def _json(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
