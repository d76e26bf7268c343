"""From a recipe to an image: layers, configurations, manifests and an index over platforms.

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
class Built:
    """An image's content: every blob and manifest by digest, and the type of each manifest."""

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


def build(recipe: Recipe) -> Built:
    """Every blob of the image that `recipe` describes: the same bytes each time."""
    index_type, manifest_type, _, _ = _TYPES[recipe.media]
    built = Built()
    members = []
    for platform in PLATFORMS:
        digest = _manifest(recipe, platform, built)
        members.append(
            {
                "mediaType": manifest_type,
                "digest": digest,
                "size": len(built.blobs[digest]),
                "platform": dict(platform),
            }
        )
    built.index = built.add_manifest(
        {"schemaVersion": 2, "mediaType": index_type, "manifests": members}
    )
    return built


def _manifest(recipe: Recipe, platform: Mapping[str, str], built: Built) -> str:
    _, manifest_type, config_type, layer_type = _TYPES[recipe.media]
    history, layers = _layers(recipe, platform["architecture"], built)
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
        "rootfs": {"type": "layers", "diff_ids": [one.diff_id for one in layers]},
    }
    config_digest = built.add(_canonical(config))
    document = {
        "schemaVersion": 2,
        "mediaType": manifest_type,
        "config": {
            "mediaType": config_type,
            "digest": config_digest,
            "size": len(built.blobs[config_digest]),
        },
        "layers": [
            {"mediaType": layer_type, "digest": one.digest, "size": one.size} for one in layers
        ],
    }
    return built.add_manifest(document)


def _layers(
    recipe: Recipe, architecture: str, built: Built
) -> tuple[list[dict[str, Any]], list[_Layer]]:
    """The history and layers of a recipe, after those of its base."""
    if recipe.base:
        history, layers = _layers(recipe.base, architecture, built)
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
            layers.append(_layer(recipe, entries, built))
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


def _layer(recipe: Recipe, entries: list[Entry], built: Built) -> _Layer:
    plain = layer.tar(entries, int(recipe.created.timestamp()))
    packed = layer.gzip_stored(plain)
    return _Layer(digests.of_bytes(plain), built.add(packed), len(packed))


def _time(recipe: Recipe) -> str:
    return recipe.created.strftime("%Y-%m-%dT%H:%M:%SZ")


def _canonical(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
