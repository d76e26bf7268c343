"""The engine's HTTP server on a unix socket: its times, its sizes, and who has hung up."""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIApplication

from cheroot import wsgi

from labs_helpers.runtime.http_bodies import body_of
from labs_helpers.runtime.http_server import Connection, PatientServer

BACKLOG = 1024
"""Connections that wait to be accepted; further clients are refused (EAGAIN)."""

_THREADS = 16
_MOST_THREADS = 256
"""Requests that are answered at once: builds, pulls and streams of events are long."""
_HEAD_SECONDS = 10.0
_HEAD_SIZE = 1024 * 1024
"""Bytes of a head: the credentials of many registries, the arguments of a build."""
_BODY_SECONDS = 600
"""Seconds without a byte after which a client counts as gone."""

IS_GONE = "labs.client_is_gone"
"""The key in the environ of a function that says whether the client has closed the connection."""


HIJACK = "labs.hijack"
"""The key in the environ of a function that takes the connection away from the server.

It returns the socket, and the bytes that the client has sent after its request."""

CLIENT = "labs.client"
"""The key in the environ of what the server's ``recognise`` said of the connection."""

Recognise = Callable[[socket.socket], Any]
"""Says who has connected."""


class _Connection(Connection):
    """A connection whose client is recognised at once: later, the client may have ended."""

    def __init__(self, server: Any, sock: Any, makefile: Any = None) -> None:
        super().__init__(server, sock, makefile)
        self.client = server.recognise(sock)


class _Gateway(wsgi.Gateway_10):
    def get_environ(self) -> dict[str, Any]:  # type: ignore[override]  # cheroot's stub says None
        """The environ; reading ``wsgi.input`` raises BrokenBody for a malformed body."""
        request: Any = self.req
        request.rfile = body_of(request)
        environ: dict[str, Any] = super().get_environ()  # type: ignore[no-untyped-call]
        client = _Client(request)
        environ[IS_GONE], environ[HIJACK] = client.is_gone, client.hijack
        environ[CLIENT] = request.conn.client
        return environ


class _Client:
    """The client's connection, as an application may ask for it."""

    def __init__(self, request: Any) -> None:
        self._request = request
        self._socket: socket.socket = request.conn.socket

    def is_gone(self) -> bool:
        """Whether both directions are closed; a client that only sends nothing more still reads."""
        if self._socket.fileno() < 0:
            return True
        poll = select.poll()
        poll.register(self._socket, 0)
        return any(event & select.POLLHUP for _, event in poll.poll(0))

    def hijack(self) -> tuple[socket.socket, bytes]:
        """Take the connection from cheroot, which then neither writes to it nor shuts it down."""
        connection = self._request.conn
        self._socket = connection.socket.dup()
        early = b""
        while connection.rfile.has_data():
            early += connection.rfile.read1(_HEAD_SIZE)
        # the other descriptor must not keep the connection open
        os.close(connection.socket.detach())
        self._request.sent_headers = self._request.close_connection = connection.linger = True
        self._socket.settimeout(None)
        return self._socket, early


class UnixServer(PatientServer):
    """Serves on a socket of mode 0600."""

    ConnectionClass = _Connection

    def __init__(
        self, path: Path, app: WSGIApplication, recognise: Recognise = lambda _: None
    ) -> None:
        super().__init__(
            str(path),
            app,
            threads=_THREADS,
            most_threads=_MOST_THREADS,
            head_seconds=_HEAD_SECONDS,
            server_name="labs-engine",
            request_queue_size=BACKLOG,
            timeout=_BODY_SECONDS,
        )
        self.gateway = _Gateway
        self.recognise = recognise
        self.max_request_header_size = _HEAD_SIZE
