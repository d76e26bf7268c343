"""Glob patterns of the filters of triggers, matched in time that is linear in the text.

Rules: https://docs.aws.amazon.com/codepipeline/latest/userguide/syntax-glob.html. The page has the
rules of Java's globs (https://docs.oracle.com/javase/8/docs/api/java/nio/file/FileSystem.html),
with one more: `**/` stands for any number of folders, also for none, so that `**/*` is every file
and `directory/**/*` everything below the folder.

A pattern becomes an automaton without backtracking. A set of its states is an integer. Characters
between which the pattern makes no difference are one class, and the step from a set by a class is
kept once it is known.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

_Test = Callable[[str], bool]
_SLASH = {ord("/"), ord("/") + 1}

_MOST_STEPS = 4096
"""Steps that a pattern keeps; then it begins anew."""


class BadGlob(Exception):
    """The pattern is none; the message says what is wrong with it."""


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text fits the pattern; raises BadGlob."""
    return _compiled(pattern).matches(text)


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> _Automaton:
    return _Parser(pattern).automaton()


def check(pattern: str) -> None:
    """Raise BadGlob for a pattern that is none."""
    _compiled(pattern)


@dataclass
class _Automaton:
    """arcs: by state, (test of a character, next state); free: by state, states without one.

    borders: the code points at which the answer of a test may change.
    """

    arcs: list[list[tuple[_Test, int]]] = field(default_factory=list)
    free: list[list[int]] = field(default_factory=list)
    borders: set[int] = field(default_factory=set)
    _closures: list[int] = field(default_factory=list)
    _steps: dict[tuple[int, int], int] = field(default_factory=dict)
    _classes: list[int] = field(default_factory=list)

    def state(self) -> int:
        """A new state."""
        self.arcs.append([])
        self.free.append([])
        return len(self.arcs) - 1

    def close(self) -> None:
        """The pattern is whole, and its last state the one that accepts."""
        self._closures = [self._closure(state) for state in range(len(self.arcs))]
        self._classes = sorted(self.borders)

    def _closure(self, first: int) -> int:
        seen, left = 0, [first]
        while left:
            state = left.pop()
            if not seen >> state & 1:
                seen |= 1 << state
                left += self.free[state]
        return seen

    def matches(self, text: str) -> bool:
        states = self._closures[0]
        for character in text:
            key = (states, bisect_right(self._classes, ord(character)))
            found = self._steps.get(key)
            if found is None:
                found = self._step(states, character)
                if len(self._steps) >= _MOST_STEPS:
                    self._steps.clear()
                self._steps[key] = found
            states = found
            if not states:
                return False
        return bool(states >> len(self.arcs) - 1 & 1)

    def _step(self, states: int, character: str) -> int:
        found = 0
        for state, arcs in enumerate(self.arcs):
            if states >> state & 1:
                for test, following in arcs:
                    if test(character):
                        found |= self._closures[following]
        return found


class _Parser:
    """Reads a pattern once, and adds states to the automaton."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._made = _Automaton()
        self._last = self._made.state()

    def automaton(self) -> _Automaton:
        while self._at < len(self._pattern):
            if self._pattern[self._at] == "{":
                self._group()
            else:
                self._one()
        self._made.close()
        return self._made

    def _group(self) -> None:
        """{a,b}: one of several patterns, none of which has a group."""
        self._at += 1
        before = self._last
        ends: list[int] = []
        while True:
            self._last = self._made.state()
            self._made.free[before].append(self._last)
            while self._next("{ has no }") not in ",}":
                if self._pattern[self._at] == "{":
                    raise BadGlob("a { } stands in a { }")
                self._one()
            ends.append(self._last)
            self._at += 1
            if self._pattern[self._at - 1] == "}":
                break
        self._last = self._made.state()
        for end in ends:
            self._made.free[end].append(self._last)

    def _one(self) -> None:
        """One character, one set of characters, or one run of asterisks."""
        character = self._pattern[self._at]
        if character == "*":
            self._asterisks()
            return
        self._at += 1
        if character == "?":
            self._made.borders |= _SLASH
            self._step(_within)
        elif character == "[":
            self._step(self._bracket())
        elif character == "\\":
            literal = self._next("\\ stands at the end")
            self._at += 1
            self._literal(literal)
        else:
            self._literal(character)

    def _literal(self, character: str) -> None:
        self._made.borders |= {ord(character), ord(character) + 1}
        self._step(_equals(character))

    def _asterisks(self) -> None:
        first = self._at
        while self._at < len(self._pattern) and self._pattern[self._at] == "*":
            self._at += 1
        state = self._last
        self._made.borders |= _SLASH
        if self._at - first == 1:
            self._made.arcs[state].append((_within, state))
        elif self._pattern[self._at : self._at + 1] == "/" and self._begins(first):
            self._at += 1
            inside = self._made.state()
            self._made.free[state].append(inside)
            self._made.arcs[inside].append((_any, inside))
            self._last = self._made.state()
            self._made.free[state].append(self._last)
            self._made.arcs[inside].append((_equals("/"), self._last))
            return
        else:
            self._made.arcs[state].append((_any, state))
        self._last = self._made.state()
        self._made.free[state].append(self._last)

    def _begins(self, place: int) -> bool:
        """Whether the name of a folder or file begins here."""
        return place == 0 or self._pattern[place - 1] in "/{,"

    def _bracket(self) -> _Test:
        """[abc], [a-z], [!a-z]: never a slash; *, ? and the backslash are themselves in it."""
        negated = self._next("[ has no ]") == "!"
        self._at += negated
        ranges: list[tuple[str, str]] = []
        while (low := self._next("[ has no ]")) != "]" or not ranges:
            self._at += 1
            high = low
            if (
                self._next("[ has no ]") == "-"
                and self._pattern[self._at + 1 : self._at + 2] != "]"
            ):
                self._at += 1
                high = self._next("[ has no ]")
                self._at += 1
            if high < low:
                raise BadGlob(f"the range {low}-{high} goes down")
            ranges.append((low, high))
            self._made.borders |= {ord(low), ord(high) + 1}
        self._at += 1
        self._made.borders |= _SLASH
        return lambda character: (
            character != "/" and negated != any(low <= character <= high for low, high in ranges)
        )

    def _next(self, otherwise: str) -> str:
        if self._at >= len(self._pattern):
            raise BadGlob(otherwise)
        return self._pattern[self._at]

    def _step(self, test: _Test) -> None:
        following = self._made.state()
        self._made.arcs[self._last].append((test, following))
        self._last = following


def _any(_: str) -> bool:
    return True


def _within(character: str) -> bool:
    return character != "/"


def _equals(literal: str) -> _Test:
    return lambda character: character == literal
