"""A request's path, query and headers in the canonical form that Signature Version 4 signs.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html#create-canonical-request
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote, unquote_to_bytes


def path_of(path: str, once: bool) -> str:
    """The path as signed: normalised and encoded a second time; with `once`, as for S3, neither."""
    if once:
        return quote(unquote_to_bytes(path.encode("latin-1", "replace")), safe="/-_.~") or "/"
    kept: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del kept[-1:]
        elif part not in ("", "."):
            kept.append(part)
    slash = "/" if path.endswith("/") and kept else ""
    return quote(("/" + "/".join(kept) + slash).encode("latin-1", "replace"), safe="/~")


def query_of(query: str) -> str:
    """Parameters decoded, encoded as AWS does and sorted, without the signature itself."""
    encoded = (
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in pairs(query)
        if name != b"X-Amz-Signature"
    )
    return "&".join(f"{name}={value}" for name, value in sorted(encoded))


def headers_of(headers: Mapping[str, str], names: Sequence[str]) -> bytes:
    """The named headers, a line each, and an empty line; the value of a missing header is empty."""
    lines = (f"{name}:{' '.join(headers.get(name, '').split())}\n" for name in names)
    return "".join(lines).encode("latin-1", "replace")


def pairs(query: str) -> list[tuple[bytes, bytes]]:
    """The decoded (name, value) of each parameter, in the order of the query."""
    found = []
    for part in query.split("&") if query else []:
        name, _, value = part.encode("latin-1", "replace").partition(b"=")
        found.append((unquote_to_bytes(name), unquote_to_bytes(value)))
    return found
