"""ECR's wildcards: ``*`` stands for any characters, and no other character is special.

Filters of scanning, tag patterns of lifecycle policies and exclusions of immutability share them:
https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageTagMutabilityExclusionFilter.html
"""

from __future__ import annotations

import re


def matches(pattern: str, text: str) -> bool:
    """Whether the pattern matches the whole text; each piece is searched once, left to right."""
    if "*" not in pattern:
        return pattern == text
    # several stars count as one
    first, *middle, last = re.split(r"\*+", pattern)
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
