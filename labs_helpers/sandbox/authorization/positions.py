"""Where in a policy's text a statement stands, as IAM's simulator counts.

Lines and columns from 1. A statement in a list begins after what was read before it (the bracket,
or the statement before), one alone after its own brace; each ends after its last brace. Rights to
the examples of https://docs.aws.amazon.com/cli/latest/reference/iam/simulate-custom-policy.html
and https://docs.aws.amazon.com/cli/latest/reference/iam/simulate-principal-policy.html
"""

from __future__ import annotations

import json
import re
from functools import lru_cache

_SPACE = re.compile(r"\s*")
_DECODER = json.JSONDecoder()

Position = dict[str, int]


@lru_cache(maxsize=256)
def spans(text: str) -> tuple[tuple[int, int], ...]:
    """(start, end) of each statement of a policy, as offsets; () for a text that is none."""
    try:
        for name, at in _members(text, _after_space(text, 0)):
            if name == "Statement":
                return tuple(_statements(text, at))
    except (ValueError, IndexError):
        return ()
    return ()


def position(text: str, offset: int) -> Position:
    """The line and column of an offset."""
    line = text.count("\n", 0, offset) + 1
    return {"Line": line, "Column": offset - (text.rfind("\n", 0, offset) + 1) + 1}


def _members(text: str, at: int) -> list[tuple[str, int]]:
    """The members of the object at an offset: name and where the value begins."""
    if text[at] != "{":
        raise ValueError("not an object")
    found = []
    at = _after_space(text, at + 1)
    while text[at] != "}":
        name, at = _DECODER.raw_decode(text, at)
        at = _after_space(text, _after_space(text, at) + 1)
        found.append((name, at))
        _, at = _DECODER.raw_decode(text, at)
        at = _after_space(text, at)
        if text[at] == ",":
            at = _after_space(text, at + 1)
    return found


def _statements(text: str, at: int) -> list[tuple[int, int]]:
    if text[at] == "{":
        return [(at + 1, _DECODER.raw_decode(text, at)[1])]
    found = []
    at += 1
    while text[_after_space(text, at)] != "]":
        begins = _after_space(text, at)
        if text[begins] == ",":
            begins = _after_space(text, begins + 1)
        _, ends = _DECODER.raw_decode(text, begins)
        found.append((at, ends))
        at = ends
    return found


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
