"""cheroot's HTTP server on TCP or a unix socket, which no slow or garbled client can block.

cheroot gives a connection to one of its threads with the first byte, so that as many clients as
there are threads, each with half a request line, stop the server. Here:

- a connection waits in the selector, and takes no thread, until the head of its request is whole;
  a head that is not whole in time is answered with 408;
- a thread that waits for the rest of a body, or for a client that does not read, is replaced: the
  pool grows up to ``most_threads``, and shrinks again;
- a head that breaks RFC 9112 is refused with 400 (https://www.rfc-editor.org/rfc/rfc9112#section-5).
  cheroot fails at a first field that begins with a blank.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import stat
import threading
import time
from typing import Any
from wsgiref.types import WSGIApplication

from cheroot import server as cheroot_server
from cheroot import wsgi
from cheroot.makefile import MakeFile
from cheroot.workers.threadpool import ThreadPool

from labs_helpers.runtime.http_framing import StrictRequest
from labs_helpers.runtime.http_streams import PIECE, make_file

LONGEST_HEAD = 64 * 1024
"""Bytes of a request's line and fields, unless the server says otherwise."""
MOST_WAITING = 512
"""Connections with an unfinished head; the one that waits longest makes room for another."""
MOST_IDLE = 128
"""Connections kept open between two requests."""

_HEAD_IS_WHOLE = re.compile(rb"\r\n\r\n|(?<!\r)\n")
"""An empty line, or a line that HTTP does not allow: the refusal need not wait."""
_TLS = b"\x16"
"""The first byte of a TLS ClientHello: https://www.rfc-editor.org/rfc/rfc8446#section-5.1"""


class _Request(StrictRequest):
    def read_request_line(self) -> bool:
        """Read the first line; False when the answer is sent already. TLS is refused in HTTP."""
        if self.conn.rfile.peek(1)[:1] == _TLS:
            self.simple_response("400 Bad Request", "This port speaks HTTP, not HTTPS.")
            return False
        return super().read_request_line()

    def send_headers(self) -> None:
        """Write the head, which leaves with the first bytes of the body."""
        with self.conn.wfile.holding():
            super().send_headers()

    def respond(self) -> None:
        """Answer the request."""
        super().respond()
        self.conn.wfile.release()


class Connection(cheroot_server.HTTPConnection):
    RequestHandlerClass = _Request

    def __init__(self, server: Any, sock: Any, makefile: Any = MakeFile) -> None:
        super().__init__(server, sock, make_file)
        self._since = time.time()

    @property
    def last_used(self) -> float:
        """When the connection fell silent, as cheroot counts with the server's ``timeout``.

        A head that began has only ``head_seconds`` from its beginning.
        """
        late = self.server.timeout - self.server.head_seconds if self.rfile.source.ahead else 0
        return self._since - late

    @last_used.setter
    def last_used(self, now: float) -> None:
        if not self.rfile.source.ahead:
            self._since = now

    def close(self) -> None:
        """Close; a client whose head is not whole is told so, as far as it can be without waiting.

        https://www.rfc-editor.org/rfc/rfc9110#section-15.5.9
        """
        self.server.forget(self)
        if self.rfile.waiting and self.rfile.source.ahead:
            with contextlib.suppress(OSError):  # the client was quicker
                self.socket.settimeout(0)
                self.RequestHandlerClass(self.server, self).simple_response("408 Request Timeout")
        super().close()

    def head_is_whole(self) -> bool:
        """Read what has arrived, without waiting; whether a thread has something to do."""
        reader = self.rfile
        ahead = reader.source.ahead
        if reader.is_filled():  # the next request came with the one before
            ahead[:0] = reader.read(len(reader.peek(1)))
        if not ahead:
            self._since = time.time()
        reader.waiting = not self._read_head(ahead)
        return not reader.waiting

    def _read_head(self, ahead: bytearray) -> bool:
        looked = 0
        self.socket.settimeout(0)
        try:
            while not _HEAD_IS_WHOLE.search(ahead, max(looked - 3, 0)):
                if len(ahead) > self.server.max_request_header_size or ahead[:1] == _TLS:
                    return True  # the refusal need not wait
                looked = len(ahead)
                piece = self.socket.recv(PIECE)
                if not piece:
                    return True
                ahead += piece
        except BlockingIOError:
            return False
        except OSError:
            return True  # the thread that reads next meets it too, and closes the connection
        finally:
            self.socket.settimeout(self.server.timeout)
        return True


class _Pool(ThreadPool):
    """cheroot's pool, which the stub of its type does not describe whole."""

    _threads: list[Any]
    _pending_shutdowns: Any
    _spawn_worker: Any

    @property
    def size(self) -> int:
        """How many threads there are, without those that were told to end."""
        return len(self._threads) - len(self._pending_shutdowns)

    def grow(self, amount: int) -> None:
        """Add threads, without cheroot's pause of 0.1 s, during which no connection is accepted."""
        budget = max(self.max - len(self._threads), 0)
        self._threads += [self._spawn_worker() for _ in range(min(amount, budget))]


class PatientServer(wsgi.Server):
    """A WSGI server that slow clients do not block."""

    ConnectionClass = Connection
    keep_alive_conn_limit = MOST_IDLE
    max_request_header_size = LONGEST_HEAD

    def __init__(
        self,
        address: Any,
        application: WSGIApplication,
        threads: int,
        most_threads: int,
        head_seconds: float | None = None,
        **settings: Any,
    ) -> None:
        """A server that listens once ``prepare`` is called.

        Args:
            address: (host, port), or the path of a unix socket, which only its owner can use.
            application: answers the requests.
            threads: how many threads wait for requests.
            most_threads: how many requests can be answered at the same time.
            head_seconds: what a client has for a request's head; ``timeout`` without a number.
            settings: cheroot's.
        """
        super().__init__(address, application, numthreads=threads, **settings)
        self.head_seconds = self.timeout if head_seconds is None else head_seconds
        self.requests: _Pool = _Pool(self, min=threads, max=most_threads)
        self._served: set[Connection] = set()
        self._unfinished: dict[Connection, None] = {}
        self._turns = threading.Lock()

    @staticmethod
    def bind_socket(socket_: Any, bind_addr: Any) -> Any:
        """Bind; the file of a unix socket is private from the start.

        cheroot itself would open the socket to everybody.
        """
        if socket_.family != socket.AF_UNIX:
            socket_.bind(bind_addr)
            return socket_
        os.fchmod(socket_.fileno(), stat.S_IRUSR | stat.S_IWUSR)
        before = os.umask(0o177)
        try:
            socket_.bind(bind_addr)
        finally:
            os.umask(before)
        return socket_

    def process_conn(self, conn: Connection) -> None:
        """Give a connection to a thread, or let the connection wait for the rest of its head.

        cheroot calls this for a new connection, and for one on which bytes have arrived.
        """
        if conn.head_is_whole():
            with self._turns:
                self._unfinished.pop(conn, None)
                self._served.add(conn)
                self._fit_the_pool()
            super().process_conn(conn)
            return
        with self._turns:
            if conn.rfile.source.ahead:
                self._unfinished.setdefault(conn)
            crowded = len(self._unfinished) > MOST_WAITING
            oldest = next(iter(self._unfinished)) if crowded else None
        if oldest is not None:
            _hang_up(oldest)
            self.forget(oldest)
        self.put_conn(conn)

    def put_conn(self, conn: Connection) -> None:
        """Let a connection wait for its next request, or for the rest of one."""
        with self._turns:
            self._served.discard(conn)
        super().put_conn(conn)

    def forget(self, conn: Connection) -> None:
        """A connection is closed, or about to be."""
        with self._turns:
            self._served.discard(conn)
            self._unfinished.pop(conn, None)

    def _fit_the_pool(self) -> None:
        """Keep a thread for each request that is being answered, and few idle ones."""
        spare = self.requests.size - len(self._served)
        if spare < 0:
            self.requests.grow(1)
        elif spare > self.requests.min:
            self.requests.shrink(1)


def _hang_up(conn: Connection) -> None:
    """End a waiting connection: the selector then sees its end, as of one that the client ended."""
    with contextlib.suppress(OSError):  # the client was quicker
        conn.socket.shutdown(socket.SHUT_RDWR)
