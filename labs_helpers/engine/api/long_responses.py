"""Responses that take as long as a container runs: each has a thread of its own.

The server's threads are for requests that end; a hundred `docker run` may wait at once.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator

from .http import Response

log = logging.getLogger(__name__)


def long_response(body: Iterator[bytes], content_type: str) -> Response:
    """A response whose body comes slowly; b"" in the body sends nothing."""

    def take(connection: socket.socket, early: bytes) -> None:
        threading.Thread(target=_send, args=(connection, body), daemon=True).start()

    headers = {"Transfer-Encoding": "chunked", "Connection": "close"}
    return Response(200, [], content_type, headers, take)


def _send(connection: socket.socket, body: Iterator[bytes]) -> None:
    try:
        with connection:
            for data in body:
                if data:
                    connection.sendall(b"%x\r\n%s\r\n" % (len(data), data))
            connection.sendall(b"0\r\n\r\n")
    except OSError as error:
        log.info("a client has gone: %s", error)
