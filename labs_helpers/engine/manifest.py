"""The manifest an image is pushed with: Docker schema 2, byte for byte as dockerd writes it.

Source: https://distribution.github.io/distribution/spec/manifest-v2-2/
"""

from __future__ import annotations

import json

from labs_helpers.oci import media_types

from .store import Image

MEDIA_TYPE = media_types.DOCKER_MANIFEST


def manifest_of(image: Image) -> bytes:
    """The same bytes for the same image every time, so the same digest."""
    document = {
        "schemaVersion": 2,
        "mediaType": MEDIA_TYPE,
        "config": {
            "mediaType": media_types.DOCKER_CONFIG,
            "size": len(image.config_bytes),
            "digest": image.id,
        },
        "layers": [
            {
                "mediaType": media_types.DOCKER_LAYER_GZIP,
                "size": layer.size,
                "digest": layer.digest,
            }
            for layer in image.layers
        ],
    }
    return json.dumps(document, indent=3).encode()
