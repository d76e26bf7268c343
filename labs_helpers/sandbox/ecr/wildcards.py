"""ECR's wildcards: ``*`` stands for any characters, and no other character is special.

Filters of scanning, tag patterns of lifecycle policies and exclusions of immutability share them:
https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageTagMutabilityExclusionFilter.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache, partial


def matches(pattern: str, text: str) -> bool:
    """Whether the pattern matches the whole text; each piece is searched once, left to right."""
    if "*" not in pattern:
        return pattern == text
    first, middle, last = _pieces(pattern)
    if not (text.startswith(first) and text.endswith(last)):
        return False
    if len(text) < len(first) + len(last):
        return False
    inner = text[len(first) : len(text) - len(last)]
    for piece in middle:
        at = inner.find(piece)
        if at < 0:
            return False
        inner = inner[at + len(piece) :]
    return True


def matcher(pattern: str) -> Callable[[str], bool]:
    """What `matches` says of a pattern, for many texts; a pattern like ``prod*`` is quicker."""
    if pattern.endswith("*") and "*" not in pattern[:-1]:
        prefix = pattern[:-1]
        return lambda text: text.startswith(prefix)
    return partial(matches, pattern)


@lru_cache(maxsize=256)
def _pieces(pattern: str) -> tuple[str, tuple[str, ...], str]:
    """What stands before the first star, between stars, and after the last; ** is one star."""
    first, *middle, last = re.split(r"\*+", pattern)
    return first, tuple(middle), last
