"""One end of a connection: bytes read ahead are kept until somebody wants them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

from .address import Address
from .messages import HEAD_LIMIT, Framing, MessageError, chunk_size

PORTION = 64 * 1024


class Wire:
    """A connection to read messages from and write bytes to.

    On the bare socket: asyncio's streams end both directions when one fails, and what a server
    said before it stopped reading would be lost.
    """

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._socket = connection
        self._loop = asyncio.get_running_loop()
        self._kept = bytearray()

    @classmethod
    async def to(cls, address: Address) -> Wire:
        """Connect. Raises OSError."""
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
        """Whether the other end has closed, and nothing of it is left."""
        if self._kept:
            return False
        try:
            return not self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True

    async def head(self) -> bytes | None:
        """A head with its blank line; None at the end of the connection.

        Raises:
            MessageError: it is too long, or cut off.
        """
        start = 0
        while (end := self._kept.find(b"\r\n\r\n", start)) < 0:
            start = max(0, len(self._kept) - 3)
            if len(self._kept) > HEAD_LIMIT:
                raise MessageError("the head is too long")
            if not await self._fill():
                if self._kept:
                    raise MessageError("the connection ended within a head")
                return None
        return self._take(end + 4)

    async def some(self, limit: int = PORTION) -> bytes:
        """At most ``limit`` bytes, as soon as there are any; b"" at the end."""
        if not self._kept:
            await self._fill()
        return self._take(min(limit, len(self._kept)))

    async def send(self, data: bytes) -> None:
        """Write, and wait while too much is on the way. Raises ConnectionError."""
        await self._loop.sock_sendall(self._socket, data)

    async def gone(self) -> None:
        """Return when the other end closes; what it sends instead is kept, and waited no more."""
        if not self._kept and not await self._fill():
            return
        await asyncio.Event().wait()

    def finish(self) -> None:
        """Say that nothing more will be sent; the other direction goes on."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close both directions."""
        self._socket.close()

    async def raw(self, framing: Framing) -> AsyncIterator[bytes]:
        """A body as it is on the wire. Raises MessageError when it is cut off."""
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

    async def content(self, framing: Framing) -> AsyncIterator[bytes]:
        """What a body holds. Raises MessageError when it is cut off."""
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
        if not count and before:
            yield before
        while count:
            part = await self.some(min(count, PORTION))
            if not part:
                raise MessageError("the connection ended within a body")
            count -= len(part)
            yield before + part
            before = b""

    async def _line(self) -> bytes:
        while (end := self._kept.find(b"\r\n")) < 0:
            if len(self._kept) > HEAD_LIMIT or not await self._fill():
                raise MessageError("the connection ended within a body")
        return self._take(end + 2)

    async def _fill(self) -> bool:
        """Read what there is, waiting for it; False at the end. Raises ConnectionError.

        Nothing is lost when the waiting is cancelled: reading itself does not wait.
        """
        # a connection that always has more must not keep the others waiting
        await asyncio.sleep(0)
        while True:
            try:
                data = self._socket.recv(PORTION)
            except BlockingIOError:
                await self._readable()
                continue
            self._kept += data
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
        taken = bytes(memoryview(self._kept)[:count])
        del self._kept[:count]
        return taken
