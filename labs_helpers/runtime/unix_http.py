"""An HTTP/1.1 client for servers on a unix socket, with the standard library alone.

The engine's health check, the stand-in docker and the front of a real daemon all use it. Only
``http.client`` is imported: the stand-in docker starts anew for each command.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
from collections.abc import Iterable, Mapping


class UnixConnection(http.client.HTTPConnection):
    """A connection to the server on the socket at ``path``; ``timeout`` is in seconds."""

    def __init__(self, path: str | os.PathLike[str], timeout: float | None = None) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = os.fspath(path)

    def connect(self) -> None:
        """Open the socket. Raises OSError when nobody listens."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def exchange(
    connection: http.client.HTTPConnection,
    method: str,
    target: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | Iterable[bytes] | None = None,
) -> http.client.HTTPResponse:
    """Send a request and return the response, whose body has not been read.

    A body that is not bytes is sent chunked. A server may refuse a request before it has read the
    whole body; the response is then returned all the same.

    Raises:
        OSError, http.client.HTTPException: the connection failed.
    """
    if connection.sock is None:
        connection.connect()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.request(method, target, body, dict(headers or {}))
    return connection.getresponse()


def error_message(body: bytes) -> str:
    """The text of a Docker error response: ``message`` of the JSON object, else the body itself."""
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if isinstance(document, dict) and document.get("message"):
        return str(document["message"])
    return body.decode(errors="replace").strip()
