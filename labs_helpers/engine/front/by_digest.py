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
    r"/images/(?P<name>[^@]+@sha256:[0-9a-f]{64})(?P<what>/(?:json|history|tag|get))"
)
_VERSION = re.compile(r"/v\d+(?:\.\d+)+(?=/)")


def by_digest(request: Request, memory: Memory) -> str | None:
    """The target of a request about an image named by digest, with the ID instead."""
    found = _IMAGE.fullmatch(request.path)
    image = _known(found["name"], memory) if found else None
    if found is None or image is None:
        return None
    version = _VERSION.match(request.target)
    target = f"{version[0] if version else ''}/images/{quote(image, safe=':')}{found['what']}"
    return f"{target}?{request.query}" if request.query else target


def image_by_digest(body: bytes, memory: Memory) -> bytes | None:
    """A container's settings with the ID of their image; None when they can stay as they are."""
    try:
        settings = json.loads(body)
        name = settings.get("Image")
    except (ValueError, AttributeError, RecursionError):
        return None
    image = _known(name, memory) if isinstance(name, str) and "@" in name else None
    return None if image is None else json.dumps({**settings, "Image": image}).encode()


def _known(name: str, memory: Memory) -> str | None:
    try:
        parsed = references.parse(name)
    except InvalidReference:
        return None
    return memory.digest(f"{parsed.name}@{parsed.digest}")
