"""Go's way to print and parse the values in Docker's texts."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9,
          "h": 3600 * 10**9}  # fmt: skip
_DURATION = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)", re.ASCII)


def quote(text: str) -> str:
    """A string as ``%q`` prints it."""
    return json.dumps(text, ensure_ascii=False)


def quote_all(texts: Sequence[str]) -> str:
    """A list of strings as ``%q`` prints it: ``["a" "b"]``."""
    return f"[{' '.join(quote(text) for text in texts)}]"


def parse_duration(text: str) -> int:
    """The nanoseconds of a duration such as ``1m30s``. Raises ValueError in Go's words."""
    sign = -1 if text.startswith("-") else 1
    body = text.lstrip("+-")
    if body == "0":
        return 0
    if not body or _DURATION.sub("", body):
        left = _DURATION.sub("", body)
        unit = re.fullmatch(r"(?:\d+\.?\d*|\.\d+)([^.\d]*)", left, re.ASCII)
        if unit and unit[1]:
            raise ValueError(f"time: unknown unit {quote(unit[1])} in duration {quote(text)}")
        if unit:
            raise ValueError(f"time: missing unit in duration {quote(text)}")
        raise ValueError(f"time: invalid duration {quote(text)}")
    return sign * sum(round(float(n) * _UNITS[unit]) for n, unit in _DURATION.findall(body))


def duration(nanoseconds: int) -> str:
    """A duration as Go's ``Duration.String`` prints it: ``1m30s``, ``1.5s``, ``200ms``, ``0s``."""
    if nanoseconds < 10**9:
        for unit, size in (("ms", 10**6), ("µs", 10**3), ("ns", 1)):
            if nanoseconds >= size:
                return f"{_decimal(nanoseconds, size)}{unit}"
        return "0s"
    hours, rest = divmod(nanoseconds, 3600 * 10**9)
    minutes, rest = divmod(rest, 60 * 10**9)
    seconds = f"{_decimal(rest, 10**9)}s"
    if hours:
        return f"{hours}h{minutes}m{seconds}"
    return f"{minutes}m{seconds}" if minutes else seconds


def _decimal(value: int, unit: int) -> str:
    whole, part = divmod(value, unit)
    if not part:
        return str(whole)
    digits = str(part).rjust(len(str(unit)) - 1, "0").rstrip("0")
    return f"{whole}.{digits}"
