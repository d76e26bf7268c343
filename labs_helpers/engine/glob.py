"""Go's path.Match, in time proportional to the lengths of pattern and name.

A regular expression of several stars may try every way to divide a name between them, which takes
minutes for a name of 200 letters. Here, each star is extended only once the rest does not match.
Source: https://pkg.go.dev/path#Match
"""

from __future__ import annotations

from collections.abc import Callable

Test = Callable[[str], bool]
_STAR = None


class BadPattern(ValueError):
    """The pattern is malformed."""


class Glob:
    """A pattern of ``*``, ``?``, ``[a-z]``, ``[^a]`` and ``\\``; no star takes a slash."""

    def __init__(self, pattern: str) -> None:
        """Raises BadPattern."""
        self._parts = list(_parse(pattern))

    def matches(self, name: str) -> bool:
        """Whether the pattern matches the whole name."""
        parts, at, place = self._parts, 0, 0
        star, resume = -1, 0
        while at < len(name):
            if place < len(parts):
                test = parts[place]
                if test is _STAR:
                    star, resume, place = place, at, place + 1
                    continue
                if test(name[at]):
                    at, place = at + 1, place + 1
                    continue
            if star < 0 or name[resume] == "/":
                return False
            # the last star takes one more character; earlier stars never need another try
            resume += 1
            at, place = resume, star + 1
        return all(part is _STAR for part in parts[place:])


def _parse(pattern: str) -> list[Test | None]:
    parts: list[Test | None] = []
    place = 0
    while place < len(pattern):
        character = pattern[place]
        if character == "*":
            parts.append(_STAR)
            place += 1
        else:
            test, place = one_character(pattern, place)
            parts.append(test)
    return parts


def one_character(pattern: str, place: int) -> tuple[Test, int]:
    """The test of what stands for one character at a place that has no star, and the place after.

    Raises BadPattern.
    """
    if pattern[place] == "?":
        return "/".__ne__, place + 1
    if pattern[place] == "[":
        return _class(pattern, place + 1)
    character, place = _character(pattern, place)
    return character.__eq__, place


def _character(pattern: str, place: int) -> tuple[str, int]:
    """The character at a place, after a backslash if there is one, and the place after it."""
    if pattern[place] == "\\":
        place += 1
    if place >= len(pattern):
        raise BadPattern(pattern)
    return pattern[place], place + 1


def _class(pattern: str, place: int) -> tuple[Test, int]:
    negated = pattern[place : place + 1] == "^"
    place += negated
    ranges: list[tuple[str, str]] = []
    while not (ranges and pattern[place : place + 1] == "]"):
        if place >= len(pattern) or pattern[place] in "-]":
            raise BadPattern(pattern)
        low, place = _character(pattern, place)
        high = low
        if pattern[place : place + 1] == "-":
            if place + 1 >= len(pattern) or pattern[place + 1] in "-]":
                raise BadPattern(pattern)
            high, place = _character(pattern, place + 1)
        ranges.append((low, high))

    def test(found: str) -> bool:
        return negated != any(low <= found <= high for low, high in ranges)

    return test, place + 1
