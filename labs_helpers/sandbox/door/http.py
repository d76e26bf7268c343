"""The HTTP server under the sandbox: cheroot, with bodies that are only ever read in pieces."""

from __future__ import annotations

import logging
import socket
from typing import Any
from wsgiref.types import WSGIApplication

from cheroot import wsgi

from labs_helpers.runtime.http_bodies import PIECE, BrokenBody, body_of
from labs_helpers.runtime.http_framing import LARGEST_BODY
from labs_helpers.runtime.http_server import PatientServer
from labs_helpers.sandbox.call import HEADERS

log = logging.getLogger(__name__)


CLIENT_GONE = (BrokenBody, ConnectionError, TimeoutError)
"""What an application lets through to here: there is nobody left to answer."""


def _unmistakable(headers: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """Without names that WSGI could not tell from another, underscores being dashes there.

    Only the metadata of an S3 object may have an underscore in its name.
    """
    return {
        name: value
        for name, value in headers.items()
        if b"_" not in name
        or (name.startswith(b"X-Amz-Meta-") and name.replace(b"_", b"-").title() not in headers)
    }


class RequestGateway(wsgi.Gateway_10):
    """cheroot's bridge to WSGI, with our bodies, and whole requests read before the answer."""

    def get_environ(self) -> dict[str, Any]:  # type: ignore[override]  # cheroot's stub says None
        """The environ, with a body of ours as wsgi.input."""
        request: Any = self.req
        request.rfile = body_of(request)
        headers = _unmistakable(request.inheaders)
        request.inheaders = headers
        environ: dict[str, Any] = super().get_environ()  # type: ignore[no-untyped-call]
        environ[HEADERS] = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in headers.items()
        }
        return environ

    def respond(self) -> None:
        """Call the application, skip what it left of the body, and send its answer."""
        try:
            super().respond()
        except BrokenBody:
            if not self.req.sent_headers:
                self.req.simple_response("400 Bad Request", "The request's body is not whole.")
                self.req.sent_headers = True

    def start_response(self, status: Any, headers: Any, exc_info: Any = None) -> Any:
        result = super().start_response(status, headers, exc_info)
        if self.req.status[:3] != b"413":
            while self.req.rfile.read(PIECE):
                pass
        return result


class Server(PatientServer):
    """One loopback port; raises OSError from prepare() when it is taken."""

    def __init__(self, port: int, application: WSGIApplication) -> None:
        super().__init__(
            ("127.0.0.1", port),
            application,
            threads=16,
            most_threads=128,
            server_name="labs-sandbox",
            request_queue_size=128,
            timeout=60,
            shutdown_timeout=3,
        )
        self.gateway = RequestGateway
        self.max_request_body_size = LARGEST_BODY

    def prepare(self) -> None:
        """Listen; the OSError of a port that is taken has its errno."""
        try:
            super().prepare()
        except OSError:
            # cheroot raises one with a text only: ask the system again for its own
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(self.bind_addr)
            raise

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        """What cheroot has to say, into our log."""
        log.log(level, msg, exc_info=traceback)


def serves(server: Server) -> int:
    """The port that a prepared server listens on."""
    return int(server.bind_addr[1])
