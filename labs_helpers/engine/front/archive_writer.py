"""Write an image as an archive that a daemon loads.

Every daemon reads Docker's own ``manifest.json``. For an image with compressed layers the archive
is an OCI layout, too: from its ``index.json``, Docker with containerd's store and Podman keep the
registry's manifest, and with it the digest. Docker's older store keeps unpacked layers, so it gets
them unpacked. https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from labs_helpers.oci import digest as digests
from labs_helpers.oci import media_types
from labs_helpers.oci.manifest import Manifest, descriptor_of
from labs_helpers.oci.reference import Reference

from ..save import header, padding
from ..streams import chunks


def image_archive(
    manifest: Manifest,
    config: bytes,
    reference: Reference | None,
    file_of: Callable[[str], Path],
    compressed: bool,
) -> Iterator[bytes]:
    """Yield the archive of an image, in portions of at most 1 MiB.

    Args:
        manifest: the registry's manifest of the image.
        config: the configuration that the manifest names.
        reference: the name, with a tag, that the daemon is to give the image.
        file_of: returns the file of a layer by its digest in the manifest; it may wait for it.
        compressed: whether the files are the manifest's blobs, so that the manifest can go along.
    """
    config_path = digests.layout_path(digests.of_bytes(config))
    entry = {
        "Config": config_path,
        "RepoTags": [reference.familiar] if reference else None,
        "Layers": [digests.layout_path(layer.digest) for layer in manifest.layers],
    }
    files = {config_path: config, "manifest.json": _json([entry])}
    if compressed:
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
    entry = descriptor_of(manifest)
    if reference is not None:
        # Docker reads the first annotation; Podman reads the second, as the full name
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
