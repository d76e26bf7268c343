"""Images named by a digest of a sandbox registry: ``.../demo@sha256:...``, as deployments do.

A daemon that loads an image from an archive gives it no such name. Where we know which of its
images is meant, it is asked for that one by ID. Removing is left as it is: by ID, it would take the
image's other names along.
"""

from __future__ import annotations

import json
import re
from urllib.parse import quote

from labs_helpers.oci import reference as references
from labs_helpers.oci.reference import InvalidReference

from .memory import Memory
from .messages import Request

_IMAGE = re.compile(
    r"(?P<api>(?:/libpod)?/images/)(?P<name>[^@]+@sha256:[0-9a-f]{64})"
    r"(?P<what>/(?:json|history|tag|get|exists|tree))"
)
_VERSION = re.compile(r"/v\d+(?:\.\d+)+(?=/)")


def by_digest(request: Request, memory: Memory) -> str | None:
    """The target of a request about an image named by digest, with the ID instead."""
    found = _IMAGE.fullmatch(request.path)
    image = _known(found["name"], memory) if found else None
    if found is None or image is None:
        return None
    version = _VERSION.match(request.target)
    image = quote(image, safe=":")
    target = f"{version[0] if version else ''}{found['api']}{image}{found['what']}"
    return f"{target}?{request.query}" if request.query else target


def image_by_digest(body: bytes, memory: Memory) -> bytes | None:
    """A container's settings with the ID of their image; None when they can stay as they are.

    Docker's API calls it ``Image``, Podman's own ``image``.
    """
    try:
        settings = json.loads(body)
        key = "Image" if "Image" in settings else "image"
        name = settings.get(key)
    except (ValueError, AttributeError, TypeError, RecursionError):
        return None
    image = _known(name, memory) if isinstance(name, str) and "@" in name else None
    return None if image is None else json.dumps({**settings, key: image}).encode()


def _known(name: str, memory: Memory) -> str | None:
    try:
        parsed = references.parse(name)
    except InvalidReference:
        return None
    return memory.digest(f"{parsed.name}@{parsed.digest}")
