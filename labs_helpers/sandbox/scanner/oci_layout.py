"""Write layers as an OCI image layout on disk, for programs that read such a layout.

https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from labs_helpers.oci import digest as digests
from labs_helpers.oci import media_types
from labs_helpers.sandbox.scanner.tree import Layer

_TYPES = {
    b"\x1f\x8b": media_types.OCI_LAYER_GZIP,
    b"\x28\xb5": media_types.OCI_LAYER_ZSTD,
}


def write(folder: Path, layers: Sequence[Layer]) -> None:
    """Write an image of these layers. Its configuration holds only their digests."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    described = []
    for layer in layers:
        link = blobs / digests.parse(layer.digest).hex
        if not link.exists():
            _link(layer.path, link)
        with layer.path.open("rb") as file:
            kind = _TYPES.get(file.read(2), media_types.OCI_LAYER)
        size = layer.path.stat().st_size
        described.append({"mediaType": kind, "digest": layer.digest, "size": size})
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [layer.digest for layer in layers]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": media_types.OCI_MANIFEST,
        "config": _blob(blobs, config, media_types.OCI_CONFIG),
        "layers": described,
    }
    index = {"schemaVersion": 2, "manifests": [_blob(blobs, manifest, media_types.OCI_MANIFEST)]}
    (folder / "index.json").write_text(json.dumps(index), encoding="utf-8")
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}', encoding="utf-8")


def _link(source: Path, target: Path) -> None:
    """Make a hard link, or a copy where that fails: Trivy refuses symbolic links."""
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)


def _blob(blobs: Path, document: object, media_type: str) -> dict[str, object]:
    content = json.dumps(document).encode()
    digest = digests.of_bytes(content)
    (blobs / digests.parse(digest).hex).write_bytes(content)
    return {"mediaType": media_type, "digest": digest, "size": len(content)}
