"""Calls of every open operation, made from botocore's model: plain ones, and ones that are not."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from labs_helpers.sandbox.authorization.models import model_of
from labs_helpers.sandbox.moto.table import services

HOSTILE = (
    "http://127.0.0.1:9/",
    "https://labs.invalid/x?a=b#c",
    "../../../../tmp/labs-was-here",
    "/etc/passwd",
    "file:///etc/passwd",
    '!!python/object/apply:os.system ["touch labs-was-here"]',
    "{0.__class__.__init__.__globals__} %(x)s %n ${jndi:ldap://labs.invalid/}",
    "{{ 7 * 7 }} <% 7 %> #{7}",
    "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "]]><x>&amp;&#0;",
    "arn:aws:sns:us-west-2:123456789012:absent",
    "arn:::::",
    "x" * 2000,
    "0",
    "-1",
    "\u202ea\u0007é 漢",
    "*",
    " ",
)
"""Hosts, paths, YAML's tags, format strings, templates, markup, and what is merely odd."""

_DEEPEST = 4

Call = tuple[str, str, dict[str, Any]]
"""(service as botocore names it, operation, parameters)"""


def operations() -> list[tuple[str, str]]:
    """(signing name, operation) of everything that moto answers."""
    return [(name, each) for name, row in services().items() for each in sorted(row.moto)]


def calls(service: str, operation: str, chance: random.Random, count: int) -> Iterator[Call]:
    """`count` calls of one operation, each other than the last; the same for the same `chance`."""
    model: Any = model_of(service)
    shape = model.operation_model(operation).input_shape
    for number in range(count):
        if shape is None:
            params: dict[str, Any] = {}
        elif number == 0:
            params = _structure(shape, chance, 0, whole=False, odd=0.0)
        elif number == 1:
            params = _structure(shape, chance, 0, whole=True, odd=0.0)
        else:
            params = _structure(shape, chance, 0, whole=chance.random() < 0.5, odd=0.3)
        yield model.service_name, operation, params


def _value(shape: Any, chance: random.Random, depth: int, whole: bool, odd: float) -> Any:
    kind = shape.type_name
    if kind == "structure":
        return _structure(shape, chance, depth + 1, whole, odd)
    if kind == "list":
        many = max(1, min(int(shape.metadata.get("min", 1)), 3))
        if chance.random() < odd:
            many = 0
        return [_value(shape.member, chance, depth + 1, whole, odd) for _ in range(many)]
    if kind == "map":
        key = _value(shape.key, chance, depth + 1, whole, odd)
        return {str(key): _value(shape.value, chance, depth + 1, whole, odd)}
    if kind == "boolean":
        return chance.random() < 0.5
    if kind in ("integer", "long", "float", "double"):
        low = int(shape.metadata.get("min", 1))
        return chance.choice([-1, 0, 2**31 - 1]) if chance.random() < odd else low
    if kind == "timestamp":
        return 0 if chance.random() < odd else 1_700_000_000
    if kind == "blob":
        return chance.choice(HOSTILE).encode() if chance.random() < odd else b"labs"
    if chance.random() < odd:
        return chance.choice(HOSTILE)
    if "enum" in shape.metadata:
        return shape.metadata["enum"][0]
    if "arn" in shape.name.lower():
        return "arn:aws:iam::123456789012:role/absent"
    low = int(shape.metadata.get("min", 1))
    return "labs".ljust(low, "a")[: int(shape.metadata.get("max", 64))]


def _structure(
    shape: Any, chance: random.Random, depth: int, whole: bool, odd: float
) -> dict[str, Any]:
    found = {}
    for name, member in shape.members.items():
        needed = name in shape.required_members
        wanted = needed or (whole and depth < _DEEPEST)
        if chance.random() < odd / 2:
            wanted = not wanted
        if wanted and depth < _DEEPEST + 2:
            found[name] = _value(member, chance, depth, whole, odd)
    return found
