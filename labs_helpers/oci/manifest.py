"""Image manifests and indexes, read from the pushed bytes.

A manifest's digest is the sha256 of exactly these bytes, so they are never re-serialised. Source: https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from labs_helpers.oci import digest as digests
from labs_helpers.oci import media_types

MAX_SIZE = 4 * 1024 * 1024
"""Bytes. The distribution specification asks registries to accept manifests up to this size."""


class InvalidManifest(ValueError):
    """The bytes are not a manifest; the message names the fault and its place."""


@dataclass(frozen=True)
class Descriptor:
    """A manifest's description of a blob or manifest: its type, digest and size in bytes."""

    media_type: str
    digest: str
    size: int
    platform: Mapping[str, Any] | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)
    artifact_type: str | None = None


@dataclass(frozen=True)
class Manifest:
    """A manifest (config and layers) or an index (manifests); `body` has the pushed bytes."""

    media_type: str
    body: bytes
    digest: str
    config: Descriptor | None = None
    layers: tuple[Descriptor, ...] = ()
    manifests: tuple[Descriptor, ...] = ()
    subject: Descriptor | None = None
    artifact_type: str | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_index(self) -> bool:
        """Whether this is an OCI index or a Docker manifest list."""
        return self.media_type in media_types.INDEXES

    @property
    def size_in_bytes(self) -> int:
        """The sizes of configuration and layers together; ECR reports this as imageSizeInBytes."""
        config = self.config.size if self.config else 0
        return config + sum(layer.size for layer in self.layers)

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """The blobs (config and layers) that a registry needs before it accepts the manifest."""
        needed = tuple(
            layer for layer in self.layers if layer.media_type not in media_types.FOREIGN_LAYERS
        )
        return (self.config, *needed) if self.config else needed


def descriptor_of(manifest: Manifest) -> dict[str, Any]:
    """Return the JSON of a manifest's own descriptor: its media type, digest and size in bytes.

    https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md
    """
    size = len(manifest.body)
    return {"mediaType": manifest.media_type, "digest": manifest.digest, "size": size}


def parse(body: bytes, content_type: str | None = None) -> Manifest:
    """Read a manifest; raises InvalidManifest.

    `content_type` is the request's media type. It must equal the `mediaType` of the body; it
    replaces a missing `mediaType`.
    """
    document = _load(body)
    media_type = _media_type(document, content_type)
    if media_type in media_types.INDEXES:
        return Manifest(
            media_type=media_type,
            body=body,
            digest=digests.of_bytes(body),
            manifests=_descriptors(document, "manifests"),
            subject=_optional(document, "subject"),
            artifact_type=_text(document, "artifactType", "manifest"),
            annotations=_annotations(document, "manifest"),
        )
    config = _descriptor(_required(document, "config"), "config")
    declared = _text(document, "artifactType", "manifest")
    return Manifest(
        media_type=media_type,
        body=body,
        digest=digests.of_bytes(body),
        config=config,
        layers=_descriptors(document, "layers"),
        subject=_optional(document, "subject"),
        artifact_type=declared or config.media_type,
        annotations=_annotations(document, "manifest"),
    )


def _load(body: bytes) -> dict[str, Any]:
    if len(body) > MAX_SIZE:
        raise InvalidManifest(f"manifest has {len(body)} bytes, more than {MAX_SIZE}")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidManifest(f"manifest is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise InvalidManifest("manifest is not a JSON object")
    if document.get("schemaVersion") == 1:
        raise InvalidManifest(
            "schemaVersion is 1, not 2: "
            "the sandbox does not take Docker's schema 1, which ECR takes"
        )
    if document.get("schemaVersion") != 2 or isinstance(document["schemaVersion"], bool):
        raise InvalidManifest("schemaVersion is not 2")
    return document


def _media_type(document: dict[str, Any], content_type: str | None) -> str:
    declared = _text(document, "mediaType", "manifest")
    sent = content_type.partition(";")[0].strip().lower() if content_type else None
    if sent in {"application/json", media_types.OCTET_STREAM, ""}:
        sent = None
    if declared and sent and declared != sent:
        raise InvalidManifest(f"mediaType {declared} differs from the Content-Type {sent}")
    guessed = media_types.OCI_INDEX if "manifests" in document else media_types.OCI_MANIFEST
    media_type = declared or sent or guessed
    if media_type not in media_types.MANIFESTS | media_types.INDEXES:
        raise InvalidManifest(f"media type {media_type} is not supported")
    return media_type


def _required(document: dict[str, Any], key: str) -> Any:
    if key not in document:
        raise InvalidManifest(f"{key} is missing")
    return document[key]


def _text(document: dict[str, Any], key: str, where: str) -> str | None:
    value = document.get(key)
    if value is not None and not _is_text(value):
        raise InvalidManifest(f"{where}: {key} is not a string")
    return value or None


def _is_text(value: Any) -> bool:
    # a JSON escape can be a lone surrogate, which no database or response can hold
    return isinstance(value, str) and not any("\ud800" <= char <= "\udfff" for char in value)


def _annotations(document: dict[str, Any], where: str) -> dict[str, str]:
    value = document.get("annotations")
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(
        _is_text(text) for pair in value.items() for text in pair
    ):
        raise InvalidManifest(f"{where}: annotations is not an object of strings")
    return value


def _optional(document: dict[str, Any], key: str) -> Descriptor | None:
    value = document.get(key)
    return None if value is None else _descriptor(value, key)


def _descriptors(document: dict[str, Any], key: str) -> tuple[Descriptor, ...]:
    value = _required(document, key)
    if not isinstance(value, list):
        raise InvalidManifest(f"{key} is not a list")
    return tuple(_descriptor(item, f"{key}[{index}]") for index, item in enumerate(value))


def _descriptor(value: Any, where: str) -> Descriptor:
    if not isinstance(value, dict):
        raise InvalidManifest(f"{where} is not an object")
    media_type = _text(value, "mediaType", where)
    digest = _text(value, "digest", where)
    size = value.get("size")
    if media_type is None or digest is None:
        raise InvalidManifest(f"{where}: mediaType and digest are required")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < 2**63:
        raise InvalidManifest(f"{where}: size is not a number of bytes")
    try:
        digests.parse(digest)
    except digests.DigestError as error:
        raise InvalidManifest(f"{where}: {error}") from error
    platform = value.get("platform")
    if platform is not None and not isinstance(platform, dict):
        raise InvalidManifest(f"{where}: platform is not an object")
    return Descriptor(
        media_type=media_type,
        digest=digest,
        size=size,
        platform=platform,
        annotations=_annotations(value, where),
        artifact_type=_text(value, "artifactType", where),
    )
