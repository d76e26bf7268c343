"""The parameters of a request against botocore's model: required, enum, length, range, pattern.

A problem carries AWS's sentence about the constraint; each service says in its own words, and with
its own code, which parameters are invalid. Sentences seen on AWS:

- https://github.com/aws-actions/amazon-ecr-login/issues/225 (``Member must satisfy constraint``)
- https://github.com/renovatebot/renovate (``Member must have value less than ...``)
- https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html (``1 validation error``)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from botocore.model import Shape

SAFE_PATTERNS = {
    r"^[a-z0-9*](?:[._\-/a-z0-9*]?[a-z0-9*]+)*$": r"[a-z0-9*]+(?:[._\-/][a-z0-9*]+)*",
    r"^[ \t]*[\x20-\x7E]+([ \t]+[\x20-\x7E]+)*[ \t]*$": r"[\t\x20-\x7E]*[\x20-\x7E][\t\x20-\x7E]*",
}
"""Patterns of models that backtrack exponentially, each with an equivalent that does not."""

_UNICODE_ESCAPE = re.compile(r"\\u(10[0-9A-F]{4}|[0-9A-F]{4})")
_LETTERS = r"\p{L}\p{Z}\p{N}_"
_PLAIN = ("string", "blob", "boolean", "integer", "long", "float", "double", "timestamp")


@dataclass(frozen=True)
class Problem:
    """A parameter that breaks a constraint.

    path: as AWS spells the parameter (``tags.1.member.key``); value: None for a missing one;
    constraint: ``Member must ...``; shape: the parameter's shape in the model, if it has one.
    """

    path: str
    value: Any
    constraint: str
    shape: Shape | None = None

    def __str__(self) -> str:
        """AWS's sentence; the value of a sensitive parameter is left out."""
        value = self.value
        if isinstance(value, list):
            value = f"[{', '.join(map(str, value))}]"
        said = "Value null" if value is None else f"Value '{value}'"
        if value is not None and self.shape is not None and self.shape.metadata.get("sensitive"):
            said = "Value"
        return f"{said} at '{self.path}' failed to satisfy constraint: {self.constraint}"


class Invalid(Exception):
    """Parameters that a service refuses; the message is the one that most of AWS's services use."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        errors = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected"
        super().__init__(f"{errors}: {'; '.join(map(str, problems))}")
        self.problems = problems


def validate(params: Mapping[str, Any], shape: Shape) -> None:
    """Raise Invalid when parameters break constraints of the operation's input shape."""
    problems = list(_structure(params, shape, ""))
    if problems:
        raise Invalid(problems)


def _any(value: Any, shape: Shape, path: str) -> Iterator[Problem]:
    """Problems of a value; the reader of the request has checked the types."""
    if shape.type_name in ("structure", "map"):
        if isinstance(value, Mapping):
            yield from (_map if shape.type_name == "map" else _structure)(value, shape, path)
    elif shape.type_name == "list":
        if isinstance(value, list):
            yield from _list(value, shape, path)
    else:
        for constraint in _broken(value, shape):
            yield Problem(path, value, constraint, shape)


def _structure(value: Mapping[str, Any], shape: Shape, path: str) -> Iterator[Problem]:
    for name in shape.required_members:
        if value.get(name) is None:
            member = shape.members[name]
            yield Problem(_below(path, name), None, "Member must not be null", member)
    for name, item in value.items():
        if item is not None and name in shape.members:
            yield from _any(item, shape.members[name], _below(path, name))


def _list(value: Sequence[Any], shape: Shape, path: str) -> Iterator[Problem]:
    for constraint in _length(value, shape):
        yield Problem(path, value, constraint, shape)
    yield from _members("Member", value, dict(enumerate(value, 1)), shape.member, shape, path)


def _map(value: Mapping[str, Any], shape: Shape, path: str) -> Iterator[Problem]:
    for constraint in _length(value, shape):
        yield Problem(path, value, constraint, shape)
    yield from _members("Map keys", value, {key: key for key in value}, shape.key, shape, path)
    yield from _members("Map value", value, value, shape.value, shape, path)


def _members(
    what: str, whole: Any, items: Mapping[Any, Any], member: Shape, shape: Shape, path: str
) -> Iterator[Problem]:
    """Problems of the items of a list or a map.

    A plain item is reported as the whole list with every constraint that an item has to satisfy;
    a structure by its own path.
    """
    for place, item in items.items():
        rules: list[str] = []
        if item is None:
            rules = ["Member must not be null"]
        elif member.type_name not in _PLAIN:
            yield from _any(item, member, f"{path}.{place}.member")
        elif any(_broken(item, member)):
            rules = list(_constraints(member))
        if rules:
            constraint = f"{what} must satisfy constraint: [{', '.join(rules)}]"
            yield Problem(path, whole, constraint, shape)
            return


def _broken(value: Any, shape: Shape) -> Iterator[str]:
    """The constraints that a plain value breaks."""
    if "enum" in shape.metadata and value not in shape.metadata["enum"]:
        yield _enum_text(shape.metadata["enum"])
    if shape.type_name in ("string", "blob"):
        yield from _length(value, shape)
        pattern = shape.metadata.get("pattern")
        if pattern and not _compiled(pattern).fullmatch(value):
            yield _pattern_text(pattern)
    elif shape.type_name in ("integer", "long"):
        # the query protocol spells a number as text
        yield from _bounds(int(value), shape, "value")


def _length(value: Any, shape: Shape) -> Iterator[str]:
    yield from _bounds(len(value), shape, "length")


def _bounds(number: int, shape: Shape, what: str) -> Iterator[str]:
    minimum, maximum = shape.metadata.get("min"), shape.metadata.get("max")
    if maximum is not None and number > maximum:
        yield f"Member must have {what} less than or equal to {maximum}"
    if minimum is not None and number < minimum:
        yield f"Member must have {what} greater than or equal to {minimum}"


def _constraints(shape: Shape) -> Iterator[str]:
    """Every constraint of a plain shape."""
    what = "length" if shape.type_name in ("string", "blob") else "value"
    if "max" in shape.metadata:
        yield f"Member must have {what} less than or equal to {shape.metadata['max']}"
    if "min" in shape.metadata:
        yield f"Member must have {what} greater than or equal to {shape.metadata['min']}"
    if "pattern" in shape.metadata:
        yield _pattern_text(shape.metadata["pattern"])
    if "enum" in shape.metadata:
        yield _enum_text(shape.metadata["enum"])


def _enum_text(values: Sequence[str]) -> str:
    return f"Member must satisfy enum value set: [{', '.join(values)}]"


def _pattern_text(pattern: str) -> str:
    plain = pattern.replace(r"\/", "/")
    return f"Member must satisfy regular expression pattern: {plain}"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern of Java as a pattern of Python: Java's ``\\w`` is ASCII."""
    pattern = SAFE_PATTERNS.get(pattern, pattern)
    pattern = _UNICODE_ESCAPE.sub(lambda match: re.escape(chr(int(match[1], 16))), pattern)
    named = _LETTERS in pattern
    return re.compile(pattern.replace(_LETTERS, r"\w\s"), 0 if named else re.ASCII)


def _below(path: str, name: str) -> str:
    """The path of a member; AWS's messages begin each name with a small letter."""
    name = name[:1].lower() + name[1:]
    return f"{path}.{name}" if path else name
