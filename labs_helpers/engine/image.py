"""An image of the store, and the canonical form of its names."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from labs_helpers.oci import reference as references
from labs_helpers.oci.reference import InvalidReference

from .blobs import Layer


class NoSuchImage(LookupError):
    """No image has this name or ID; the message is dockerd's."""

    def __init__(self, name: str) -> None:
        super().__init__(f"No such image: {name}")
        self.name = name


class Conflict(Exception):
    """The image cannot be removed in this way; the message is dockerd's."""


@dataclass(frozen=True)
class Image:
    """An image of the store.

    ``id`` is the digest of ``config_bytes``; ``config`` is their decoded form (OCI image
    configuration: architecture, os, created, config, rootfs, history). ``names`` are its
    references, canonical (``docker.io/library/nginx:alpine``), ``digests`` those with a manifest
    digest (``docker.io/library/nginx@sha256:...``). ``tagged_at`` is the Unix time of
    the last ``docker tag`` or build, 0 when there was none. ``sequence`` grows with each image that
    arrives.
    """

    id: str
    config: dict[str, Any]
    layers: tuple[Layer, ...]
    config_bytes: bytes = field(repr=False)
    parent: str | None = None
    names: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    tagged_at: float = 0.0
    sequence: int = 0

    @property
    def short_id(self) -> str:
        """The twelve digits that Docker prints."""
        return self.id.removeprefix("sha256:")[:12]

    @property
    def size(self) -> int:
        """Bytes of the files in all layers, as ``docker images`` shows."""
        return sum(layer.unpacked for layer in self.layers)


def canonical_name(reference: str) -> str:
    """The form of a name in the store; the tag defaults to ``latest``. Raises InvalidReference."""
    parsed = references.parse(reference)
    # of a tag and a digest, the digest identifies the image
    return f"{parsed.name}@{parsed.digest}" if parsed.digest else f"{parsed.name}:{parsed.tag}"


def familiar_with_tag(name: str) -> str:
    """The form of a name in dockerd's "No such image": familiar, with its tag."""
    if re.fullmatch(r"(sha256:)?[0-9a-f]{64}", name):
        return name
    try:
        return references.parse(name).familiar
    except InvalidReference:
        return name
