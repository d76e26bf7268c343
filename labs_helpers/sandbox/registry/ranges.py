"""Byte ranges: `Range` of a download (RFC 9110, 14) and `Content-Range` of an upload's part."""

from __future__ import annotations

import re

_RANGE = re.compile(r"bytes\s*=\s*(\d*)\s*-\s*(\d*)", re.ASCII | re.IGNORECASE)
_CONTENT_RANGE = re.compile(r"(?:bytes[ =])?\s*(\d{1,19})-(\d{1,19})(?:/(?:\d+|\*))?", re.ASCII)
_DIGITS = 19  # of 2**63; longer numbers lie beyond every file


class Unsatisfiable(Exception):
    """The range lies outside the content."""


def requested(header: str | None, size: int) -> tuple[int, int] | None:
    """First and last byte asked for, of `size`; None to send the whole.

    What is not one range of bytes is passed over, as RFC 9110 has it; raises Unsatisfiable.
    """
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None:
        return None
    first_text, last_text = match.groups()
    if not first_text and not last_text:
        return None
    first = int(first_text) if first_text and len(first_text) <= _DIGITS else None
    last = int(last_text) if last_text and len(last_text) <= _DIGITS else None
    if not first_text:
        suffix = size if last is None else min(last, size)
        if suffix == 0:
            raise Unsatisfiable
        return size - suffix, size - 1
    if first is None or first >= size or (last is not None and last < first):
        raise Unsatisfiable  # the conformance suite wants this of 500-0, where RFC 9110 allows more
    return first, size - 1 if last is None else min(last, size - 1)


def of_part(header: str) -> tuple[int, int]:
    """First and last byte of an uploaded part, `0-1023`; raises Unsatisfiable when malformed.

    Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-a-blob-in-chunks
    """
    match = _CONTENT_RANGE.fullmatch(header.strip())
    if match is None or int(match[2]) < int(match[1]):
        raise Unsatisfiable
    return int(match[1]), int(match[2])
