"""The patterns of a .dockerignore, in time proportional to the lengths of pattern and path.

Docker's matcher turns a pattern into an expression of Go, which never backtracks; the same
expression in Python takes minutes for `**/*a*a*a*a*b` and a name of 200 letters. Here all places of
the pattern that a path may have come to are kept together, as the bits of a number.

Source: https://github.com/moby/patternmatcher/blob/v0.6.0/patternmatcher.go
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Sequence

from .glob import BadPattern, Glob, one_character

_WILD = re.compile(r"[*?\[\\]")


class IgnorePatterns:
    """Which paths of a context are left out. The last pattern that matches decides."""

    def __init__(self, patterns: Iterable[str]) -> None:
        """Patterns as in a .dockerignore, without comments. Raises BadPattern, which names one."""
        self._rules = [rule for text in patterns if text.strip() for rule in [_rule(text.strip())]]
        self._none = (False,) * len(self._rules)
        self._parent: tuple[str, Sequence[bool]] = ("", self._none)

    def leaves_out(self, path: str) -> bool:
        """Whether a path, relative to the context and with forward slashes, is left out.

        A pattern that matches a folder matches what is in the folder.
        """
        found = self._which(path)
        taken = False
        for rule, matched in zip(self._rules, found, strict=True):
            taken = not rule.takes_back if matched else taken
        return taken

    def may_take_back_below(self, folder: str) -> bool:
        """Whether a pattern with ``!`` may match something in a folder that is left out."""
        names = folder.split("/")
        return any(rule.takes_back and rule.may_match_below(names) for rule in self._rules)

    def _which(self, path: str) -> Sequence[bool]:
        """Which rules match a path or a folder above the path."""
        above = posixpath.dirname(path)
        if self._parent[0] != above:
            found: Sequence[bool] = self._none
            for end in [at for at, character in enumerate(above) if character == "/"]:
                found = self._onto(above[:end], found)
            self._parent = (above, self._onto(above, found) if above else found)
        return self._onto(path, self._parent[1])

    def _onto(self, path: str, above: Sequence[bool]) -> Sequence[bool]:
        """Which rules match a path, if those match the folder of the path."""
        taken, found = False, []
        for rule, inherited in zip(self._rules, above, strict=True):
            # as Docker does: a rule that would change nothing is not asked
            matched = inherited or (rule.takes_back == taken and rule.matches(path))
            found.append(matched)
            taken = not rule.takes_back if matched else taken
        return found


def _rule(text: str) -> _Rule:
    """A line of a .dockerignore; raises BadPattern."""
    takes_back = text.startswith("!")
    pattern = text.removeprefix("!").strip()
    if not pattern:
        raise BadPattern(f'illegal exclusion pattern: "{text}"')
    pattern = posixpath.normpath(re.sub("/+", "/", pattern))
    if len(pattern) > 1:
        pattern = pattern.removeprefix("/")
    try:
        Glob(pattern)  # as Docker does, which asks Go's filepath.Match whether a pattern is one
    except BadPattern as error:
        raise BadPattern(f"syntax error in pattern: {text}") from error
    return _Rule(pattern, takes_back)


class _Rule:
    """One pattern, cleaned; ``takes_back`` for a pattern after ``!``."""

    def __init__(self, pattern: str, takes_back: bool) -> None:
        self.takes_back = takes_back
        self.matches: Callable[[str], bool] = _test(pattern)
        self._names = pattern.split("/")

    def may_match_below(self, folder: Sequence[str]) -> bool:
        """Whether the pattern may match a path below a folder, given as names."""
        for name, wanted in zip(folder, self._names, strict=False):
            if "**" in wanted:
                return True
            if not _WILD.search(wanted) and wanted != name:
                return False
        return len(self._names) > len(folder)


def _test(pattern: str) -> Callable[[str], bool]:
    """Whether a path is what a pattern says; most patterns need no more than a comparison."""
    if not _WILD.search(pattern):
        return pattern.__eq__
    if pattern.startswith("**") and not re.search(r"[*?\[\]\\]", end := pattern[2:]):
        # as in Docker, `**/foo` is `foo` too, and `**foo` is whatever ends so, but for a bracket
        return lambda path: path.endswith(end) or (end.startswith("/") and path == end[1:])
    if pattern.endswith("**") and not _WILD.search(begin := pattern[:-2]):
        return lambda path: path.startswith(begin)
    return _Places(pattern).matches


class _Places:
    """A pattern as a row of steps, and the places in the row that a path may have come to.

    A place is a bit. A step takes one character (``_ones``), or any number of them (``_many``).
    `**/` is a fork (``_forks``), and any characters and a slash, which may be left out.
    """

    def __init__(self, pattern: str) -> None:
        self._tests: list[Callable[[str], bool]] = []
        self._ones = self._many = self._forks = 0
        self._taken: dict[str, tuple[int, int]] = {}
        at = 0
        while at < len(pattern):
            if pattern.startswith("**", at):
                at += 3 if pattern.startswith("/", at + 2) else 2
                if at < len(pattern):
                    self._forks |= 1 << len(self._tests)
                    self._tests.append(_nothing)
                    self._step(_in_line, many=True)
                    self._step("/".__eq__)
                else:
                    self._step(_in_line, many=True)
            elif pattern[at] == "*":
                at += 1
                self._step("/".__ne__, many=True)
            else:
                test, at = one_character(pattern, at)
                self._step(test)

    def _step(self, test: Callable[[str], bool], many: bool = False) -> None:
        bit = 1 << len(self._tests)
        self._many |= bit if many else 0
        self._ones |= 0 if many else bit
        self._tests.append(test)

    def matches(self, path: str) -> bool:
        """Whether the path leads to the end of the row."""
        places = self._onwards(1)
        for character in path:
            ones, many = self._taken.get(character) or self._take(character)
            places = self._onwards((places & ones) << 1 | places & many)
            if not places:
                return False
        return bool(places >> len(self._tests))

    def _onwards(self, places: int) -> int:
        """The places, and those that are reached from them without a character."""
        before = 0
        while places != before:
            before = places
            forks = places & self._forks
            places |= (places & self._many) << 1 | forks << 1 | forks << 3
        return places

    def _take(self, character: str) -> tuple[int, int]:
        """The steps of either kind that take a character."""
        found = sum(1 << place for place, test in enumerate(self._tests) if test(character))
        self._taken[character] = found & self._ones, found & self._many
        return self._taken[character]


def _nothing(character: str) -> bool:
    """A fork takes no character."""
    return False


def _in_line(character: str) -> bool:
    """What Go's `.` stands for."""
    return character != "\n"
