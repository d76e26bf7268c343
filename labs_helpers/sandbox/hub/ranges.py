"""The Range header of a blob request, one range of bytes.

Source: https://www.rfc-editor.org/rfc/rfc9110#name-range-requests
"""

from __future__ import annotations

import re

_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})", re.ASCII)


class Unsatisfiable(ValueError):
    """The range asks for nothing that the content has: answered 416."""


def parse(header: str, size: int) -> tuple[int, int] | None:
    """First byte and the byte after the last one; None when the header is to be ignored.

    A header of another unit, of several ranges or of no sense is ignored, as the specification
    allows. Raises Unsatisfiable when the range starts beyond `size` (bytes).
    """
    found = _RANGE.fullmatch(header.replace(" ", ""))
    if not found or not (found[1] or found[2]):
        return None
    if not found[1]:
        wanted = int(found[2])
        if wanted == 0 or size == 0:
            raise Unsatisfiable(header)
        return max(0, size - wanted), size
    start = int(found[1])
    if found[2] and int(found[2]) < start:
        return None
    if start >= size:
        raise Unsatisfiable(header)
    return start, min(int(found[2]) + 1, size) if found[2] else size
