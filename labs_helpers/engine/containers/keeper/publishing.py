"""The published ports of a container, and the relays between this machine and its network."""

from __future__ import annotations

import errno
import socket

from .loop import Loop
from .namespaces import sockets_of
from .relay import Relay
from .words import CannotStart

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .process import Process

    Document = dict[str, Any]

_LOOPBACK = "127.0.0.1"
_FEW = 2


def published(ports: list[Document]) -> list[socket.socket]:
    """A listening socket for each published port. Raises CannotStart, with the port's number."""
    listeners: list[socket.socket] = []
    for port in ports:
        listener = socket.socket()
        listeners.append(listener)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((port["address"], port["outside"]))
            listener.listen(128)
        except OSError as error:
            for each in listeners:
                each.close()
            raise CannotStart(
                f"port {port['outside']} {errno.errorcode[error.errno or 0]}", 0
            ) from error
    return listeners


def relays(
    loop: Loop, spec: Document, process: Process, listeners: list[socket.socket]
) -> list[Relay]:
    """The relays of a container: from its published ports, and to ports of this machine."""
    stock = process.launched.stock

    def inside() -> socket.socket:
        if spec["network"] == "host":
            return socket.socket()
        if len(stock) <= _FEW:
            stock.extend(sockets_of(process.pid, bool(spec["user_namespace"])))
        if not stock:
            raise ConnectionRefusedError("the container is ending")
        return stock.pop()

    found = [
        Relay(loop, listener, inside, (_LOOPBACK, port["inside"]))
        for port, listener in zip(spec["ports"], listeners, strict=True)
    ]
    for listener, (_, _, port) in zip(process.launched.listeners, spec["relays"], strict=False):
        found.append(Relay(loop, listener, socket.socket, (_LOOPBACK, port)))
    return found
