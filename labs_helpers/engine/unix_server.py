"""An HTTP server on a unix socket that only its owner can use: cheroot, with stricter reading.

A request whose head or body is malformed, or does not come, is refused: 400 or 408. So many threads
serve that clients which are slow, or wait for a long build, do not keep out others.
"""

from __future__ import annotations

import os
import select
import socket
import stat
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIApplication

from cheroot import server as cheroot
from cheroot import wsgi

from labs_helpers.runtime.http_bodies import BrokenBody, Chunked, KnownLength, body_of
from labs_helpers.runtime.http_framing import StrictHeaders

_THREADS = 64
BACKLOG = 1024
"""Connections that wait to be accepted; further clients are refused (EAGAIN)."""

_HEAD_SECONDS = 10.0
_HEAD_SIZE = 1024 * 1024
_BODY_SECONDS = 600
"""Seconds without a byte after which a client counts as gone."""


IS_GONE = "labs.client_is_gone"
"""The key in the environ of a function that says whether the client has closed the connection."""


HIJACK = "labs.hijack"
"""The key in the environ of a function that takes the connection away from the server.

It returns the socket, and the bytes that the client has sent after its request."""


class _Request(cheroot.HTTPRequest):
    header_reader = StrictHeaders()

    def parse_request(self) -> None:
        """Read the head of a request, for which the client has little time."""
        self.conn.socket.settimeout(self.server.head_seconds)
        super().parse_request()
        self.conn.socket.settimeout(self.server.timeout)


class _Connection(cheroot.HTTPConnection):
    RequestHandlerClass = _Request


class _Body:
    """The body of a request; after a malformed body, the connection is closed."""

    def __init__(self, body: Chunked | KnownLength, request: Any) -> None:
        self._body: Chunked | KnownLength | None = body
        self._request = request

    @property
    def remaining(self) -> int:
        """The bytes of a body of known length that cheroot has to skip."""
        return self._body.remaining if isinstance(self._body, KnownLength) else 0

    def read(self, size: int | None = -1) -> bytes:
        """Up to ``size`` bytes. Raises BrokenBody once; there is nothing more to read then."""
        if self._body is None:
            return b""
        try:
            return self._body.read(size)
        except BrokenBody:
            self._body, self._request.close_connection = None, True
            raise


class _Gateway(wsgi.Gateway_10):
    def get_environ(self) -> dict[str, Any]:  # type: ignore[override]  # cheroot's stub says None
        """The environ; reading ``wsgi.input`` raises BrokenBody for a malformed body."""
        request: Any = self.req
        request.rfile = _Body(body_of(request), request)
        environ: dict[str, Any] = super().get_environ()  # type: ignore[no-untyped-call]
        client = _Client(request)
        environ[IS_GONE], environ[HIJACK] = client.is_gone, client.hijack
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


class UnixServer(wsgi.Server):
    """cheroot on a unix socket of mode 0600; cheroot itself would open the socket to everybody."""

    ConnectionClass = _Connection

    def __init__(self, path: Path, app: WSGIApplication) -> None:
        super().__init__(
            str(path),
            app,
            numthreads=_THREADS,
            server_name="labs-engine",
            request_queue_size=BACKLOG,
            timeout=_BODY_SECONDS,
        )
        self.gateway = _Gateway
        self.head_seconds = _HEAD_SECONDS
        self.max_request_header_size = _HEAD_SIZE

    @staticmethod
    def bind_socket(socket_: Any, bind_addr: Any) -> Any:
        """Bind the socket so that its file is private from the start."""
        os.fchmod(socket_.fileno(), stat.S_IRUSR | stat.S_IWUSR)
        before = os.umask(0o177)
        try:
            socket_.bind(bind_addr)
        finally:
            os.umask(before)
        return socket_
