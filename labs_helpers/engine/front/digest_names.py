"""Requests that name an image by a registry's digest, such as ``.../demo@sha256:...``.

Deployments name images so. A daemon that loads an image from an archive does not know that name.
When the records know which image it means, the request goes to the daemon with the image's ID.
A request to remove an image does not change: removing by ID would remove its other names, too.
"""

from __future__ import annotations

import json
import re
from urllib.parse import quote

from .http_messages import RequestHead
from .records import Records

_PATH = re.compile(
    r"(?P<api>(?:/libpod)?/images/)(?P<name>[^@]+@sha256:[0-9a-f]{64})"
    r"(?P<operation>/(?:json|history|tag|get|exists|tree))"
)


def target_with_id(request: RequestHead, records: Records) -> str | None:
    """Return the target with the image's ID; None if the request can stay as it is."""
    found = _PATH.fullmatch(request.path)
    image = records.image_of_digest(found["name"]) if found else None
    if found is None or image is None:
        return None
    target = f"{request.version}{found['api']}{quote(image, safe=':')}{found['operation']}"
    return f"{target}?{request.query}" if request.query else target


def settings_with_id(body: bytes, records: Records) -> bytes | None:
    """Return a new container's settings with the image's ID; None if they can stay as they are.

    The key of the image is ``Image`` in Docker's API and ``image`` in Podman's own.
    """
    try:
        settings = json.loads(body)
        key = "Image" if "Image" in settings else "image"
        name = settings.get(key)
    except (ValueError, AttributeError, TypeError, RecursionError):
        return None
    image = records.image_of_digest(name) if isinstance(name, str) and "@" in name else None
    return None if image is None else json.dumps({**settings, key: image}).encode()
