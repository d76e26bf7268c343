"""The bodies of HTTP requests, read in pieces; both servers of the labs, on cheroot, use them.

cheroot's own readers take a body that ends too early for a whole body, and sizes of chunks that
RFC 9112 does not allow.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

PIECE = 256 * 1024
"""Bytes of a body held at once while it is skipped."""

_CHUNK_LINE = 256
_TRAILERS = 16_384


class BrokenBody(OSError):
    """The client ended or garbled its body; the connection cannot be used further."""


class _Body:
    """The body of one of cheroot's requests; a broken body ends the connection."""

    def __init__(self, request: Any) -> None:
        self._stream = request.conn.rfile
        self._request = request
        self._broken: BrokenBody | None = None

    def read(self, size: int | None = -1) -> bytes:
        """Up to `size` bytes (all that is left when negative or None); empty at the end.

        Raises BrokenBody, and again at each further read: what follows is no body.
        """
        with self._breakable():
            return self._read(size)

    def readinto(self, buffer: memoryview) -> int:
        """Fill the buffer; fewer bytes are the last ones. 0 at the end. Raises as `read` does.

        A large body needs one buffer in place of new memory for each piece.
        """
        with self._breakable():
            return self._readinto(buffer)

    @contextmanager
    def _breakable(self) -> Iterator[None]:
        if self._broken:
            raise self._broken
        try:
            yield
        except BrokenBody as error:
            self._broken, self._request.close_connection = error, True
            raise

    def _read(self, size: int | None) -> bytes:
        raise NotImplementedError

    def _readinto(self, buffer: memoryview) -> int:
        raise NotImplementedError


class _KnownLength(_Body):
    """A body of Content-Length bytes; cheroot skips the `remaining` bytes after the answer."""

    def __init__(self, request: Any) -> None:
        super().__init__(request)
        self.remaining = int(request.inheaders.get(b"Content-Length", b"0"))

    def _read(self, size: int | None) -> bytes:
        size = self.remaining if size is None or size < 0 else min(size, self.remaining)
        if size == 0:
            return b""
        data: bytes = self._stream.read(size)
        self._take(len(data), size)
        return data

    def _readinto(self, buffer: memoryview) -> int:
        wanted = buffer[: self.remaining]
        if not wanted:
            return 0
        count: int = self._stream.readinto(wanted)
        self._take(count, len(wanted))
        return count

    def _take(self, count: int, wanted: int) -> None:
        if count < wanted:
            raise BrokenBody(f"the body ended {self.remaining - count} bytes early")
        self.remaining -= count


class _Chunked(_Body):
    """A body in chunks (RFC 9112 section 7.1), however large each may be."""

    def __init__(self, request: Any) -> None:
        super().__init__(request)
        self._left = 0
        self._done = False
        self._first = True

    def _read(self, size: int | None) -> bytes:
        if size is None or size < 0:
            return b"".join(iter(lambda: self._read(PIECE), b""))
        found = []
        while size and self._more():
            data = self._stream.read(min(size, self._left))
            if not data:
                raise BrokenBody("the body ended inside a chunk")
            self._left -= len(data)
            size -= len(data)
            found.append(data)
        return b"".join(found)

    def _readinto(self, buffer: memoryview) -> int:
        filled = 0
        while filled < len(buffer) and self._more():
            count: int = self._stream.readinto(buffer[filled : filled + self._left])
            if not count:
                raise BrokenBody("the body ended inside a chunk")
            self._left -= count
            filled += count
        return filled

    def _more(self) -> bool:
        """Whether there are bytes to read, having read the next chunk's size where needed."""
        if self._left == 0 and not self._done:
            if not self._first and self._stream.readline(_CHUNK_LINE) != b"\r\n":
                raise BrokenBody("a chunk does not end where it says")
            self._first = False
            self._left = self._size(self._stream.readline(_CHUNK_LINE))
            if self._left == 0:
                self._done = True
                self._skip_trailers()
        return not self._done

    @staticmethod
    def _size(line: bytes) -> int:
        digits = line.partition(b";")[0].strip()
        if not line.endswith(b"\r\n") or not digits or digits.strip(b"0123456789abcdefABCDEF"):
            raise BrokenBody("a chunk has no size")
        return int(digits, 16)

    def _skip_trailers(self) -> None:
        read = 0
        while (line := self._stream.readline(_TRAILERS)) not in (b"\r\n", b""):
            read += len(line)
            if read > _TRAILERS:
                raise BrokenBody("the body's trailers do not end")


def body_of(request: Any) -> _Body:
    """The body of one of cheroot's requests, whose length http_framing.py has checked."""
    return _Chunked(request) if request.chunked_read else _KnownLength(request)
