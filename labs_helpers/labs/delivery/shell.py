"""A line of the shell, as checks of labs 09, 11 and 13 read one: what fails with a part."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_GOES_ON = re.compile(r"\|\||&&|(?<!>)&(?!>)|[|;\n]")
"""What ends a command of the shell, and lets another one follow."""
_EXITS = re.compile(r"\bexit\s+[1-9]")
_ENDS = re.compile(r"\s*(?:false\b|exit(?:\s+[1-9]\d*)?\s*$|\{[^}]*\bexit\s+[1-9])", re.S)
"""What may follow `||`, so that the failure stays a failure."""
_ASKED = re.compile(r"(?:^|[;&|\n])\s*(?:!|if|while|until)\s[^;&|\n]*$")
"""What stands before a command whose failure is an answer and ends nothing."""
_SET_E = re.compile(r"\bset\s+-\w*e")
_ASSIGNS = re.compile(r"(?:^|[;&|\n])\s*\w+=\"?$")
"""What stands before a substitution whose failure is the failure of the whole command."""
_SEPARATORS = re.compile(r"[;&|\n]")


class Span(NamedTuple):
    """The text between two quotes or in a command substitution, by its place in the line."""

    kind: str
    start: int
    end: int


def masked(line: str) -> str:
    """The line with `_` for each separator that is quoted or in a substitution: as long as before.

    https://www.gnu.org/software/bash/manual/bash.html#Quoting
    """
    for span in _spans(line):
        inner = _SEPARATORS.sub("_", line[span.start : span.end])
        line = line[: span.start] + inner + line[span.end :]
    return line


def fails_with(line: str, start: int, end: int) -> bool:
    """Whether a line fails when the command in it does that stands from ``start`` to ``end``.

    The exit code of a list is that of its last command, of a pipeline that of its last program, and
    of an assignment that of its command substitution:
    https://www.gnu.org/software/bash/manual/bash.html#Lists
    https://www.gnu.org/software/bash/manual/bash.html#Simple-Command-Expansion
    """
    around = [span for span in _spans(line) if span.start <= start < span.end]
    substitutions = [span for span in around if span.kind in ("$(", "`")]
    if substitutions:
        span = max(substitutions)
        opened = span.start - (1 if span.kind == "`" else 2)
        if not _ASSIGNS.search(line[:opened]):
            return False
    else:
        lists = [one for one in around if _SEPARATORS.search(line[one.start : one.end])]
        if not lists:
            return _is_last(masked(line), start, end)
        span, opened = max(lists), max(lists).start - 1
    inner = line[span.start : span.end]
    return fails_with(inner, start - span.start, min(end, span.end) - span.start) and _is_last(
        masked(line), opened, span.end + 1
    )


def _is_last(line: str, start: int, end: int) -> bool:
    """Whether no command that follows hides the failure."""
    before, rest = line[:start], line[end:]
    if _ASKED.search(before):
        return bool(_EXITS.search(rest))
    ends_at_once = bool(_SET_E.search(before))
    while found := _GOES_ON.search(rest):
        follows = rest[found.end() :]
        if found[0] == "||":
            return bool(_ENDS.match(follows))
        if found[0] in "|&" or (found[0] in ";\n" and follows.strip() and not ends_at_once):
            return False
        rest = follows
    return True


def _spans(line: str) -> Iterator[Span]:
    """Every quoted text and every substitution that is closed, the inner ones first."""
    opened: list[tuple[str, int]] = []
    at = 0
    while at < len(line):
        sign, kind = line[at], opened[-1][0] if opened else ""
        if sign == "\\" and kind != "'":
            at += 2
        elif sign == kind or (sign == ")" and kind in ("(", "$(")):
            _, start = opened.pop()
            if kind != "(":
                yield Span(kind, start, at)
            at += 1
        elif kind == "'":
            at += 1
        elif line.startswith("$(", at):
            opened.append(("$(", at + 2))
            at += 2
        else:
            if sign in ('"', "`") or (sign == "'" and kind != '"') or (sign == "(" and kind):
                opened.append((sign, at + 1))
            at += 1
