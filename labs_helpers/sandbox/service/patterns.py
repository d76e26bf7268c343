"""Regular expressions that users give: matched only where Python cannot take long."""

from __future__ import annotations

import re

LONGEST = 200
"""Characters of a pattern, and of a text that is matched."""

_REPEATED = re.compile(r"[*+]|\{\d*,\d*\}")


class MayTakeLong(Exception):
    """Python's matcher goes back and forth, and could do so for years with this pattern."""


def fits(pattern: str, text: str) -> bool:
    """Whether the whole text matches; raises MayTakeLong, re.error."""
    repeated_group = re.search(r"\)[*+{]", pattern) is not None
    many = len(_REPEATED.findall(pattern)) > 3
    if len(pattern) > LONGEST or len(text) > LONGEST or repeated_group or many:
        raise MayTakeLong
    return re.fullmatch(pattern, text) is not None
