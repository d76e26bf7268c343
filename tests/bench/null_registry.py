"""A registry that throws away what is pushed: what a push costs the client alone.

    python -m tests.bench.null_registry PORT

With this floor, a figure of a real registry says how much of a push is the registry's.
"""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

PIECE = 1024 * 1024


class Nothing(BaseHTTPRequestHandler):
    """Answers skopeo as if every blob and manifest were new, and were stored."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.reply(200 if self.path == "/v2/" else 404)

    def do_HEAD(self) -> None:
        self.reply(404)

    def do_POST(self) -> None:
        self.take()
        self.reply(202, Location="/v2/bench/image/blobs/uploads/one", Range="0-0")

    do_PATCH = do_POST

    def do_PUT(self) -> None:
        self.take()
        digest = parse_qs(urlsplit(self.path).query).get("digest", [""])[0]
        self.reply(201, **({"Docker-Content-Digest": digest} if digest else {}))

    def take(self) -> None:
        """Read the body, whole or in chunks, and drop it."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            self.drop(int(self.headers.get("Content-Length", 0)))
            return
        while size := int(self.rfile.readline(), 16):
            self.drop(size)
            self.rfile.readline()
        self.rfile.readline()

    def drop(self, size: int) -> None:
        while size > 0:
            size -= len(self.rfile.read(min(size, PIECE)))

    def reply(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Nothing."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Nothing).serve_forever()
