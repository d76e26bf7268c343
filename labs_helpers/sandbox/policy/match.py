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
_STARS = re.compile(r"\*+")


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


def _expression(pattern: str, char: str = ".") -> str:
    """An atomic group for each ``*`` but the last: the first place that fits is never given up.

    char: what a wildcard may stand for.
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
    """Six parts, each on its own: a wildcard reaches over slashes, but the colons stay.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
    None where the pattern has fewer parts, and so matches no ARN.
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
