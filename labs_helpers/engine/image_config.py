"""Image configurations: reading them, and the one way of writing them.

Source: https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any


def created_at(config: dict[str, Any]) -> float:
    """When an image was made, in Unix time; 0 when its configuration does not say.

    Raises:
        ValueError: it says something that is not an RFC 3339 time.
    """
    created = config.get("created")
    if not created:
        return 0.0
    # Go writes nanoseconds, datetime reads microseconds
    moment = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", str(created)))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def read_config(encoded: bytes) -> dict[str, Any]:
    """Decode a configuration, and check what those who read images later rely on.

    Raises:
        ValueError: it is not an image configuration.
    """
    try:
        config = json.loads(encoded)
    except RecursionError as error:
        raise ValueError("the image configuration is nested too deeply") from error
    if not isinstance(config, dict) or not isinstance(config.get("rootfs"), dict):
        raise ValueError("the image configuration has no rootfs")
    inner, history = config.get("config"), config.get("history")
    labels = inner.get("Labels") if isinstance(inner, dict) else None
    if not isinstance(inner, dict | None) or not isinstance(labels, dict | None):
        raise ValueError("config of the image configuration is not an object")
    if not isinstance(history, list | None) or any(not isinstance(h, dict) for h in history or ()):
        raise ValueError("history of the image configuration is not a list of objects")
    for made in (config, *(history or ())):
        created_at(made)
    return config


def encode_config(config: dict[str, Any]) -> bytes:
    """The one encoding of an image configuration, so that equal images have equal IDs."""
    return json.dumps(config, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
