"""Attaching to a container's streams over a hijacked connection, with or without a terminal.

Source: https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Container/operation/ContainerAttach
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from typing import Any

_PORTION = 64 * 1024
_HEADER = struct.Struct(">BxxxI")


def size_of_terminal() -> tuple[int, int] | None:
    """Rows and columns of this terminal; None when stdout is none."""
    try:
        columns, rows = os.get_terminal_size(sys.stdout.fileno())
    except OSError:
        return None
    return rows, columns


@contextlib.contextmanager
def raw_terminal(resize: Callable[[int, int], None]) -> Iterator[None]:
    """Pass every key on as it is; ``resize`` is told the size now and after each change."""
    import termios
    import tty

    def tell(*_: Any) -> None:
        if size := size_of_terminal():
            resize(*size)

    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(sys.stdin.fileno())
    signal.signal(signal.SIGWINCH, tell)
    try:
        # at once: what was typed before must not be lost
        tty.setraw(sys.stdin.fileno(), termios.TCSANOW)
        tell()
        yield
    finally:
        termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, before)
        signal.signal(signal.SIGWINCH, signal.SIG_DFL)


def copy_streams(connection: socket.socket, early: bytes, with_input: bool, framed: bool) -> None:
    """Copy stdin to the connection, and the connection to stdout and stderr, until it ends."""
    sys.stdout.flush()
    output = Output(framed)
    output.write(early)
    watched: list[Any] = [connection]
    if with_input:
        watched.append(sys.stdin.fileno())
    while True:
        ready = select.select(watched, [], [])[0]
        if connection in ready:
            try:
                data = connection.recv(_PORTION)
            except ConnectionResetError:
                data = b""
            if not data:
                return
            output.write(data)
        elif ready:
            data = os.read(sys.stdin.fileno(), _PORTION)
            try:
                if data:
                    connection.sendall(data)
                else:
                    watched.remove(sys.stdin.fileno())
                    connection.shutdown(socket.SHUT_WR)
            except OSError:  # the program has ended; its output may still come
                if sys.stdin.fileno() in watched:
                    watched.remove(sys.stdin.fileno())


class Output:
    """Writes a stream of the engine to stdout and stderr, as its frames say."""

    def __init__(self, framed: bool) -> None:
        self._framed, self._rest = framed, b""

    def write(self, data: bytes) -> None:
        """Write what has come; an incomplete frame waits."""
        if not self._framed:
            _write(1, data)
            return
        self._rest += data
        while len(self._rest) >= _HEADER.size:
            stream, size = _HEADER.unpack_from(self._rest)
            if len(self._rest) < _HEADER.size + size:
                return
            _write(2 if stream == 2 else 1, self._rest[_HEADER.size : _HEADER.size + size])
            self._rest = self._rest[_HEADER.size + size :]


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
