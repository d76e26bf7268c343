"""Go templates for --format: the part of text/template that docker's users need.

Supports fields, variables, literals, pipelines, ``range``, ``if``, ``with``, ``else``, ``end`` and
Docker's own functions. Source: https://pkg.go.dev/text/template and
https://docs.docker.com/engine/cli/formatting/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .gofunctions import FUNCTIONS, TemplateError, print_value, truth

_ACTION = re.compile(r"\{\{(-\s)?(.*?)(\s-)?\}\}", re.DOTALL)
_TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:\\.|[^"\\])*"|`[^`]*`)|(?P<number>[+-]?\d+(?:\.\d+)?)"""
    r"""|(?P<field>(?:\.[A-Za-z_]\w*)+|\.)|(?P<variable>\$\w*(?:\.[A-Za-z_]\w*)*)"""
    r"""|(?P<name>[A-Za-z_]\w*)|(?P<mark>:=|[|(),=]))""",
    re.ASCII,
)
_BLOCKS = {"range", "if", "with"}
_WORDS = {*_BLOCKS, "else", "end", "true", "false", "nil"}
Token = tuple[str, str]


@dataclass
class _Node:
    """A text, a value, or a block (``kind`` is its keyword) with its two branches."""

    kind: str
    text: str = ""
    tokens: list[Token] = field(default_factory=list)
    body: list[_Node] = field(default_factory=list)
    other: list[_Node] = field(default_factory=list)


class Template:
    """A parsed template."""

    def __init__(self, text: str) -> None:
        """Raises TemplateError."""
        self._text = text
        parts = _parts(text)
        self._nodes, ending = _parse(parts)
        if ending:
            raise TemplateError(f"template: :1: unexpected {{{{{ending}}}}}")

    def render(self, data: Any, kind: str = "") -> str:
        """The text for decoded JSON; ``kind`` is the name of its type in error messages.

        Raises:
            TemplateError: a field or function does not exist, or its use is wrong.
        """
        return "".join(_Renderer(kind).nodes(self._nodes, data, {"$": data}))


def _parts(text: str) -> Iterator[_Node]:
    place, trim = 0, False
    for action in _ACTION.finditer(text):
        before = text[place : action.start()]
        before = before.lstrip() if trim else before
        yield _Node("text", before.rstrip() if action[1] else before)
        body = action[2].strip()
        if not (body.startswith("/*") and body.endswith("*/")):
            yield _Node("action", body, _tokens(body))
        place, trim = action.end(), bool(action[3])
    rest = text[place:]
    if "{{" in rest:
        raise TemplateError("template: :1: unclosed action")
    yield _Node("text", rest.lstrip() if trim else rest)


def _tokens(text: str) -> list[Token]:
    tokens, place = [], 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if not found or found.end() == place:
            character = text[place:].strip()[:1]
            raise TemplateError(f"template: :1: unexpected {character!r} in command")
        kind = str(found.lastgroup)
        if kind == "name" and found[kind] not in _WORDS | FUNCTIONS.keys():
            raise TemplateError(f'template: :1: function "{found[kind]}" not defined')
        tokens.append((kind, found[kind]))
        place = found.end()
        if not text[place:].strip():
            break
    return tokens


def _parse(parts: Iterator[_Node]) -> tuple[list[_Node], str]:
    nodes: list[_Node] = []
    for part in parts:
        if part.kind == "text":
            nodes.append(part)
            continue
        if not part.tokens:
            raise TemplateError("template: :1: missing value for command")
        word = part.tokens[0][1] if part.tokens[0][0] == "name" else ""
        if word in {"end", "else"}:
            return nodes, part.text
        if word in _BLOCKS:
            nodes.append(_block(word, part.tokens[1:], parts))
        else:
            nodes.append(_Node("value", part.text, part.tokens))
    return nodes, ""


def _block(word: str, tokens: list[Token], parts: Iterator[_Node]) -> _Node:
    body, ending = _parse(parts)
    other: list[_Node] = []
    if ending.startswith("else "):
        # `else if x` is a block in the other branch; its end closes both blocks
        rest = _tokens(ending.removeprefix("else "))
        other = [_block(rest[0][1], rest[1:], parts)]
        ending = "end"
    elif ending == "else":
        other, ending = _parse(parts)
    if ending != "end":
        raise TemplateError("template: :1: unexpected EOF")
    return _Node(word, tokens=tokens, body=body, other=other)


class _Renderer:
    """One rendering of a template."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def nodes(self, nodes: list[_Node], dot: Any, variables: dict[str, Any]) -> Iterator[str]:
        for node in nodes:
            if node.kind == "text":
                yield node.text
            elif node.kind == "value":
                names, tokens = _assignment(node.tokens)
                value = self._pipeline(tokens, dot, variables)
                if names:
                    variables[names[-1]] = value
                else:
                    yield print_value(value)
            elif node.kind == "range":
                yield from self._range(node, dot, variables)
            else:
                names, tokens = _assignment(node.tokens)
                value = self._pipeline(tokens, dot, variables)
                inner = {**variables, **dict.fromkeys(names[-1:], value)}
                if truth(value):
                    within = value if node.kind == "with" else dot
                    yield from self.nodes(node.body, within, inner)
                else:
                    yield from self.nodes(node.other, dot, inner)

    def _range(self, node: _Node, dot: Any, variables: dict[str, Any]) -> Iterator[str]:
        names, tokens = _assignment(node.tokens)
        values = self._pipeline(tokens, dot, variables)
        if isinstance(values, Mapping):
            items: list[tuple[Any, Any]] = sorted(values.items())
        elif isinstance(values, list):
            items = list(enumerate(values))
        elif values is None:
            items = []
        else:
            raise TemplateError(f"template: :1: range can't iterate over {print_value(values)}")
        if not items:
            yield from self.nodes(node.other, dot, dict(variables))
        for key, value in items:
            inner = dict(variables)
            if names:
                inner[names[-1]] = value
            if len(names) == 2:
                inner[names[0]] = key
            yield from self.nodes(node.body, value, inner)

    def _pipeline(self, tokens: list[Token], dot: Any, variables: dict[str, Any]) -> Any:
        piped: list[Any] = []
        for stage in _split(tokens):
            piped = [self._command(stage, dot, variables, piped)]
        return piped[0]

    def _command(
        self, tokens: list[Token], dot: Any, variables: dict[str, Any], piped: list[Any]
    ) -> Any:
        if not tokens:
            raise TemplateError("template: :1: missing value for command")
        kind, text = tokens[0]
        if kind == "name" and text not in {"true", "false", "nil"}:
            if text not in FUNCTIONS:
                raise TemplateError(f"template: :1: unexpected <{text}> in command")
            return _call(text, *self._operands(tokens[1:], dot, variables), *piped)
        operands = self._operands(tokens, dot, variables)
        if len(operands) != 1 or piped:
            raise TemplateError(f"template: :1: can't give argument to non-function {text}")
        return operands[0]

    def _operands(self, tokens: list[Token], dot: Any, variables: dict[str, Any]) -> list[Any]:
        values: list[Any] = []
        rest = list(tokens)
        while rest:
            kind, text = rest.pop(0)
            if (kind, text) == ("mark", "("):
                inner, rest = _parenthesis(rest)
                value = self._pipeline(inner, dot, variables)
                if rest and rest[0][0] == "field" and rest[0][1] != ".":
                    value = self._field(value, rest.pop(0)[1])
                values.append(value)
            elif kind == "string":
                values.append(_unquote(text))
            elif kind == "number":
                values.append(float(text) if "." in text else int(text))
            elif kind == "field":
                values.append(dot if text == "." else self._field(dot, text))
            elif kind == "variable":
                name, point, path = text.partition(".")
                if name not in variables:
                    raise TemplateError(f'template: :1: undefined variable "{name}"')
                value = variables[name]
                values.append(self._field(value, "." + path) if point else value)
            elif text in {"true", "false", "nil"}:
                values.append({"true": True, "false": False, "nil": None}[text])
            elif kind == "name" and text in FUNCTIONS:
                values.append(_call(text))
            else:
                raise TemplateError(f"template: :1: unexpected <{text}> in operand")
        return values

    def _field(self, value: Any, path: str) -> Any:
        for name in path.strip(".").split("."):
            if isinstance(value, Mapping) and name in value:
                value = value[name]
            elif isinstance(value, Mapping) and self._kind:
                raise TemplateError(
                    f'template: :1:2: executing "" at <{path}>: '
                    f"can't evaluate field {name} in type {self._kind}"
                )
            elif isinstance(value, Mapping):
                raise TemplateError(
                    f'template: :1:2: executing "" at <{path}>: map has no entry for key "{name}"'
                )
            else:
                raise TemplateError(
                    f'template: :1:2: executing "" at <{path}>: '
                    f"can't evaluate field {name} in type interface {{}}"
                )
        return value


def _call(name: str, *arguments: Any) -> Any:
    try:
        return FUNCTIONS[name](*arguments)
    except (TypeError, ValueError, IndexError, KeyError, AttributeError) as error:
        raise TemplateError(
            f'template: :1: executing "" at <{name}>: error calling {name}: {error}'
        ) from error


def _assignment(tokens: list[Token]) -> tuple[list[str], list[Token]]:
    """The variables that an action assigns, and the tokens of their value."""
    for mark in (":=", "="):
        if ("mark", mark) in tokens[:4]:
            place = tokens.index(("mark", mark))
            names = [text for kind, text in tokens[:place] if kind == "variable"]
            return names, tokens[place + 1 :]
    return [], tokens


def _split(tokens: list[Token]) -> list[list[Token]]:
    stages: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token[1], 0) if token[0] == "mark" else 0
        if token == ("mark", "|") and not depth:
            stages.append([])
        else:
            stages[-1].append(token)
    return stages


def _parenthesis(tokens: list[Token]) -> tuple[list[Token], list[Token]]:
    depth = 1
    for place, token in enumerate(tokens):
        depth += {("mark", "("): 1, ("mark", ")"): -1}.get(token, 0)
        if not depth:
            return tokens[:place], tokens[place + 1 :]
    raise TemplateError("template: :1: unclosed left paren")


def _unquote(text: str) -> str:
    if text.startswith("`"):
        return text[1:-1]
    escapes = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "'": "'"}
    return re.sub(r"\\(.)", lambda found: escapes.get(found[1], found[0]), text[1:-1])
