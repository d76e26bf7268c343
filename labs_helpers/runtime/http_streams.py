"""The bytes of a connection of cheroot's, in both directions, without copies of large bodies.

cheroot's own are made of Python's slow io module, which copies each piece of a body three times:
https://github.com/cherrypy/cheroot/blob/main/cheroot/makefile.py
"""

from __future__ import annotations

import errno
import io
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

PIECE = 64 * 1024
"""Bytes of a connection that are read ahead."""


class Source(socket.SocketIO):
    """A socket's bytes, beginning with those that were read ahead."""

    def __init__(self, sock: socket.socket, mode: Any) -> None:
        super().__init__(sock, mode)
        self.ahead = bytearray()
        self.resting = False

    def readinto(self, buffer: Any) -> int | None:
        """Fill the buffer as far as bytes are there; None while the source rests."""
        if self.resting:
            return None
        if not self.ahead:
            return super().readinto(buffer)
        size = min(len(buffer), len(self.ahead))
        buffer[:size] = self.ahead[:size]
        del self.ahead[:size]
        return size


class Reader(io.BufferedReader):
    """A request's bytes; ``waiting`` while the head is not whole."""

    bytes_read = 0
    """Of cheroot's statistics, which are off."""

    def __init__(self, sock: socket.socket, mode: Any) -> None:
        self.source = Source(sock, mode)
        super().__init__(self.source, PIECE)
        self.waiting = False

    def has_data(self) -> bool:
        """Whether bytes that were read already may hold a request."""
        return not self.waiting and (bool(self.source.ahead) or self.is_filled())

    def is_filled(self) -> bool:
        """Whether the buffer holds bytes."""
        self.source.resting = True  # else peek would read, and wait, when the buffer is empty
        try:
            return bool(self.peek(1))
        finally:
            self.source.resting = False


class Writer(socket.SocketIO):
    """An answer's bytes, which are sent at once; a head waits for the first bytes of the body.

    Two pieces would wake a client twice, and cost a tenth of a short request.
    """

    bytes_written = 0
    """Of cheroot's statistics, which are off."""

    def __init__(self, sock: socket.socket, mode: Any) -> None:
        super().__init__(sock, mode)
        self._holding = False
        self._held = b""

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Keep what is written in the block for the next write, or for ``release``."""
        self._holding = True
        try:
            yield
        finally:
            self._holding = False

    def release(self) -> None:
        """Send what is kept."""
        if self._held:
            self.write(b"")

    def write(self, data: Any) -> int:
        """Send all of the data; each piece may take the socket's timeout."""
        if self._holding:
            self._held += data
            return len(data)
        if self._held:
            held, self._held = self._held, b""
            if len(data) > PIECE:
                self._send(held)
            else:
                data = held + data
        self._send(data)
        return len(data)

    def _send(self, data: Any) -> None:
        view = memoryview(data)
        while view:
            sent = super().write(view)
            if sent is None:
                raise BlockingIOError(errno.EAGAIN, "the client does not read")
            view = view[sent:]


def make_file(sock: socket.socket, mode: str, bufsize: int) -> Any:
    """The reader or the writer of a connection, as cheroot asks for one."""
    return Reader(sock, mode) if "r" in mode else Writer(sock, "wb")
