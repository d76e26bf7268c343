"""What IAM and STS refuse before they look: lengths, ranges and patterns of botocore's own models.

The words are AWS's: "1 validation error detected: Value 'a b' at 'roleSessionName' failed to
satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*";
https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from labs_helpers.sandbox.service.refusal import Refusal

_PLAIN_UNICODE = re.compile(r"\\u(10[0-9A-F]{4}|[0-9A-F]{4})")
_FAILED = "failed to satisfy constraint"
_LETTERS = r"\p{L}\p{Z}\p{N}_"


def check(params: Mapping[str, Any], shape: Any) -> None:
    """Raise a ValidationError that names every parameter that breaks its constraint.

    shape: botocore's input shape of the operation.
    """
    found = list(_problems(params, shape))
    if found:
        count = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected: "
        raise Refusal("ValidationError", count + "; ".join(found), 400)


def _problems(params: Mapping[str, Any], shape: Any) -> Iterator[str]:
    for name, member in shape.members.items():
        value = params.get(name)
        where = name[:1].lower() + name[1:]
        if value is None:
            if name in shape.required_members:
                yield f"Value null at '{where}' {_FAILED}: Member must not be null"
            continue
        yield from _broken(value, member, where)


def _broken(value: Any, shape: Any, where: str) -> Iterator[str]:
    bounds = shape.metadata
    if shape.type_name == "list":
        said = f"Value '[{', '.join(map(str, value))}]' at '{where}'"
        if "max" in bounds and len(value) > bounds["max"]:
            yield f"{said} {_must('length less than or equal to', bounds['max'])}"
        if shape.member.type_name == "string":
            for number, item in enumerate(value, 1):
                yield from _broken(item, shape.member, f"{where}.{number}.member")
        return
    secret = bounds.get("sensitive")
    said = f"Value at '{where}'" if secret else f"Value '{value}' at '{where}'"
    if shape.type_name == "integer":
        if "min" in bounds and int(value) < bounds["min"]:
            yield f"{said} {_must('value greater than or equal to', bounds['min'])}"
        if "max" in bounds and int(value) > bounds["max"]:
            yield f"{said} {_must('value less than or equal to', bounds['max'])}"
    if shape.type_name == "string":
        text = str(value)
        if len(text) < bounds.get("min", 0):
            yield f"{said} {_must('length greater than or equal to', bounds['min'])}"
        if "max" in bounds and len(text) > bounds["max"]:
            yield f"{said} {_must('length less than or equal to', bounds['max'])}"
        if "pattern" in bounds and not _compiled(bounds["pattern"]).fullmatch(text):
            yield (
                f"{said} {_FAILED}: Member must satisfy regular expression "
                f"pattern: {bounds['pattern']}"
            )
        if shape.enum and text not in shape.enum:
            yield (
                f"{said} {_FAILED}: Member must satisfy enum value set: [{', '.join(shape.enum)}]"
            )


def _must(what: str, bound: int) -> str:
    return f"{_FAILED}: Member must have {what} {bound}"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern of Java's as Python's: there a backslash-w is ASCII, and letters have a name."""
    plain = _PLAIN_UNICODE.sub(lambda match: re.escape(chr(int(match[1], 16))), pattern)
    named = _LETTERS in plain
    return re.compile(plain.replace(_LETTERS, r"\w\s"), 0 if named else re.ASCII)
