"""Sizes and times as Docker prints them.

Source: https://github.com/docker/go-units
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

from ..human_time import human_duration


def human_size(size: float, digits: int = 3) -> str:
    """Bytes as ``7.26MB``, in decimal units, with this number of significant digits."""
    units = ["B", "kB", "MB", "GB", "TB", "PB"]
    place = 0
    while size >= 1000 and place < len(units) - 1:
        size /= 1000
        place += 1
    return f"{_general(size, digits)}{units[place]}"


def human_binary(size: float) -> str:
    """Bytes as ``23.54GiB``."""
    units = ["B", "KiB", "MiB", "GiB", "TiB"]
    place = 0
    while size >= 1024 and place < len(units) - 1:
        size /= 1024
        place += 1
    return f"{_general(size, 4)}{units[place]}"


def _general(value: float, digits: int) -> str:
    text = f"{value:.{digits}g}"
    if "e" not in text:
        return text
    mantissa, exponent = text.split("e")
    return f"{mantissa}e{exponent[0]}{exponent[1:].rjust(2, '0')}"


def since(created: float, now: float | None = None) -> str:
    """The time since a Unix time: ``2 hours ago``."""
    seconds = int((datetime.now(UTC).timestamp() if now is None else now) - created)
    return f"{human_duration(seconds)} ago"


def timestamp(created: float) -> str:
    """A Unix time as ``2026-11-23 23:27:54 +0000 UTC``."""
    return datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%d %H:%M:%S +0000 UTC")


def moment(text: str) -> str:
    """A time as the API wants it: a Unix time for a date, or for a duration before now (``42m``).

    What is neither is passed on, and the engine says what is wrong.
    """
    parts = re.findall(r"(\d+(?:\.\d+)?)(h|m|s)", text)
    if parts and "".join(number + unit for number, unit in parts) == text:
        units = {"h": 3600, "m": 60, "s": 1}
        return str(time.time() - sum(float(number) * units[unit] for number, unit in parts))
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return text
    try:
        found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except ValueError:
        return text
    return str((found if found.tzinfo else found.astimezone()).timestamp())
