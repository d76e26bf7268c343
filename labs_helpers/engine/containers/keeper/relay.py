"""Connections carried between two network namespaces, as docker-proxy carries them.

A socket belongs to the namespace in which it was made, wherever it is used. So a stock of sockets,
made inside, is enough to reach a container's ports from outside; no process has to stay inside.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from functools import partial

from .loop import PORTION, READ, WRITE, Loop, Sink, close_socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Dial = Callable[[], socket.socket]
    """Returns an unconnected socket of the side on which the server listens."""


class Relay:
    """Accepts connections on a listener, and carries each to ``address`` on a new socket."""

    def __init__(
        self, loop: Loop, listener: socket.socket, dial: Dial, address: tuple[str, int]
    ) -> None:
        self._loop, self._listener, self._dial, self._address = loop, listener, dial, address
        self._open: set[_Pair] = set()
        listener.setblocking(False)
        loop.watch(listener.fileno(), READ, self._accept)

    def close(self) -> None:
        """Stop listening, and end all connections."""
        close_socket(self._loop, self._listener)
        for pair in list(self._open):
            pair.close()

    def _accept(self, events: int) -> None:
        try:
            client, _ = self._listener.accept()
        except OSError:
            return  # the client has gone, or this process has no more descriptors
        try:
            server = self._dial()
        except OSError:
            client.close()
            return
        self._open.add(_Pair(self._loop, client, server, self._address, self._open.discard))


class _Pair:
    """Two connected sockets, each of whose bytes goes to the other."""

    def __init__(
        self,
        loop: Loop,
        client: socket.socket,
        server: socket.socket,
        address: tuple[str, int],
        closed: Callable[[_Pair], None],
    ) -> None:
        self._loop, self._closed = loop, closed
        self._sockets = (client, server)
        for each in self._sockets:
            each.setblocking(False)
            with contextlib.suppress(OSError):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sinks = [Sink(loop, each.fileno(), lambda: None) for each in self._sockets]
        self._ended = [False, False]
        result = server.connect_ex(address)
        self._connecting = result == errno.EINPROGRESS
        # closed by the loop, because the caller does not know this pair yet
        self._sinks[1].broken = result not in (0, errno.EINPROGRESS)
        if self._sinks[1].broken:
            loop.watch(client.fileno(), WRITE, lambda _: self.close())
        else:
            self._watch()

    def close(self) -> None:
        for each in self._sockets:
            close_socket(self._loop, each)
        self._closed(self)

    def _watch(self) -> None:
        if self._connecting:
            self._loop.watch(self._sockets[1].fileno(), WRITE, self._connected)
            return
        for side in (0, 1):
            other = self._sinks[1 - side]
            events = 0 if self._ended[side] or other.is_full else READ
            if self._sinks[side].waiting:
                events |= WRITE
            self._loop.watch(self._sockets[side].fileno(), events, partial(self._do, side))

    def _connected(self, events: int) -> None:
        if self._sockets[1].getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.close()  # nobody listens inside
            return
        self._connecting = False
        self._watch()

    def _do(self, side: int, events: int) -> None:
        if events & WRITE:
            self._sinks[side].flush()
        if events & READ:
            self._move(side)
        for here in (0, 1):
            if self._ended[here] and not self._sinks[1 - here].waiting:
                with contextlib.suppress(OSError):
                    self._sockets[1 - here].shutdown(socket.SHUT_WR)
        if any(sink.broken for sink in self._sinks) or (
            all(self._ended) and not any(sink.waiting for sink in self._sinks)
        ):
            self.close()
        else:
            self._watch()

    def _move(self, side: int) -> None:
        try:
            data = os.read(self._sockets[side].fileno(), PORTION)
        except BlockingIOError:
            return
        except OSError:
            self._sinks[side].broken = True
            return
        if data:
            self._sinks[1 - side].write(data)
        else:
            self._ended[side] = True
