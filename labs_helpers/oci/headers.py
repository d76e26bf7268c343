"""HTTP headers of the registry protocol: byte ranges, conditions on an ETag, user and password.

Sources: https://www.rfc-editor.org/rfc/rfc9110 (sections 13 and 14),
https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-a-blob-in-chunks
and https://www.rfc-editor.org/rfc/rfc7617.
"""

from __future__ import annotations

import base64
import re

_RANGE = re.compile(r"bytes\s*=\s*(\d*)\s*-\s*(\d*)", re.ASCII | re.IGNORECASE)
_CONTENT_RANGE = re.compile(r"(?:bytes[ =])?\s*(\d{1,19})-(\d{1,19})(?:/(?:\d+|\*))?", re.ASCII)
_DIGITS = 19  # of 2**63; longer numbers lie beyond every file


class Unsatisfiable(ValueError):
    """The range lies outside the content. The answer is HTTP status 416."""


def requested_range(header: str | None, size: int) -> tuple[int, int] | None:
    """First and last byte that ``Range`` requests of `size` bytes; None means all of them.

    A header in another unit or with several ranges is ignored, as RFC 9110 allows. Raises
    Unsatisfiable.
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
            raise Unsatisfiable(header)
        return size - suffix, size - 1
    if first is None or first >= size or (last is not None and last < first):
        # RFC 9110 would let us ignore 500-0; the OCI conformance suite expects 416, and Go's
        # http.ServeContent, on which distribution stands, answers 416
        raise Unsatisfiable(header)
    return first, size - 1 if last is None else min(last, size - 1)


def part_range(header: str) -> tuple[int, int]:
    """First and last byte in the ``Content-Range`` of an uploaded part, such as `0-1023`.

    Raises Unsatisfiable when the header is malformed.
    """
    match = _CONTENT_RANGE.fullmatch(header.strip())
    if match is None or int(match[2]) < int(match[1]):
        raise Unsatisfiable(header)
    return int(match[1]), int(match[2])


def is_unmodified(if_none_match: str | None, digest: str) -> bool:
    """Whether ``If-None-Match`` lists the ETag of this content, which is its digest in quotes."""
    tags = [tag.strip().removeprefix("W/").strip('"') for tag in (if_none_match or "").split(",")]
    return "*" in tags or digest in tags


def accepts(accept: str | None, media_type: str) -> bool:
    """Whether an Accept header takes a media type; a request without the header takes any.

    https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1
    """
    taken = [each.partition(";")[0].strip().lower() for each in (accept or "*/*").split(",")]
    kind = media_type.partition("/")[0]
    return any(each in ("", "*/*", f"{kind}/*", media_type.lower()) for each in taken)


def user_and_password(encoded: str) -> tuple[str, str] | None:
    """The two halves of base64 `user:password`; None if the text is not that."""
    try:
        user, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return None
    return (user, password) if colon else None
