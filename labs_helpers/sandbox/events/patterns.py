"""Event patterns: read and refused in AWS's words, and matched with events.

Rules: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html and those of
AWS's own matcher, https://github.com/aws/event-ruler#readme. An array of an event matches where one
of its values does, and an object in an array only as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from labs_helpers.sandbox.events import matchers, positions
from labs_helpers.sandbox.events.errors import InvalidPattern
from labs_helpers.sandbox.events.matchers import Matcher, Unclear
from labs_helpers.sandbox.events.positions import Node

_OR = "$or"
_ABSENT = object()
"""Stands for a field that an event does not have; null is a value."""


class Pattern(Protocol):
    """What a value of an event matches or does not."""

    def matches(self, value: Any) -> bool:
        """Whether an event, or a part of an event, matches."""


@dataclass(frozen=True)
class _Field:
    """One field. present, absent: whether the field matches by being there, or by being missing."""

    matchers: Sequence[Matcher]
    present: bool
    absent: bool

    def matches(self, value: Any) -> bool:
        values = [each for each in _each(value) if not isinstance(each, dict | list)]
        if not values:
            return self.absent
        return self.present or any(matcher(each) for each in values for matcher in self.matchers)


@dataclass(frozen=True)
class _Object:
    """All fields, and of each $or one pattern."""

    fields: Mapping[str, Pattern]
    one_of: Sequence[Sequence[Pattern]]

    def matches(self, value: Any) -> bool:
        parts = [each for each in _each(value) if isinstance(each, dict)] or [{}]
        return any(self._takes(part) for part in parts)

    def _takes(self, part: Mapping[str, Any]) -> bool:
        return all(
            each.matches(part.get(name, _ABSENT)) for name, each in self.fields.items()
        ) and all(any(each.matches(part) for each in group) for group in self.one_of)


def parse(text: str) -> Pattern:
    """The pattern that a JSON text says; raises InvalidPattern."""
    try:
        node = positions.read(text)
        if node.kind is not dict:
            raise Unclear(node, "Filter is not an object")
        return _object(node, within_or=False)
    except positions.NotJson as error:
        raise InvalidPattern(reason="Invalid JSON") from error
    except Unclear as error:
        where = f'[Source: (String)"{text}"; {positions.place(text, error.position)}]'
        raise InvalidPattern(reason=f"{error.reason}\n at {where}") from error


def _object(node: Node, within_or: bool) -> Pattern:
    if not node.value:
        raise Unclear(node, "Empty objects are not allowed", at_end=True)
    fields: dict[str, Pattern] = {}
    one_of: list[Sequence[Pattern]] = []
    for name, value in node.value:
        if name == _OR:
            one_of.append(_alternatives(value))
        elif within_or and name in matchers.RESERVED:
            words = f"{name} is Ruler reserved fieldName which cannot be used inside {_OR}."
            raise Unclear(value, words)
        elif value.kind is dict:
            fields[name] = _object(value, within_or)
        elif value.kind is list:
            fields[name] = _field(value)
        else:
            raise Unclear(value, f'"{name}" must be an object or an array')
    return _Object(fields, one_of)


def _alternatives(node: Node) -> Sequence[Pattern]:
    if node.kind is not list:
        raise Unclear(node, f"It must be an Array followed with {_OR}.")
    for each in node.value:
        if each.kind is not dict:
            words = f"Only JSON object is allowed in array of {_OR} relationship."
            raise Unclear(each, words)
    found = [_object(each, within_or=True) for each in node.value]
    if len(found) < 2:
        words = f"There must have at least 2 Objects in {_OR} relationship."
        raise Unclear(node, words, at_end=True)
    return found


def _field(node: Node) -> Pattern:
    found: list[Matcher] = []
    present = absent = False
    for each in node.value:
        if each.kind is not dict:
            found.append(matchers.literal(each))
            continue
        matcher = matchers.operator(each)
        name, operand = each.value[0]
        if name == matchers.EXISTS:
            present, absent = present or operand.value, absent or not operand.value
        else:
            found.append(matcher)
    if not node.value:
        raise Unclear(node, "Empty arrays are not allowed", at_end=True)
    return _Field(found, present, absent)


def _each(value: Any) -> list[Any]:
    """The values of a field: those of an array, however deep, or the one value; none if absent."""
    if value is _ABSENT:
        return []
    if not isinstance(value, list):
        return [value]
    return [found for each in value for found in _each(each)]
