"""The matchers of event patterns: each is read from a pattern, and takes one value of an event.

Operators: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html.
Every matcher looks at a value once from left to right, so that no pattern can make a match slow.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import Any

from labs_helpers.sandbox.events.positions import Node

Matcher = Callable[[Any], bool]
"""Takes a string, number, boolean or None of an event."""

EXISTS = "exists"
"""The one operator that is about a field, and not about a field's value."""


class Unclear(Exception):
    """A matcher that AWS refuses. node: where; at_end: whether the parser had read the node."""

    def __init__(self, node: Node, reason: str, at_end: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.position = node.ends if at_end else node.begins


def literal(node: Node) -> Matcher:
    """Equality, of the same type; 1 and 1.0 are equal, and true and 1 are not."""
    if node.kind in (dict, list):
        raise Unclear(node, "Match value must be String, number, true, false, or null")
    wanted = node.value
    return lambda value: _same(value, wanted)


def operator(node: Node) -> Matcher:
    """A matcher such as {"prefix": "eu-"}; raises Unclear."""
    if not node.value:
        raise Unclear(node, "Match expression name not found", at_end=True)
    name, operand = node.value[0]
    reader = _READERS.get(name)
    if reader is None:
        raise Unclear(operand, f"Unrecognized match type {name}")
    matcher = reader(operand)
    if len(node.value) > 1:
        raise Unclear(node.value[1][1], "Only one key allowed in match expression")
    return matcher


def _prefix(node: Node) -> Matcher:
    text, fold = _text_or_fold(node, "prefix")
    return _on_text(lambda value: fold(value).startswith(fold(text)))


def _suffix(node: Node) -> Matcher:
    text, fold = _text_or_fold(node, "suffix")
    return _on_text(lambda value: fold(value).endswith(fold(text)))


def _equals_ignore_case(node: Node) -> Matcher:
    text = _text(node, "equals-ignore-case").lower()
    return _on_text(lambda value: value.lower() == text)


def _wildcard(node: Node) -> Matcher:
    pieces = _pieces(node, _text(node, "wildcard"))
    return _on_text(lambda value: _fits(value, pieces))


def _cidr(node: Node) -> Matcher:
    text = _text(node, "prefix")  # AWS's own words name the prefix here
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise Unclear(node, f"Malformed CIDR, one '/' required: {text}") from error

    def inside(value: str) -> bool:
        try:
            address = ipaddress.ip_address(value)
        except ValueError:
            return False
        return address.version == network.version and address in network

    return _on_text(inside)


def _numeric(node: Node) -> Matcher:
    if node.kind is not list:
        raise Unclear(node, "Value of numeric must be an array.")
    terms = node.value
    if not terms or terms[0].kind is not str:
        said = terms[0].value if terms else "]"
        raise Unclear(terms[0] if terms else node, f"Invalid member in numeric match: {said}")
    first = terms[0].value
    if first not in _COMPARISONS:
        raise Unclear(terms[0], f"Unrecognized numeric range operator: {first}")
    bounds = [(_COMPARISONS[first], _number(terms, 1, "equals" if first == "=" else first, node))]
    if len(terms) > 2:
        if not first.startswith(">"):
            raise Unclear(terms[2], "Too many elements in numeric expression")
        if terms[2].kind is not str:
            raise Unclear(terms[2], f"Bad value in numeric range: {terms[2].value}")
        second = terms[2].value
        if second not in ("<", "<="):
            raise Unclear(terms[2], f"Bad numeric range operator: {second}")
        bounds.append((_COMPARISONS[second], _number(terms, 3, second, node)))
        if len(terms) > 4:
            raise Unclear(terms[4], "Too many terms in numeric range expression")
        if bounds[0][1] >= bounds[1][1]:
            raise Unclear(node, "Bottom must be less than top", at_end=True)

    def within(value: Any) -> bool:
        return _is_number(value) and all(compare(value, bound) for compare, bound in bounds)

    return within


def _anything_but(node: Node) -> Matcher:
    """Any value but these; a field that is absent is no value."""
    if node.kind is dict:
        return _anything_but_operator(node)
    if node.kind is list:
        kinds = {_sort(each) for each in node.value}
        if "" in kinds:
            bad = next(each for each in node.value if not _sort(each))
            words = "Inside anything but list, start|null|boolean is not supported."
            raise Unclear(bad, words)
        if len(kinds) != 1:
            words = "either all values are number or string, mixed type is not supported"
            raise Unclear(node, f"Inside anything but list, {words}", at_end=True)
        wanted = [each.value for each in node.value]
    elif _sort(node):
        wanted = [node.value]
    else:
        words = "Value of anything-but must be an array or single string/number value."
        raise Unclear(node, words)
    return lambda value: not any(_same(value, each) for each in wanted)


def _anything_but_operator(node: Node) -> Matcher:
    if not node.value:
        raise Unclear(node, "Anything-But expression name not found", at_end=True)
    name, operand = node.value[0]
    if name not in ("prefix", "suffix", "equals-ignore-case", "wildcard"):
        raise Unclear(operand, f"Unsupported anything-but pattern: {name}")
    if len(node.value) > 1:
        raise Unclear(node.value[1][1], "Only one key allowed in match expression")
    nodes = operand.value if operand.kind is list else [operand]
    if not nodes:
        raise Unclear(operand, "Empty arrays are not allowed", at_end=True)
    for each in nodes:
        if each.kind is str and not each.value and name in ("prefix", "suffix"):
            raise Unclear(each, "Null prefix/suffix not allowed")
    matchers = [_READERS[name](each) for each in nodes]
    return lambda value: not any(matcher(value) for matcher in matchers)


def _exists(node: Node) -> Matcher:
    if node.kind is not bool:
        raise Unclear(node, "exists match pattern must be either true or false.")
    return lambda value: bool(node.value)


_READERS: Mapping[str, Callable[[Node], Matcher]] = {
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _equals_ignore_case,
    "wildcard": _wildcard,
    "cidr": _cidr,
    "numeric": _numeric,
    "anything-but": _anything_but,
    EXISTS: _exists,
}

RESERVED = frozenset({*_READERS, "exactly", "regex"})
"""Names that a field within $or does not have."""

_COMPARISONS: Mapping[str, Callable[[Any, float], bool]] = {
    "=": lambda value, bound: bool(value == bound),
    "<": lambda value, bound: bool(value < bound),
    "<=": lambda value, bound: bool(value <= bound),
    ">": lambda value, bound: bool(value > bound),
    ">=": lambda value, bound: bool(value >= bound),
}


def _on_text(matcher: Callable[[str], bool]) -> Matcher:
    return lambda value: isinstance(value, str) and matcher(value)


def _text(node: Node, name: str) -> str:
    if node.kind is not str:
        raise Unclear(node, f"{name} match pattern must be a string")
    return str(node.value)


def _text_or_fold(node: Node, name: str) -> tuple[str, Callable[[str], str]]:
    """The text of a prefix or suffix, and what to do with both sides before they are compared."""
    if node.kind is dict and [each for each, _ in node.value] == ["equals-ignore-case"]:
        return _text(node.value[0][1], "equals-ignore-case"), str.lower
    return _text(node, name), str


def _number(terms: list[Node], index: int, name: str, whole: Node) -> float:
    if index >= len(terms) or not _is_number(terms[index].value):
        node = terms[index] if index < len(terms) else whole
        raise Unclear(node, f"Value of {name} must be numeric", at_end=node is whole)
    return float(terms[index].value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _sort(node: Node) -> str:
    """What a list of anything-but may not mix: "text", "number"; "" for what it may not hold."""
    return "text" if node.kind is str else "number" if _is_number(node.value) else ""


def _same(value: Any, wanted: Any) -> bool:
    if _is_number(wanted):
        return _is_number(value) and bool(value == wanted)
    return type(value) is type(wanted) and bool(value == wanted)


def _pieces(node: Node, text: str) -> list[str]:
    r"""The texts between the stars of a wildcard; ``\*`` and ``\\`` are a star and a backslash."""
    pieces, position, star = [""], 0, -2
    while position < len(text):
        character = text[position]
        if character == "\\":
            if text[position + 1 : position + 2] not in ("*", "\\"):
                raise Unclear(node, f"Invalid escape character at pos {position + 1}")
            pieces[-1] += text[position + 1]
            position += 2
            continue
        if character == "*":
            if star == position - 1:
                raise Unclear(node, f"Consecutive wildcard characters at pos {position}")
            star = position
            pieces.append("")
        else:
            pieces[-1] += character
        position += 1
    return pieces


def _fits(value: str, pieces: list[str]) -> bool:
    """Whether a value has the pieces in their order: each as early as can be, the last at the
    end."""
    if len(pieces) == 1:
        return value == pieces[0]
    first, *middle, last = pieces
    if len(value) < len(first) + len(last):
        return False
    if not value.startswith(first) or not value.endswith(last):
        return False
    position, end = len(first), len(value) - len(last)
    for piece in middle:
        found = value.find(piece, position, end)
        if found < 0:
            return False
        position = found + len(piece)
    return True
