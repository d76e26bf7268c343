"""Image configurations: decoding, checking and encoding.

Source: https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from .errors import BadRequest
from .go_json import (
    FLAG,
    INT,
    NOTHING,
    TEXT,
    WORDS,
    Kind,
    decode,
    list_of,
    loads,
    struct,
    table_of,
)

_DURATION = Kind("time.Duration", "number")
FIELDS = {
    **dict.fromkeys(("User", "WorkingDir", "StopSignal"), TEXT),
    **dict.fromkeys(("Cmd", "Entrypoint", "Shell"), WORDS),
    **dict.fromkeys(("Env", "OnBuild"), list_of(TEXT)),
    **{"Labels": table_of(TEXT), "StopTimeout": INT, "ArgsEscaped": FLAG},
    "ExposedPorts": table_of(NOTHING, "nat.PortSet"),
    "Volumes": table_of(NOTHING),
    "Healthcheck": struct(
        "container.HealthConfig",
        {
            "Test": list_of(TEXT),
            **dict.fromkeys(("Interval", "Timeout", "StartPeriod", "StartInterval"), _DURATION),
            "Retries": INT,
        },
    ),
}
"""The fields that the configuration of an image shares with that of a container."""
_OF_IMAGE = struct("image.Image", {"config": struct("container.Config", FIELDS)})


def created_at(config: dict[str, Any]) -> float:
    """The creation date of an image in Unix time; 0 when its configuration has none.

    Raises:
        ValueError: the date is not an RFC 3339 time.
    """
    created = config.get("created")
    if not created:
        return 0.0
    # Go writes nanoseconds, datetime reads microseconds
    moment = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", str(created)))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def read_config(encoded: bytes) -> dict[str, Any]:
    """Decode a configuration, and check the fields that the engine relies on.

    Raises:
        ValueError: the bytes are not an image configuration.
    """
    try:
        config = loads(encoded)
    except RecursionError as error:
        raise ValueError("the image configuration is nested too deeply") from error
    if not isinstance(config, dict) or not isinstance(config.get("rootfs"), dict):
        raise ValueError("the image configuration has no rootfs")
    try:
        decode(config, _OF_IMAGE)
    except BadRequest as error:
        raise ValueError(f"the image configuration is malformed: {error}") from error
    history = config.get("history")
    if not isinstance(history, list | None) or any(not isinstance(h, dict) for h in history or ()):
        raise ValueError("history of the image configuration is not a list of objects")
    for document in (config, *(history or ())):
        created_at(document)
    return config


def kept(text: str | bytes) -> dict[str, Any]:
    """A configuration that `read_config` has read before, as Go has it in memory.

    Null in a list is the empty text, and half of a surrogate pair U+FFFD: what reads an image meets
    texts only, which UTF-8 can write.
    """
    found: dict[str, Any] = decode(loads(text), _OF_IMAGE)
    return found


def settings(config: dict[str, Any]) -> dict[str, Any]:
    """The settings for containers of an image, with the names and empty values of Go's fields.

    Raises:
        BadRequest: a value has a wrong type.
    """
    return (decode(config, _OF_IMAGE) or {}).get("config") or {}


def encode_config(config: dict[str, Any]) -> bytes:
    """Encode an image configuration in one fixed way, so that equal images have equal IDs."""
    return json.dumps(config, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
