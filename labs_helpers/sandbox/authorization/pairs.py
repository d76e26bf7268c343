"""Pairs of a query or a form, each given once, and the structures that they spell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from labs_helpers.sandbox.service.refusal import Refusal

FORM = "application/x-www-form-urlencoded"

SIGNING = re.compile(r"X-Amz-(Algorithm|Credential|Date|Expires|Security-Token|Signature|Signed.*)")


def pairs(data: bytes) -> list[tuple[str, str]]:
    """The pairs of a query string or form, in order; raises Refusal for what is none."""
    try:
        text = data.decode()
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=10_000)
    except ValueError:
        raise _malformed("The query string is malformed.") from None


def once(found: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The same, when no name comes twice."""
    if len(dict(found)) != len(found):
        raise _malformed("A parameter is given more than once.")
    return found


def nested(flat: Mapping[str, str]) -> dict[str, Any]:
    """`Tags.member.1.Key` as lists and dictionaries; without `member`, as EC2 writes, too.

    Raises Refusal where two names would be one: whoever reads them otherwise reads another thing.
    """
    tree: dict[str, Any] = {}
    for name, value in flat.items():
        steps = _steps(name)
        place = tree
        for step in steps[:-1]:
            place = place.setdefault(step, {})
            if not isinstance(place, dict):
                raise _malformed(f"The parameter {name[:80]} is given in two ways.")
        if steps[-1] in place:
            raise _malformed(f"The parameter {name[:80]} is given in two ways.")
        place[steps[-1]] = value
    return {name: _listed(value) for name, value in tree.items()}


def _steps(name: str) -> list[str]:
    """The name's parts, without the words before a number that only say that it is a list."""
    parts = name.split(".")
    return [
        part
        for part, following in zip(parts, [*parts[1:], ""], strict=True)
        if not (part in ("member", "entry") and _is_number(following) and part != parts[0])
    ]


def _listed(tree: Any) -> Any:
    if not isinstance(tree, dict):
        return tree
    numbers = [step for step in tree if _is_number(step)]
    if not numbers:
        return {step: _listed(value) for step, value in tree.items()}
    if len(numbers) != len(tree) or len({int(step) for step in numbers}) != len(tree):
        raise _malformed("A list has members that are not numbered.")
    return [_listed(tree[step]) for step in sorted(tree, key=int)]


def _is_number(step: str) -> bool:
    return step.isascii() and step.isdigit() and len(step) < 7


def _malformed(message: str) -> Refusal:
    return Refusal("MalformedQueryString", message)
