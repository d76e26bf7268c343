"""Names, ids and times as requests and answers have them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_TIMES = {"startTime", "endTime", "created", "lastModified", "lastModifiedSecret", "expired"}

_REPOSITORY = re.compile(r"https://(?:[^/@]+@)?github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?/?")


def name_of(text: str, kind: str) -> str:
    """The name of a project, or the id of a build, of its name or ARN."""
    if not text.startswith("arn:"):
        return text
    return text.rpartition(f":{kind}/")[2]


def repository_on_github(location: str) -> str:
    """The "owner/name" of the URL of a repository on GitHub; empty for any other location."""
    found = _REPOSITORY.fullmatch(location)
    return "" if found is None else found[1]


def dated(value: Any, name: str = "") -> Any:
    """A document of the store with its times as aware datetimes."""
    if name in _TIMES and isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    if isinstance(value, Mapping):
        return {key: dated(each, key) for key, each in value.items()}
    return [dated(each) for each in value] if isinstance(value, list) else value


def inverted(text: str) -> str:
    """A text that sorts as the text would from last to first; for ASCII texts."""
    return "".join(chr(0xFF - ord(character)) for character in text) + "\xff"
