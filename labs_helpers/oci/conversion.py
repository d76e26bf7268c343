"""Write an image manifest in the other of two formats: OCI's, and Docker's schema 2.

The two differ in the names of their media types; the blobs are the same. What one format has and
the other has not cannot be converted: annotations, subjects and artifacts, layers packed by zstd.
https://github.com/opencontainers/image-spec/blob/v1.1.1/media-types.md#compatibility-matrix
"""

from __future__ import annotations

import json
from typing import Any

from labs_helpers.oci import media_types
from labs_helpers.oci.manifest import Descriptor, Manifest, parse

_TO_DOCKER = {
    media_types.OCI_MANIFEST: media_types.DOCKER_MANIFEST,
    media_types.OCI_CONFIG: media_types.DOCKER_CONFIG,
    media_types.OCI_LAYER: media_types.DOCKER_LAYER,
    media_types.OCI_LAYER_GZIP: media_types.DOCKER_LAYER_GZIP,
    media_types.OCI_LAYER_FOREIGN_GZIP: media_types.DOCKER_LAYER_FOREIGN,
}
_TO_OCI = {docker: oci for oci, docker in _TO_DOCKER.items()}
_TYPES = {media_types.DOCKER_MANIFEST: _TO_DOCKER, media_types.OCI_MANIFEST: _TO_OCI}


def converted(manifest: Manifest, media_type: str) -> Manifest | None:
    """The image manifest as one of the media type; None where there is no such conversion.

    The result has other bytes, and so another digest.
    """
    names = _TYPES.get(media_type)
    if names is None or manifest.config is None or names.get(manifest.media_type) != media_type:
        return None
    if manifest.subject or manifest.annotations:
        return None
    parts = (manifest.config, *manifest.layers)
    if any(part.media_type not in names or part.annotations for part in parts):
        return None
    described = [_described(part, names) for part in parts]
    document = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": described[0],
        "layers": described[1:],
    }
    return parse(json.dumps(document, indent=3).encode())


def _described(part: Descriptor, names: dict[str, str]) -> dict[str, Any]:
    return {"mediaType": names[part.media_type], "size": part.size, "digest": part.digest}
