"""The requests that handlers read and the responses that they return, over WSGI (PEP 3333)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, BinaryIO
from urllib.parse import parse_qsl

from labs_helpers.sandbox.ecr.part_bytes import BUFFER, Truncated

Environ = dict[str, Any]


@dataclass
class Response:
    """Status, headers and body. A body that is a stream or left out needs its `length`."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | Iterable[bytes] = b""
    length: int | None = None

    @property
    def status_line(self) -> str:
        """`404 Not Found`."""
        return f"{self.status} {HTTPStatus(self.status).phrase}"


class Body:
    """A request's body, to read once. Missing, broken or surplus bytes raise Truncated.

    `length` is the Content-Length, None for a chunked body.
    """

    def __init__(self, stream: Any, length: int | None) -> None:
        self.length = length
        self.expected: int | None = None  # bytes, from Content-Range
        self._stream = stream
        self._taken = 0

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes; b"" at the end."""
        if self.length is not None:
            size = min(size, self.length - self._taken)
            if size <= 0:
                return b""
        with _naming_what_is_missing():
            chunk: bytes = self._stream.read(size)
        self._take(len(chunk))
        return chunk

    def readinto(self, buffer: memoryview) -> int:
        """Fill the buffer from its beginning, and return the number of bytes; 0 at the end."""
        if self.length is not None:
            buffer = buffer[: max(self.length - self._taken, 0)]
            if not buffer:
                return 0
        with _naming_what_is_missing():
            count: int = self._stream.readinto(buffer)
        self._take(count)
        return count

    def _take(self, count: int) -> None:
        self._taken += count
        if self.expected is not None:
            over = self._taken > self.expected
            if over or (not count and self._taken < self.expected):
                raise Truncated(f"the body does not have the {self.expected} bytes of its range")

    def read_all(self, limit: int) -> bytes | None:
        """The whole body; None if it has more than `limit` bytes."""
        chunks: list[bytes] = []
        size = 0
        while chunk := self.read(BUFFER):
            size += len(chunk)
            if size > limit:
                return None
            chunks.append(chunk)
        if self.length is not None and size < self.length:
            raise Truncated(f"the body has {size} bytes of the {self.length} announced")
        return b"".join(chunks)

    def drain(self) -> None:
        """Read the rest of the body, so that the connection can serve the next request.

        Otherwise a client that is still sending would see a reset instead of the answer.
        """
        self.expected = None
        try:
            while self.read(BUFFER):
                pass
        except Truncated:
            return


@contextmanager
def _naming_what_is_missing() -> Iterator[None]:
    """Turn the errors of a client that is gone, or of malformed chunks, into Truncated."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise Truncated(f"the request's body ended early: {error}") from error


@dataclass(frozen=True)
class Request:
    """A request. `query` has the first value of each parameter; header names are lower-case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Body

    @classmethod
    def of(cls, environ: Environ) -> Request:
        """Read a WSGI environment; a Content-Length that is not a number counts as 0."""
        headers = {
            key[5:].replace("_", "-").lower(): value
            for key, value in environ.items()
            if key.startswith("HTTP_")
        }
        headers["content-type"] = environ.get("CONTENT_TYPE") or ""
        chunked = "chunked" in headers.get("transfer-encoding", "").lower()
        announced = environ.get("CONTENT_LENGTH") or ""
        length = int(announced) if announced.isascii() and announced.isdigit() else 0
        query: dict[str, str] = {}
        pairs = parse_qsl(environ.get("QUERY_STRING") or "", keep_blank_values=True)
        for key, value in pairs:
            query.setdefault(key, value)
        return cls(
            method=environ["REQUEST_METHOD"],
            path=environ.get("PATH_INFO") or "/",
            query=query,
            headers=headers,
            body=Body(environ["wsgi.input"], None if chunked else length),
        )

    def header(self, name: str) -> str | None:
        """The header with this lower-case name, or None."""
        return self.headers.get(name)


class FileBody:
    """A part of a file as a response's body. The server closes it (PEP 3333)."""

    def __init__(self, file: BinaryIO, start: int, length: int) -> None:
        self._file = file
        self._left = length
        file.seek(start)

    def __iter__(self) -> Iterator[bytes]:
        while self._left > 0 and (chunk := self._file.read(min(BUFFER, self._left))):
            self._left -= len(chunk)
            yield chunk

    def close(self) -> None:
        """Close the file."""
        self._file.close()
