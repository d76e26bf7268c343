"""The functions of Docker's templates, and Go's way to print values.

Source: https://github.com/docker/cli/blob/v28.2.2/templates/templates.go
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any


class TemplateError(ValueError):
    """The template cannot be parsed or executed."""


def print_value(value: Any) -> str:
    """A value as ``{{.}}`` prints it."""
    if value is None:
        return "<no value>"
    return _print_nested(value)


def _print_nested(value: Any) -> str:
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        pairs = " ".join(f"{key}:{_print_nested(value[key])}" for key in sorted(value))
        return f"map[{pairs}]"
    if isinstance(value, list):
        return f"[{' '.join(_print_nested(item) for item in value)}]"
    return str(value)


def truth(value: Any) -> bool:
    """Whether a value counts as true in ``if``: not empty and not zero."""
    return bool(value)


def go_json(value: Any) -> str:
    """Compact JSON with Go's escapes for HTML."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


class Row(dict[str, Any]):
    """A row of a table; Go's encoder, which escapes for HTML, writes its JSON."""


def plain_json(value: Any) -> str:
    """Compact JSON as the ``json`` function of templates writes it: escaped in a Row only."""
    if isinstance(value, Row):
        return go_json(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(value, Mapping):
            value = value.get(key, "")
        elif isinstance(value, list | str):
            if not isinstance(key, int) or not 0 <= key < len(value):
                raise IndexError(f"index out of range: {key}")
            value = value[key]
        elif value is None:
            raise TypeError("index of untyped nil")
        else:
            raise TypeError(f"can't index item of type {type(value).__name__}")
    return value


def _slice(value: Any, start: int = 0, end: int | None = None) -> Any:
    length = len(value)
    stop = length if end is None else end
    if not 0 <= start <= stop <= length:
        raise IndexError(f"index out of range: {stop}")
    return value[start:stop]


def _printf(layout: str, *values: Any) -> str:
    rest = list(values)

    def formatted(found: re.Match[str]) -> str:
        if found[2] == "%":
            return "%"
        if not rest:
            return f"%!{found[2]}(MISSING)"
        value = rest.pop(0)
        if found[2] in "vsd":
            precision = found[1].partition(".")[2]
            text = _print_nested(value)
            text = text[: int(precision)] if precision and found[2] != "d" else text
            return f"%{found[1].partition('.')[0]}s" % text
        if found[2] == "q":
            return json.dumps(_print_nested(value), ensure_ascii=False)
        if found[2] in "xXob":
            return format(value, f"{found[1]}{found[2]}")
        return str(f"%{found[1]}{found[2]}" % value)

    return re.sub(r"%([-+ 0]*\d*(?:\.\d+)?)([a-zA-Z%])", formatted, layout)


def _truncate(text: str, length: int) -> str:
    return text[:length]


def _pad(text: str, before: int, after: int) -> str:
    return " " * before + text + " " * after if text else text


def _equal(first: Any, *others: Any) -> bool:
    return any(first == other for other in others)


def _and(*values: Any) -> Any:
    return next((value for value in values if not truth(value)), values[-1])


def _or(*values: Any) -> Any:
    return next((value for value in values if truth(value)), values[-1])


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "json": plain_json,
    "index": _index,
    "len": len,
    "join": lambda items, separator: separator.join(items or []),
    "split": lambda text, separator: text.split(separator),
    "lower": str.lower,
    "upper": str.upper,
    "title": lambda text: re.sub(r"\b\w", lambda found: found[0].upper(), text),
    "truncate": _truncate,
    "pad": _pad,
    "println": lambda *values: " ".join(map(_print_nested, values)) + "\n",
    "print": lambda *values: "".join(map(_print_nested, values)),
    "printf": _printf,
    "slice": _slice,
    "eq": _equal,
    "ne": lambda first, second: first != second,
    "lt": lambda first, second: first < second,
    "le": lambda first, second: first <= second,
    "gt": lambda first, second: first > second,
    "ge": lambda first, second: first >= second,
    "and": _and,
    "or": _or,
    "not": lambda value: not truth(value),
}
