"""A socket that HTTP messages are read from and bytes are written to."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

from .address import Address
from .http_messages import HEAD_LIMIT, Framing, MessageError, chunk_size

PORTION = 64 * 1024
"""The most bytes read at a time."""


class Connection:
    """A connection with a buffer for bytes that were received and not asked for yet.

    This class works on the bare socket. asyncio's streams close both directions when one fails,
    and would lose an answer that a server sent before it stopped reading.
    """

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._socket = connection
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray()

    @classmethod
    async def open(cls, address: Address) -> Connection:
        """Connect to an address. Raises OSError."""
        if address.path is None:
            where = (address.host, address.port)
            return cls(await asyncio.to_thread(socket.create_connection, where))
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.setblocking(False)
            await asyncio.get_running_loop().sock_connect(connection, str(address.path))
        except BaseException:
            connection.close()
            raise
        return cls(connection)

    @property
    def ended(self) -> bool:
        """Whether the other side has closed and every byte it sent has been read."""
        if self._buffer:
            return False
        try:
            return not self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True

    async def read_head(self) -> bytes | None:
        """Read a head with its blank line; return None at the end of the connection.

        Raises MessageError when the head is too long, or the connection ends within it.
        """
        start = 0
        while (end := self._buffer.find(b"\r\n\r\n", start)) < 0:
            start = max(0, len(self._buffer) - 3)
            if len(self._buffer) > HEAD_LIMIT:
                raise MessageError("the head is too long")
            if not await self._fill():
                if self._buffer:
                    raise MessageError("the connection ended within a head")
                return None
        return self._take(end + 4)

    async def read_some(self, limit: int = PORTION) -> bytes:
        """Read up to ``limit`` bytes as soon as some arrive; return b"" at the end."""
        if not self._buffer:
            await self._fill()
        return self._take(min(limit, len(self._buffer)))

    async def send(self, data: bytes) -> None:
        """Write all of ``data``. Raises ConnectionError."""
        await self._loop.sock_sendall(self._socket, data)

    async def wait_until_closed(self) -> None:
        """Return when the other side closes; if it sends bytes, buffer them and wait for ever."""
        if not self._buffer and not await self._fill():
            return
        await asyncio.Event().wait()

    def end_sending(self) -> None:
        """Close the sending direction; the other direction stays open."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close both directions."""
        self._socket.close()

    async def raw_body(self, framing: Framing) -> AsyncIterator[bytes]:
        """Yield a body as sent, with chunk sizes and trailers. Raises MessageError if cut off."""
        if not framing.chunked:
            async for part in self._exactly(framing.length):
                yield part
            return
        while True:
            line = await self._line()
            size = chunk_size(line)
            async for part in self._exactly(size + 2 if size else 0, before=line):
                yield part
            if not size:
                while True:
                    trailer = await self._line()
                    yield trailer
                    if trailer == b"\r\n":
                        return

    async def body_content(self, framing: Framing) -> AsyncIterator[bytes]:
        """Yield a body without chunk sizes and trailers. Raises MessageError if cut off."""
        if not framing.chunked:
            async for part in self._exactly(framing.length):
                yield part
            return
        while size := chunk_size(await self._line()):
            async for part in self._exactly(size):
                yield part
            await self._line()
        while await self._line() != b"\r\n":
            pass

    async def _exactly(self, count: int, before: bytes = b"") -> AsyncIterator[bytes]:
        """Yield ``count`` bytes of the connection, after the bytes ``before``."""
        if not count and before:
            yield before
        while count:
            part = await self.read_some(min(count, PORTION))
            if not part:
                raise MessageError("the connection ended within a body")
            count -= len(part)
            yield before + part
            before = b""

    async def _line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > HEAD_LIMIT or not await self._fill():
                raise MessageError("the connection ended within a body")
        return self._take(end + 2)

    async def _fill(self) -> bool:
        """Wait for bytes and buffer them; return False at the end. Raises ConnectionError.

        Cancelling this method loses no bytes, because it waits only before it reads.
        """
        # let other connections run, even when this one always has bytes to read
        await asyncio.sleep(0)
        while True:
            try:
                data = self._socket.recv(PORTION)
            except BlockingIOError:
                await self._readable()
                continue
            self._buffer += data
            return bool(data)

    async def _readable(self) -> None:
        ready = self._loop.create_future()

        def done() -> None:
            if not ready.done():
                ready.set_result(None)

        self._loop.add_reader(self._socket, done)
        try:
            await ready
        finally:
            self._loop.remove_reader(self._socket)

    def _take(self, count: int) -> bytes:
        taken = bytes(memoryview(self._buffer)[:count])
        del self._buffer[:count]
        return taken
