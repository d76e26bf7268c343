"""Wildcards and ARNs, as policies match them.

``*`` stands for any text, ``?`` for one character:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

#: In a pattern these stand for the characters themselves, from ``${*}``, ``${?}`` and ``${$}``.
LITERAL = {"*": "\ue000", "?": "\ue001", "$": "\ue002"}
_PLAIN = str.maketrans({mark: char for char, mark in LITERAL.items()})
_MARKED = str.maketrans(LITERAL)

_ARN_PARTS = 6


def literal(text: str) -> str:
    """A text that has no wildcards, to put into a pattern."""
    return text.translate(_MARKED)


def plain(pattern: str) -> str:
    """The text that a pattern without wildcards stands for."""
    return pattern.translate(_PLAIN)


@lru_cache(maxsize=8192)
def wildcards(pattern: str) -> re.Pattern[str]:
    """Compiled so that no pattern makes matching slower than its length times the text's."""
    return re.compile(_expression(pattern), re.DOTALL)


def any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    """One expression for several patterns."""
    return re.compile("|".join(f"(?:{_expression(each)})" for each in patterns), re.DOTALL)


def _expression(pattern: str) -> str:
    """An atomic group for each ``*`` but the last: the first place that fits is never given up."""
    pieces = [_piece(piece) for piece in re.split(r"\*+", pattern)]
    if len(pieces) == 1:
        return pieces[0]
    head, *middle, tail = pieces
    return head + "".join(f"(?>.*?{piece})" for piece in middle) + ".*" + tail


def _piece(piece: str) -> str:
    return "".join("." if char == "?" else re.escape(plain(char)) for char in piece)


@lru_cache(maxsize=8192)
def _segments(pattern: str) -> tuple[str | re.Pattern[str] | None, ...] | None:
    """For each part: None (anything), the text itself, or an expression."""
    parts = pattern.split(":", _ARN_PARTS - 1)
    if len(parts) != _ARN_PARTS:
        return None
    return tuple(
        None if part == "*" else wildcards(part) if "*" in part or "?" in part else plain(part)
        for part in parts
    )


def arn_matches(pattern: str, arn: str) -> bool:
    """Part by part: a wildcard reaches over slashes but not over the first five colons.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
    """
    segments = _segments(pattern)
    parts = arn.split(":", _ARN_PARTS - 1)
    if segments is None or len(parts) != _ARN_PARTS:
        return False
    return all(
        _segment_matches(segment, part) for segment, part in zip(segments, parts, strict=True)
    )


def _segment_matches(segment: str | re.Pattern[str] | None, part: str) -> bool:
    if segment is None:
        return True
    if isinstance(segment, str):
        return segment == part
    return segment.fullmatch(part) is not None


def resource_matches(pattern: str, resource: str) -> bool:
    """Whether an entry of Resource means this resource, an ARN or "*" where there is none."""
    if pattern == "*":
        return True
    if resource == "*":
        return False
    return arn_matches(pattern, resource)
