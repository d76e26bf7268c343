"""Wildcards and ARNs in policies.

``*`` stands for any text, ``?`` for one character:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

#: Stand-ins in a pattern for characters that are not wildcards: ``${*}``, ``${?}`` and ``${$}``.
LITERAL = {"*": "\ue000", "?": "\ue001", "$": "\ue002"}
_PLAIN = str.maketrans({mark: char for char, mark in LITERAL.items()})
_MARKED = str.maketrans(LITERAL)

_ARN_PARTS = 6
_STARS = re.compile(r"\*+")


def literal(text: str) -> str:
    """A pattern that matches exactly this text."""
    return text.translate(_MARKED)


def plain(pattern: str) -> str:
    """The text that a pattern without wildcards stands for."""
    return pattern.translate(_PLAIN)


@lru_cache(maxsize=8192)
def wildcards(pattern: str) -> re.Pattern[str]:
    """The pattern as a regular expression. Matching takes at most length times length steps."""
    return re.compile(_expression(pattern), re.DOTALL)


def any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    """Several patterns as one regular expression."""
    return re.compile("|".join(f"(?:{_expression(each)})" for each in patterns), re.DOTALL)


def _expression(pattern: str, char: str = ".") -> str:
    """char: the characters that a wildcard may stand for.

    Every ``*`` but the last is an atomic group, which never gives up the first place that fits.
    """
    pieces = [_piece(piece, char) for piece in _STARS.split(pattern)]
    if len(pieces) == 1:
        return pieces[0]
    head, *middle, tail = pieces
    return head + "".join(f"(?>{char}*?{piece})" for piece in middle) + f"{char}*{tail}"


def _piece(piece: str, char: str) -> str:
    return "".join(char if each == "?" else re.escape(plain(each)) for each in piece)


@lru_cache(maxsize=8192)
def arn_pattern(pattern: str) -> re.Pattern[str] | None:
    """An ARN with wildcards as a regular expression, None if it has fewer than six parts.

    "Each of the six colon-delimited components of the ARN is checked separately": a wildcard
    matches slashes but no colon before the last part, and ``*`` alone matches no ARN.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
    """
    parts = pattern.split(":", _ARN_PARTS - 1)
    if len(parts) != _ARN_PARTS:
        return None
    *first, last = parts
    expressions = [*(_expression(part, "[^:]") for part in first), _expression(last)]
    return re.compile(":".join(expressions), re.DOTALL)


def arn_matches(pattern: str, arn: str) -> bool:
    compiled = arn_pattern(pattern)
    return compiled is not None and compiled.fullmatch(arn) is not None
