"""The image that a recipe describes: layers, configurations, manifests, an index of platforms.

Sources: https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md and image-index.md;
https://distribution.github.io/distribution/spec/manifest-v2-2/ for images of the Docker format.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from labs_helpers.oci import digest as digests
from labs_helpers.oci import media_types
from labs_helpers.sandbox.hub import layer, packages
from labs_helpers.sandbox.hub.recipe import Entry, Package, Recipe, Step

PLATFORMS: tuple[Mapping[str, str], ...] = (
    {"architecture": "amd64", "os": "linux"},
    {"architecture": "arm64", "os": "linux", "variant": "v8"},
)

COMMENT = "stand-in made by the labs"
NOTICE = "# stand-in made by the labs: package records and configuration, no programs"

_TYPES = {
    "oci": (
        media_types.OCI_INDEX,
        media_types.OCI_MANIFEST,
        media_types.OCI_CONFIG,
        media_types.OCI_LAYER_GZIP,
    ),
    "docker": (
        media_types.DOCKER_LIST,
        media_types.DOCKER_MANIFEST,
        media_types.DOCKER_CONFIG,
        media_types.DOCKER_LAYER_GZIP,
    ),
}


@dataclass
class Image:
    """An image's blobs and manifests by digest, the media types of the manifests, and its index."""

    index: str = ""
    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, str] = field(default_factory=dict)

    def add(self, content: bytes) -> str:
        digest = digests.of_bytes(content)
        self.blobs[digest] = content
        return digest

    def add_manifest(self, document: Mapping[str, Any]) -> str:
        digest = self.add(_canonical(document))
        self.manifests[digest] = document["mediaType"]
        return digest


@dataclass(frozen=True)
class _Layer:
    diff_id: str
    digest: str
    size: int


def build(recipe: Recipe) -> Image:
    """Build the image of a recipe. Every build gives the same bytes."""
    index_type, manifest_type, _, _ = _TYPES[recipe.media]
    image = Image()
    members = []
    for platform in PLATFORMS:
        digest = _manifest(recipe, platform, image)
        members.append(
            {
                "mediaType": manifest_type,
                "digest": digest,
                "size": len(image.blobs[digest]),
                "platform": dict(platform),
            }
        )
    image.index = image.add_manifest(
        {"schemaVersion": 2, "mediaType": index_type, "manifests": members}
    )
    return image


def _manifest(recipe: Recipe, platform: Mapping[str, str], image: Image) -> str:
    _, manifest_type, config_type, layer_type = _TYPES[recipe.media]
    history, layers = _layers(recipe, platform["architecture"], image)
    config: dict[str, Any] = {
        **platform,
        "created": _time(recipe),
        "config": {
            **recipe.config,
            "Labels": {
                "labs.stand-in": "true",
                "org.opencontainers.image.title": recipe.title,
                "org.opencontainers.image.version": recipe.version,
                "org.opencontainers.image.description": (
                    f"Stand-in for docker.io/{recipe.repository}, made by the labs: "
                    "package records and configuration, no programs."
                ),
            },
        },
        "history": history,
        "rootfs": {"type": "layers", "diff_ids": [each.diff_id for each in layers]},
    }
    config_digest = image.add(_canonical(config))
    document = {
        "schemaVersion": 2,
        "mediaType": manifest_type,
        "config": {
            "mediaType": config_type,
            "digest": config_digest,
            "size": len(image.blobs[config_digest]),
        },
        "layers": [
            {"mediaType": layer_type, "digest": each.digest, "size": each.size} for each in layers
        ],
    }
    return image.add_manifest(document)


def _layers(
    recipe: Recipe, architecture: str, image: Image
) -> tuple[list[dict[str, Any]], list[_Layer]]:
    """The history and layers of a recipe, which follow those of its base."""
    if recipe.base:
        history, layers = _layers(recipe.base, architecture, image)
        installed = list(recipe.base.packages)
    else:
        notice = {"created": _time(recipe), "created_by": NOTICE, "comment": COMMENT}
        history, layers, installed = [{**notice, "empty_layer": True}], [], []
    for step in recipe.steps:
        line: dict[str, Any] = {
            "created": _time(recipe),
            "created_by": step.created_by.replace("{architecture}", architecture),
            "comment": COMMENT,
        }
        if step.makes_layer:
            installed += step.packages
            entries = _entries(recipe, step, installed, architecture, first=not layers)
            layers.append(_layer(recipe, entries, image))
        else:
            line["empty_layer"] = True
        history.append(line)
    return history, layers


def _entries(
    recipe: Recipe, step: Step, installed: list[Package], architecture: str, *, first: bool
) -> list[Entry]:
    entries = list(step.entries)
    if first:
        entries.append(packages.os_release(recipe))
    if step.packages:
        ordered = sorted(installed, key=lambda package: package.name)
        entries.append(packages.database(recipe.package_format, ordered, architecture))
    return entries


def _layer(recipe: Recipe, entries: list[Entry], image: Image) -> _Layer:
    plain = layer.tar(entries, int(recipe.created.timestamp()))
    packed = layer.gzip_stored(plain)
    return _Layer(digests.of_bytes(plain), image.add(packed), len(packed))


def _time(recipe: Recipe) -> str:
    return recipe.created.strftime("%Y-%m-%dT%H:%M:%SZ")


def _canonical(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
