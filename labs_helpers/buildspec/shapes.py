"""What a value of a buildspec may look like: the words in which the schema is written.

`Reader.read` takes a node of the tree and a shape, and returns plain values. It notes every problem
and goes on, so that the author of a buildspec sees all mistakes at once.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from labs_helpers.buildspec.model import Command
from labs_helpers.buildspec.problems import Problem
from labs_helpers.buildspec.tree import Items, Node, Scalar, Table


class Found(NamedTuple):
    """A value and the line of its key."""

    line: int
    value: Any


@dataclass(frozen=True)
class Text:
    """A scalar, as the file writes it. ``fits`` returns what is wrong with a text, or None."""

    fits: Callable[[str], str | None] | None = None


@dataclass(frozen=True)
class Choice:
    """One of some texts, in their spelling; with ``fold``, in any case."""

    values: tuple[str, ...]
    fold: bool = False


@dataclass(frozen=True)
class Texts:
    """A list of texts, or one text that stands for a list of one. Empty entries say nothing."""

    most: int = 0
    label: str = ""
    """CodeBuild's name of the list in its own message, "Commands"."""


@dataclass(frozen=True)
class Names:
    """A table whose keys the author chooses."""

    value: Shape
    fits: Callable[[str], str | None] | None = None
    most: int = 0


@dataclass(frozen=True)
class Keys:
    """A table whose keys are fixed.

    aws: CodeBuild's message for another key. hints: what to do about keys of another version.
    """

    keys: Mapping[str, Shape]
    required: tuple[str, ...] = ()
    aws: str = ""
    hints: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Anything:
    """A value that nothing here looks into."""


Shape = Text | Choice | Texts | Names | Keys | Anything

YES_NO = Choice(("yes", "no", "true", "false", "on", "off"), fold=True)
_KINDS = {Scalar: "a text", Items: "a list", Table: "a table of keys"}


@dataclass
class Reader:
    """Reads nodes by shapes. homes: where in a buildspec each known key belongs."""

    homes: Mapping[str, tuple[str, ...]]
    problems: list[Problem] = field(default_factory=list)

    def read(self, node: Node, shape: Shape, path: str) -> Any:
        """A str, a tuple of Commands, or a dict of Found; an empty one for a node that is wrong."""
        match shape:
            case Text():
                return self._text(node, shape, path)
            case Choice():
                return self._choice(node, shape, path)
            case Texts():
                return self._texts(node, shape, path)
            case Names():
                return self._names(node, shape, path)
            case Keys():
                return self._keys(node, shape, path)
            case Anything():
                return None

    def note(self, line: int, path: str, what: str, advice: str, aws: str = "") -> None:
        self.problems.append(Problem(line, path, what, advice, aws))

    def _text(self, node: Node, shape: Text, path: str) -> str:
        if not isinstance(node, Scalar):
            self.note(node.line, path, f"expected a text, found {_KINDS[type(node)]}", _QUOTE)
            return ""
        if shape.fits and (wrong := shape.fits(node.text)):
            self.note(node.line, path, *wrong.split("|", 1))
        return node.text

    def _choice(self, node: Node, shape: Choice, path: str) -> str:
        text = self._text(node, Text(), path)
        if not isinstance(node, Scalar):
            return ""
        wanted = {value.lower(): value for value in shape.values}
        if text in shape.values or (shape.fold and text.lower() in wanted):
            return wanted[text.lower()]
        near = wanted.get(text.lower()) or _near(text, shape.values)
        advice = f"Did you mean {near}?" if near else "Write one of these."
        known = ", ".join(shape.values)
        self.note(node.line, path, f"{_shown(text)} is none of {known}", advice)
        return ""

    def _texts(self, node: Node, shape: Texts, path: str) -> tuple[Command, ...]:
        if isinstance(node, Table):
            aws = f"Expected {shape.label}[0] to be of string type: found subkeys instead at line "
            aws = f"{aws}{node.line}" if shape.label else ""
            self.note(node.line, path, "expected a list or a text, found keys", _QUOTE, aws)
            return ()
        items = node.items if isinstance(node, Items) else (node,)
        found = []
        for number, item in enumerate(items):
            place = f"{path}[{number}]" if isinstance(node, Items) else path
            if isinstance(item, Scalar):
                found.append(Command(item.text, item.line))
                continue
            aws = (
                f"Expected {shape.label}[{number}] to be of string type: found subkeys instead "
                f"at line {item.line}"
            )
            what = f"expected a text, found {_KINDS[type(item)]}"
            self.note(item.line, place, what, _QUOTE, aws if shape.label else "")
        if shape.most and len(found) > shape.most:
            what = f"{len(found)} entries, and CodeBuild takes {shape.most} at most"
            self.note(found[shape.most].line, path, what, "Remove some.")
        return tuple(each for each in found if each.text.strip())

    def _names(self, node: Node, shape: Names, path: str) -> dict[str, Found]:
        if isinstance(node, Scalar) and node.null:
            return {}
        if not isinstance(node, Table):
            what = f"expected names with values, found {_KINDS[type(node)]}"
            self.note(node.line, path, what, "Write `name: value`, one a line, without a dash.")
            return {}
        found = {}
        for name, (line, value) in node.entries.items():
            place = f"{path}/{name}"
            if shape.fits and (wrong := shape.fits(name)):
                self.note(line, place, *wrong.split("|", 1))
            found[name] = Found(line, self.read(value, shape.value, place))
        if shape.most and len(found) > shape.most:
            what = f"{len(found)} entries, and CodeBuild takes {shape.most} at most"
            self.note(list(found.values())[shape.most].line, path, what, "Remove some.")
        return found

    def _keys(self, node: Node, shape: Keys, path: str) -> dict[str, Found]:
        if isinstance(node, Scalar) and node.null:
            node = Table({}, node.line)
        if not isinstance(node, Table):
            what = f"expected keys, found {_KINDS[type(node)]}"
            known = ", ".join(shape.keys)
            self.note(node.line, path, what, f"The keys are {known}; they stand without a dash.")
            return {}
        found = {}
        for name, (line, value) in node.entries.items():
            place = f"{path}/{name}" if path else name
            if (of := shape.keys.get(name)) is None:
                aws = shape.aws.format(name) if shape.aws else ""
                self.note(
                    line, place, "CodeBuild has no such key here", self._hint(name, shape), aws
                )
                continue
            found[name] = Found(line, self.read(value, of, place))
        for name in shape.required:
            if name not in node.entries:
                place = f"{path}/{name}" if path else name
                self.note(
                    node.line, place, "this key is required and is missing", f"Add `{name}:`."
                )
        return found

    def _hint(self, name: str, shape: Keys) -> str:
        if name in shape.hints:
            return shape.hints[name]
        if near := _near(name, shape.keys):
            return f"Did you mean {near}?"
        if homes := self.homes.get(name):
            places = " or ".join(home or "the top level, without indentation" for home in homes)
            return f"{name} belongs to {places}."
        return f"The keys here are {', '.join(shape.keys)}."


_QUOTE = "Quote a text that contains a colon and a space, or begins with a bracket or a brace."


def _near(word: str, known: Any) -> str | None:
    """The known word that was probably meant: another case or dash, or a slip of the finger."""
    plain = {re.sub(r"[-_ ]", "", each).lower(): each for each in known}
    found = difflib.get_close_matches(re.sub(r"[-_ ]", "", word).lower(), plain, 1, 0.75)
    return plain[found[0]] if found else None


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
