"""JSON with the place of each value: AWS's messages about a pattern name line and column."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

_DECODER = json.JSONDecoder()
_BLANK = re.compile(r"[ \t\r\n]*")
_PLAIN = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null")


class NotJson(Exception):
    """The text is no JSON."""


@dataclass(frozen=True)
class Node:
    """value: a scalar, a list of nodes, or a list of (name, node) for an object.

    begins, ends: where AWS's parser stands once it has met the value, and once it has read the
    whole value; both count characters of the text.
    """

    kind: type
    value: Any
    begins: int
    ends: int


def read(text: str) -> Node:
    """The only value of a text; raises NotJson."""
    try:
        node, position = _value(text, _skip(text, 0))
    except (json.JSONDecodeError, IndexError, RecursionError) as error:
        raise NotJson() from error
    if _skip(text, position) != len(text):
        raise NotJson()
    return node


def place(text: str, position: int) -> str:
    """A position as Jackson writes one: "line: 1, column: 56", both counted from 1."""
    before = text[:position]
    return f"line: {before.count(chr(10)) + 1}, column: {position - before.rfind(chr(10))}"


def _skip(text: str, position: int) -> int:
    found = _BLANK.match(text, position)
    return found.end() if found else position


def _value(text: str, start: int) -> tuple[Node, int]:
    first = text[start]
    if first == '"':
        value, end = _DECODER.raw_decode(text, start)
        # AWS's parser reads the rest of a text only when somebody asks for the text
        return Node(str, value, start + 1, end), end
    if first == "{":
        return _object(text, start)
    if first == "[":
        return _array(text, start)
    found = _PLAIN.match(text, start)
    if found is None:
        raise NotJson()
    value = json.loads(found[0])
    return Node(type(value), value, found.end(), found.end()), found.end()


def _object(text: str, start: int) -> tuple[Node, int]:
    members: list[tuple[str, Node]] = []
    position = _skip(text, start + 1)
    while text[position] != "}":
        if members:
            position = _after(text, position, ",")
        if text[position] != '"':
            raise NotJson()
        name, position = _DECODER.raw_decode(text, position)
        position = _after(text, _skip(text, position), ":")
        node, position = _value(text, position)
        members.append((name, node))
        position = _skip(text, position)
    return Node(dict, members, start + 1, position + 1), position + 1


def _array(text: str, start: int) -> tuple[Node, int]:
    items: list[Node] = []
    position = _skip(text, start + 1)
    while text[position] != "]":
        if items:
            position = _after(text, position, ",")
        node, position = _value(text, position)
        items.append(node)
        position = _skip(text, position)
    return Node(list, items, start + 1, position + 1), position + 1


def _after(text: str, position: int, mark: str) -> int:
    if text[position] != mark:
        raise NotJson()
    return _skip(text, position + 1)
