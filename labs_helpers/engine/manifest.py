"""The manifest an image is pushed with: Docker schema 2, byte for byte as dockerd writes it.

Source: https://distribution.github.io/distribution/spec/manifest-v2-2/
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from labs_helpers.oci import digest as digests
from labs_helpers.oci import media_types

from .blobs import Layer

MEDIA_TYPE = media_types.DOCKER_MANIFEST


def manifest_of(config: bytes, layers: Sequence[Layer]) -> bytes:
    """The same bytes for the same image every time, so the same digest."""
    document = {
        "schemaVersion": 2,
        "mediaType": MEDIA_TYPE,
        "config": {
            "mediaType": media_types.DOCKER_CONFIG,
            "size": len(config),
            "digest": digests.of_bytes(config),
        },
        "layers": [
            {
                "mediaType": media_types.DOCKER_LAYER_GZIP,
                "size": layer.size,
                "digest": layer.digest,
            }
            for layer in layers
        ],
    }
    return json.dumps(document, indent=3).encode()
