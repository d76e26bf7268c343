"""A client that is attached to a program: its side of Docker's hijacked connection.

Without a terminal, stdout and stderr come in frames:
https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Container/operation/ContainerAttach
"""

from __future__ import annotations

import os
import socket

from .loop import PORTION, READ, WRITE, Loop, Sink, close_socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Program(Protocol):
        """What a client needs of the program (process.py)."""

        @property
        def is_full(self) -> bool: ...
        def input(self, data: bytes) -> None: ...
        def end_of_input(self) -> None: ...
        def update(self) -> None: ...
        def left(self, client: Client) -> None: ...


_NUMBERS = {"stdout": 1, "stderr": 2}


class Client:
    """One attached connection; ``wants`` names the streams that the client asked for.

    ``detach`` is the sequence of keys that ends the connection and leaves the program running; ""
    for none. ``early`` is what the client sent together with its request.
    """

    def __init__(
        self, loop: Loop, connection: socket.socket, wants: set[str], detach: bytes, early: bytes
    ) -> None:
        self._loop, self._connection, self.wants = loop, connection, wants
        self._detach, self._early, self._typed = detach, early, b""
        self._process: Program | None = None
        self._at_end = False
        connection.setblocking(False)
        self._sink = Sink(loop, connection.fileno(), self._update)
        self._update()

    @property
    def is_full(self) -> bool:
        """Whether the program has to wait for this client."""
        return self._sink.is_full

    def join(self, process: Program) -> None:
        """Connect with a program that has started; until then, its input waits."""
        self._process = process
        if self._early:
            self._input(self._early)
        self._update()

    def output(self, stream: str, data: bytes, framed: bool) -> None:
        """Send output of the program."""
        if stream not in self.wants or self._connection.fileno() < 0:
            return
        if framed:
            header = bytes((_NUMBERS[stream], 0, 0, 0)) + len(data).to_bytes(4, "big")
            data = header + data
        self._sink.write(data)

    def end(self) -> None:
        """The program has ended: send the rest, then close."""
        if self._connection.fileno() >= 0:
            self._sink.end()

    def close(self) -> None:
        """Close the connection at once."""
        close_socket(self._loop, self._connection)
        if self._process:
            self._process.left(self)

    def _update(self) -> None:
        sink = getattr(self, "_sink", None)
        if self._connection.fileno() < 0 or sink is None:
            return
        if sink.broken or sink.ended:
            self.close()
            return
        events = WRITE if sink.waiting else 0
        if not self._at_end and (self._process is None or not self._process.is_full):
            events |= READ if self._process else 0
        self._loop.watch(self._connection.fileno(), events, self._ready)
        if self._process:
            self._process.update()

    def _ready(self, events: int) -> None:
        if events & WRITE:
            self._sink.flush()
        if events & READ and self._connection.fileno() >= 0:
            self._read()

    def _read(self) -> None:
        assert self._process
        try:
            data = os.read(self._connection.fileno(), PORTION)
        except BlockingIOError:
            return
        except OSError:
            self.close()
            return
        if data:
            self._input(data)
        else:
            self._at_end = True
            if "stdin" in self.wants:
                self._process.end_of_input()
        self._update()

    def _input(self, data: bytes) -> None:
        assert self._process
        if "stdin" not in self.wants:
            return
        if self._detach:
            data = self._without_keys(data)
            if self._typed == self._detach:
                self._sink.end()
                return
        if data:
            self._process.input(data)

    def _without_keys(self, data: bytes) -> bytes:
        """What a program gets of the input: a begun sequence of keys waits for what follows."""
        passed = bytearray()
        for number, byte in enumerate(data):
            if byte != self._detach[len(self._typed)]:
                passed += self._typed
                self._typed = b""
            if byte == self._detach[len(self._typed)]:
                self._typed += data[number : number + 1]
                if self._typed == self._detach:
                    break
            else:
                passed.append(byte)
        return bytes(passed)
