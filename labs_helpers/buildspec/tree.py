"""A YAML text as a tree in which every key and value knows its line.

PyYAML composes the nodes, and no value is constructed: a scalar keeps the characters of the file,
so that the command `false` and the version `0.2` stay texts. YAML's anchors, aliases and merge keys
(`<<`) work; a key that stands twice, a tag such as `!Sub` and an alias inside its own anchor are
problems.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

from labs_helpers.buildspec.problems import BuildspecError, Problem

_CORE = "tag:yaml.org,2002:"
_MERGE = f"{_CORE}merge"
# libyaml's wording is also CodeBuild's, whose agent reads YAML with a port of libyaml
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, eq=False)
class Scalar:
    """A text; ``null`` says that the file leaves the value out, or says `null` or `~`."""

    text: str
    line: int
    null: bool = False


@dataclass(frozen=True, eq=False)
class Items:
    """A list."""

    items: tuple[Node, ...]
    line: int


@dataclass(frozen=True, eq=False)
class Table:
    """Keys with their lines and values, in the order of the file."""

    entries: dict[str, tuple[int, Node]]
    line: int


Node = Scalar | Items | Table


def parse(text: str | bytes) -> Node:
    """The tree of a YAML document; raises BuildspecError."""
    decoded = text if isinstance(text, str) else _decoded(text)
    try:
        root = yaml.compose(decoded, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        raise BuildspecError([_not_yaml(error)]) from None
    except yaml.reader.ReaderError as error:
        position = error.position if isinstance(error.position, int) else 0
        raise BuildspecError([_character(decoded[:position].count("\n") + 1)]) from None
    except RecursionError:
        raise BuildspecError([_too_deep()]) from None
    if root is None:
        what, advice = "the buildspec is empty", "Begin with `version: 0.2` and `phases:`."
        raise BuildspecError([Problem(1, "", what, advice)])
    tree = _Tree()
    try:
        node = tree.of(root, "")
    except RecursionError:
        raise BuildspecError([_too_deep()]) from None
    if tree.problems:
        raise BuildspecError(tree.problems)
    return node


@dataclass
class _Tree:
    """Turns PyYAML's nodes into ours. An alias shares its anchor's node, so size cannot explode."""

    problems: list[Problem] = field(default_factory=list)
    made: dict[int, Node] = field(default_factory=dict)
    open: set[int] = field(default_factory=set)

    def of(self, node: Any, path: str) -> Node:
        if id(node) in self.made:
            return self.made[id(node)]
        line = node.start_mark.line + 1
        if id(node) in self.open:
            what = "an alias stands inside its own anchor"
            self.problems.append(Problem(line, path, what, "Write the value out."))
            return Scalar("", line, null=True)
        if not node.tag.startswith(_CORE):
            what = f"the tag {node.tag} means nothing in a buildspec"
            self.problems.append(Problem(line, path, what, "Quote the value, or remove the tag."))
        self.open.add(id(node))
        made: Node
        if isinstance(node, yaml.ScalarNode):
            null = node.tag == f"{_CORE}null"
            made = Scalar("" if null else node.value, line, null)
        elif isinstance(node, yaml.SequenceNode):
            items = (self.of(item, f"{path}[{n}]") for n, item in enumerate(node.value))
            made = Items(tuple(items), line)
        else:
            made = Table(self._entries(node, path), line)
        self.open.discard(id(node))
        self.made[id(node)] = made
        return made

    def _entries(self, node: Any, path: str) -> dict[str, tuple[int, Node]]:
        entries: dict[str, tuple[int, Node]] = {}
        merged: dict[str, tuple[int, Node]] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                what = "a key is a list or a table"
                self.problems.append(Problem(line, path, what, "A key is a plain word."))
                continue
            if key.tag == _MERGE:
                self._merge(self.of(value, path), merged, line, path)
                continue
            place = f"{path}/{key.value}" if path else key.value
            if key.value in entries:
                what = f"the key stands twice, first in line {entries[key.value][0]}"
                advice = "Join the two: one of them would be lost without a word."
                self.problems.append(Problem(line, place, what, advice))
                continue
            entries[key.value] = (line, self.of(value, place))
        return {**{name: at for name, at in merged.items() if name not in entries}, **entries}

    def _merge(self, node: Node, merged: dict[str, tuple[int, Node]], line: int, path: str) -> None:
        """Add what `<<` names; of several tables the first wins (https://yaml.org/type/merge.html)."""
        for each in node.items if isinstance(node, Items) else (node,):
            if isinstance(each, Table):
                merged.update({k: v for k, v in each.entries.items() if k not in merged})
            else:
                what = "`<<` merges a table, and this is none"
                self.problems.append(Problem(line, path, what, "Name an anchor of a table."))


def _decoded(text: bytes) -> str:
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text[: error.start].count(b"\n") + 1
        what = "the file is not UTF-8"
        raise BuildspecError([Problem(line, "", what, "Save the file as UTF-8.")]) from None


def _not_yaml(error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    words = error.problem or error.context or "this is not YAML"
    if "cannot start any token" in words:
        advice = "Indent with spaces, never tabs, and quote a text that begins with @ or `."
    elif "mapping values are not allowed" in words:
        advice = (
            "Quote a text that contains a colon and a space, and indent keys of one level alike."
        )
    elif "single document" in words or "document start" in words:
        advice = "A buildspec is one document: remove what follows the second `---`."
    else:
        advice = "Look at the quotes, brackets and indentation of this line and of the line before."
    return Problem(line, "", words, advice, aws=f"{words} at line {line}")


def _character(line: int) -> Problem:
    what = "a control character stands in the file"
    return Problem(line, "", what, 'Remove the character, or write it as "\\x1b" in quotes.')


def _too_deep() -> Problem:
    return Problem(1, "", "the file is nested too deeply", "A buildspec has at most five levels.")
