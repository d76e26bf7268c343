"""The patterns of ``${A#pattern}``, ``${A%pattern}`` and ``${A/pattern/new}``.

e2b-dockerfile-utils turns a pattern into a regular expression of Python, which tries every way to
divide a value between several stars: `${A#*a*a*a*a*b}` takes hours for a value of some thousand
letters. Go's expressions, which BuildKit uses, take time in proportion to the value. So do these:
what stands between two stars is looked for from left to right, and never again.

The semantics are those of
https://github.com/moby/buildkit/blob/v0.18.0/frontend/dockerfile/shell/lex.go
"""

from __future__ import annotations

import re
from collections.abc import Callable

from e2b_dockerfile_utils import ShellLex, lexer

__all__ = ["ShellLex", "ShellPattern"]


class ShellPattern:
    """A pattern of ``*``, ``?`` and ``\\``, neither of which stands for a newline."""

    def __init__(self, pattern: str, greedy: bool, anchored: bool) -> None:
        """``greedy`` for the longest text, ``anchored`` for a text at the beginning only.

        Raises ValueError for an escape that BuildKit does not know.
        """
        self._greedy, self._anchored = greedy, anchored
        self._pieces = [re.compile(piece) for piece in _pieces(pattern)]

    def sub(self, new: str | Callable[[None], str], value: str, count: int = 0) -> str:
        """The value with the first ``count`` matches replaced; 0 for all, as re.Pattern.sub."""
        put = new if isinstance(new, str) else new(None)
        made: list[str] = []
        done = 0
        for number, (begin, end) in enumerate(self._found(value)):
            if count and number == count:
                break
            made += [value[done:begin], put]
            done = end
        return "".join([*made, value[done:]])

    def _found(self, value: str) -> list[tuple[int, int]]:
        """Where the pattern matches, from left to right.

        As in Go, a match of no character does not follow upon another match.
        https://pkg.go.dev/regexp#pkg-overview
        """
        found: list[tuple[int, int]] = []
        at = 0
        while at <= len(value) and (match := self._next(value, at)):
            begin, end = match
            if end > begin or not found or found[-1][1] != begin:
                found.append(match)
            at = max(end, begin + 1) if end == begin else end
            if self._anchored:
                break
        return found

    def _next(self, value: str, at: int) -> tuple[int, int] | None:
        first = self._pieces[0]
        while at <= len(value):
            head = first.match(value, at) if self._anchored else first.search(value, at)
            if head is None:
                return None
            end = self._end(value, head.end())
            if end is not None:
                return head.start(), end
            if self._anchored:
                return None
            # a later beginning in the same line has no more to its right than this one
            at = _line_end(value, head.end()) + 1
        return None

    def _end(self, value: str, at: int) -> int | None:
        """Where a match ends whose first piece ends at a place."""
        for number, piece in enumerate(self._pieces[1:], 2):
            last = number == len(self._pieces)
            line_end = _line_end(value, at)
            if last and self._greedy:
                return _last_end(piece, value, at, line_end)
            found = piece.search(value, at)
            if found is None or found.start() > line_end:
                return None
            at = found.end()
        return at


def _line_end(value: str, at: int) -> int:
    end = value.find("\n", at)
    return len(value) if end < 0 else end


def _last_end(piece: re.Pattern[str], value: str, at: int, line_end: int) -> int | None:
    for begin in range(line_end, at - 1, -1):
        if found := piece.match(value, begin):
            return found.end()
    return None


def _pieces(pattern: str) -> list[str]:
    """What stands between the stars, as expressions of one length each."""
    pieces = [""]
    at = 0
    while at < len(pattern):
        character, following = pattern[at], pattern[at + 1 : at + 2]
        at += 1
        if character == "*":
            pieces.append("")
        elif character == "?":
            pieces[-1] += "."
        elif character != "\\":
            pieces[-1] += re.escape(character)
        elif following not in ("}", "/"):  # the braces need these escapes; the pattern has none
            if not following or following not in "*?\\":
                raise ValueError(
                    f"invalid pattern ({pattern}) in substitution: invalid escape '\\{following}'"
                )
            pieces[-1] += re.escape(following)
            at += 1
    return pieces


# the lexer has no hook for this; its version is pinned, and test_shell_patterns.py holds the name
lexer._shell_pattern_to_regex = ShellPattern  # type: ignore[assignment]
