"""The keeper's event loop: what to call when a descriptor is ready."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
PORTION = 64 * 1024
MOST_WAITING = 1 << 20
"""Bytes that may wait for a slow reader; then its source is read no more until they are gone."""


class Loop:
    """Calls functions when descriptors are ready; single-threaded."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self.running = True

    def watch(self, descriptor: int, events: int, call: Callable[[int], None]) -> None:
        """Call ``call(events)`` whenever one of the events occurs; no events: never again."""
        known = descriptor in self._selector.get_map()
        if not events:
            if known:
                self._selector.unregister(descriptor)
        elif known:
            self._selector.modify(descriptor, events, call)
        else:
            self._selector.register(descriptor, events, call)

    def run(self) -> None:
        """Serve until ``running`` is false."""
        while self.running:
            for key, events in self._selector.select():
                # an earlier call of this round may have closed the descriptor
                if self._selector.get_map().get(key.fd) is key:
                    key.data(events)


class Sink:
    """A descriptor that takes bytes when it can; ``changed`` is called when its backlog changes."""

    def __init__(self, loop: Loop, descriptor: int, changed: Callable[[], None]) -> None:
        self._loop, self._descriptor, self._changed = loop, descriptor, changed
        self.waiting = bytearray()
        self.broken = False
        self._last = False
        self.ended = False
        """Whether everything is written, and nothing more will be."""

    @property
    def is_full(self) -> bool:
        """Whether the source should pause."""
        return len(self.waiting) > MOST_WAITING

    def write(self, data: bytes) -> None:
        """Write now or later; after a failure, the bytes are dropped."""
        if not self.broken:
            self.waiting += data
            self.flush()

    def end(self) -> None:
        """Nothing more will come."""
        self._last = True
        self.flush()

    def flush(self) -> None:
        """Write what the descriptor takes."""
        try:
            while self.waiting:
                written = os.write(self._descriptor, self.waiting[:PORTION])
                del self.waiting[:written]
        except BlockingIOError:
            pass  # full for now: the loop comes back when the descriptor takes more
        except OSError:
            self.broken = True
            self.waiting.clear()
        if self._last and not self.waiting:
            self.ended = True
        self._changed()


def close(loop: Loop, descriptor: int) -> None:
    """Stop watching a descriptor, and close it."""
    loop.watch(descriptor, 0, lambda _: None)
    with contextlib.suppress(OSError):
        os.close(descriptor)


def close_socket(loop: Loop, connection: socket.socket) -> None:
    """Stop watching a socket, and close it."""
    if connection.fileno() >= 0:
        loop.watch(connection.fileno(), 0, lambda _: None)
        connection.close()
