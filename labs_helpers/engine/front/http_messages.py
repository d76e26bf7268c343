"""The part of HTTP/1.1 that a relay has to understand: heads, and where bodies end.

Source: RFC 9112 sections 2, 6 and 7.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

HEAD_LIMIT = 1024 * 1024
"""The longest head, in bytes. X-Registry-Config holds a login for every registry of a client."""

_VERSION = re.compile(r"/v\d{1,3}\.\d{1,3}(?:\.\d{1,3})?(?=/)")
_DIGITS = re.compile(r"\d{1,18}")


class MessageError(Exception):
    """The bytes are not an HTTP/1.1 message; the text says which part is wrong."""


@dataclass(frozen=True)
class Framing:
    """Where a body ends: after ``length`` bytes, or after its last chunk."""

    length: int = 0
    chunked: bool = False


@dataclass(frozen=True)
class RequestHead:
    """The head of a request: ``raw`` has the bytes received; header names are in lower case."""

    raw: bytes
    method: str
    target: str
    headers: Mapping[str, str]

    @property
    def version(self) -> str:
        """The API version at the start of the target, such as ``/v1.47``; empty without one."""
        found = _VERSION.match(self.target)
        return found[0] if found else ""

    @property
    def path(self) -> str:
        """The decoded path, without the API version."""
        return unquote(self.target.partition("?")[0].removeprefix(self.version))

    @property
    def query(self) -> str:
        """The text after the question mark."""
        return self.target.partition("?")[2]

    @property
    def framing(self) -> Framing:
        """Where the body ends; a request without framing headers has no body."""
        return _framing(self.headers) or Framing()

    def with_target(self, target: str) -> bytes:
        """Return this head with another target; the headers stay the same."""
        _, _, rest = self.raw.partition(b"\r\n")
        return f"{self.method} {target} HTTP/1.1\r\n".encode("latin-1") + rest

    def with_length(self, length: int, target: str | None = None) -> bytes:
        """Return this head for a body of ``length`` bytes, and for ``target`` if given."""
        start, *lines = self.with_target(target or self.target)[:-4].split(b"\r\n")
        framing = (b"content-length:", b"transfer-encoding:", b"expect:")
        others = [line for line in lines if not line.lower().startswith(framing)]
        return b"\r\n".join([start, *others, f"Content-Length: {length}".encode(), b"", b""])


@dataclass(frozen=True)
class ResponseHead:
    """The head of a response; header names are in lower case."""

    status: int
    headers: Mapping[str, str]

    @property
    def closes(self) -> bool:
        """Whether the server closes the connection after this response."""
        return "close" in self.headers.get("connection", "").lower()

    def framing(self, method: str) -> Framing | None:
        """Where the body of the answer to ``method`` ends; None: at the end of the connection."""
        if method == "HEAD" or self.status in (204, 304) or self.status < 200:
            return Framing()
        return _framing(self.headers)


def read_request(raw: bytes) -> RequestHead:
    """Parse the head of a request. Raises MessageError."""
    start, headers = _parse(raw)
    parts = start.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1.") or not parts[0].isalpha():
        raise MessageError(f"not a request line: {start[:100]!r}")
    return RequestHead(raw, parts[0], parts[1], headers)


def read_response(raw: bytes) -> ResponseHead:
    """Parse the head of a response. Raises MessageError."""
    start, headers = _parse(raw)
    parts = start.split(" ", 2)
    if len(parts) < 2 or not parts[0].startswith("HTTP/1.") or not parts[1].isdecimal():
        raise MessageError(f"not a status line: {start[:100]!r}")
    return ResponseHead(int(parts[1]), headers)


def chunk_size(line: bytes) -> int:
    """Return the size of a chunk, in bytes, from its first line. Raises MessageError."""
    digits = line.partition(b";")[0].strip()
    try:
        size = int(digits, 16) if digits.isalnum() else -1
    except ValueError:
        size = -1
    if size < 0:
        raise MessageError(f"not the size of a chunk: {line[:40]!r}")
    return size


def _parse(raw: bytes) -> tuple[str, dict[str, str]]:
    start, *lines = raw.decode("latin-1")[:-4].split("\r\n")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        key = name.lower()
        if not colon or not name or name != name.strip():
            raise MessageError(f"not a header: {line[:100]!r}")
        if key in ("content-length", "transfer-encoding") and key in headers:
            raise MessageError(f"the header {name} appears twice")
        headers[key] = f"{headers[key]}, {value.strip()}" if key in headers else value.strip()
    return start, headers


def _framing(headers: Mapping[str, str]) -> Framing | None:
    coding, length = headers.get("transfer-encoding"), headers.get("content-length")
    if coding is not None:
        # with both headers, two programs could disagree about where the body ends
        if coding.lower() != "chunked" or length is not None:
            raise MessageError(
                "Transfer-Encoding must be chunked, and without a Content-Length beside it"
            )
        return Framing(chunked=True)
    if length is None:
        return None
    if not _DIGITS.fullmatch(length):
        raise MessageError(f"not a Content-Length: {length[:40]!r}")
    return Framing(int(length))
