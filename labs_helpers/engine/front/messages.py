"""HTTP/1.1 as much as a relay has to understand: heads, and where bodies end.

Source: RFC 9112 sections 2, 6 and 7.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

HEAD_LIMIT = 1024 * 1024
"""Bytes of a head: X-Registry-Config holds a login for every registry that a client knows."""

_VERSION = re.compile(r"/v\d{1,3}\.\d{1,3}(?:\.\d{1,3})?(?=/)")
_DIGITS = re.compile(r"\d{1,18}")


class MessageError(Exception):
    """The bytes are not a message of HTTP/1.1."""


@dataclass(frozen=True)
class Framing:
    """Where a body ends: after ``length`` bytes, or with its last chunk."""

    length: int = 0
    chunked: bool = False


@dataclass(frozen=True)
class Request:
    """The head of a request: ``raw`` as it came, header names in lower case."""

    raw: bytes
    method: str
    target: str
    headers: Mapping[str, str]

    @property
    def path(self) -> str:
        """The path without API version, decoded."""
        return unquote(_VERSION.sub("", self.target.partition("?")[0], count=1))

    @property
    def query(self) -> str:
        """What follows the question mark."""
        return self.target.partition("?")[2]

    @property
    def body(self) -> Framing:
        """How the body is framed; empty without a header that says so."""
        return _framing(self.headers) or Framing()

    def renamed(self, target: str) -> bytes:
        """The head again, for another target and the same body."""
        _, _, rest = self.raw.partition(b"\r\n")
        return f"{self.method} {target} HTTP/1.1\r\n".encode("latin-1") + rest

    def rewritten(self, target: str, length: int) -> bytes:
        """The head again, for another target and a body of ``length`` bytes."""
        lines = self.raw[:-4].split(b"\r\n")[1:]
        framing = (b"content-length:", b"transfer-encoding:", b"expect:")
        kept = [line for line in lines if not line.lower().startswith(framing)]
        start = f"{self.method} {target} HTTP/1.1".encode("latin-1")
        return b"\r\n".join([start, *kept, f"Content-Length: {length}".encode(), b"", b""])


@dataclass(frozen=True)
class Response:
    """The head of a response."""

    raw: bytes
    status: int
    headers: Mapping[str, str]

    @property
    def last(self) -> bool:
        """Whether the connection ends with it."""
        return "close" in self.headers.get("connection", "").lower()

    def body(self, method: str) -> Framing | None:
        """How the body of an answer to ``method`` is framed; None when only its end tells."""
        if method == "HEAD" or self.status in (204, 304) or self.status < 200:
            return Framing()
        return _framing(self.headers)


def read_request(raw: bytes) -> Request:
    """The head of a request. Raises MessageError."""
    start, headers = _head(raw)
    parts = start.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1.") or not parts[0].isalpha():
        raise MessageError(f"not a request line: {start[:100]!r}")
    return Request(raw, parts[0], parts[1], headers)


def read_response(raw: bytes) -> Response:
    """The head of a response. Raises MessageError."""
    start, headers = _head(raw)
    parts = start.split(" ", 2)
    if len(parts) < 2 or not parts[0].startswith("HTTP/1.") or not parts[1].isdecimal():
        raise MessageError(f"not a status line: {start[:100]!r}")
    return Response(raw, int(parts[1]), headers)


def chunk_size(line: bytes) -> int:
    """The size that the first line of a chunk says. Raises MessageError."""
    digits = line.partition(b";")[0].strip()
    try:
        size = int(digits, 16) if digits.isalnum() else -1
    except ValueError:
        size = -1
    if size < 0:
        raise MessageError(f"not the size of a chunk: {line[:40]!r}")
    return size


def _head(raw: bytes) -> tuple[str, dict[str, str]]:
    start, *lines = raw.decode("latin-1")[:-4].split("\r\n")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        key = name.lower()
        if not colon or not name or name != name.strip():
            raise MessageError(f"not a header: {line[:100]!r}")
        if key in ("content-length", "transfer-encoding") and key in headers:
            raise MessageError(f"{name} twice")
        headers[key] = f"{headers[key]}, {value.strip()}" if key in headers else value.strip()
    return start, headers


def _framing(headers: Mapping[str, str]) -> Framing | None:
    coding, length = headers.get("transfer-encoding"), headers.get("content-length")
    if coding is not None:
        # two answers to where a body ends let one message be read as two
        if coding.lower() != "chunked" or length is not None:
            raise MessageError("Transfer-Encoding is not just chunked")
        return Framing(chunked=True)
    if length is None:
        return None
    if not _DIGITS.fullmatch(length):
        raise MessageError(f"not a Content-Length: {length[:40]!r}")
    return Framing(int(length))
