"""What the registry has seen: the last /v2/ requests, for the learner to look at.

Without times and without secrets: a query's values stay out, only the path is kept. Without what
the labs' checks ask: the learner sent none of it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from labs_helpers.defaults import CHECK_AGENT

KEPT = 500


class Trace:
    """A ring of the last KEPT requests, oldest first; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._number = 0

    def note(self, request: dict[str, Any]) -> None:
        """Keep one request; it is given a running `number`."""
        with self._lock:
            self._number += 1
            self._seen.append({"number": self._number, **request})

    def requests(self) -> list[dict[str, Any]]:
        """{"number", "method", "host", "path", "status", "bytes_in", "bytes_out"} each."""
        with self._lock:
            return list(self._seen)

    def clear(self) -> None:
        """Forget all, and number from 1 again."""
        with self._lock:
            self._seen.clear()
            self._number = 0


class _Counted:
    """A request's body that counts what is read of it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.count = 0

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._stream.read(size)
        self.count += len(data)
        return data

    def readinto(self, buffer: memoryview) -> int:
        count: int = self._stream.readinto(buffer)
        self.count += count
        return count

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Traced:
    """WSGI: an application whose /v2/ requests are noted before their answer leaves.

    Whoever has an answer finds its request in the trace.
    """

    def __init__(self, application: WSGIApplication, trace: Trace) -> None:
        self._application = application
        self._trace = trace

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        of_check = environ.get("HTTP_USER_AGENT") == CHECK_AGENT
        if of_check or not environ["PATH_INFO"].startswith("/v2"):
            return self._application(environ, start_response)
        body = _Counted(environ["wsgi.input"])

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            method = environ["REQUEST_METHOD"]
            self._trace.note(
                {
                    "method": method,
                    "host": environ.get("HTTP_HOST", ""),
                    "path": environ["PATH_INFO"],
                    "status": int(status[:3]),
                    "bytes_in": body.count,
                    "bytes_out": 0 if method == "HEAD" else _length(headers),
                }
            )
            return start_response(status, headers, *rest)

        environ["wsgi.input"] = body  # in place: what the application leaves in it is logged
        return self._application(environ, start)


def _length(headers: list[tuple[str, str]]) -> int:
    """The bytes of a body that every answer of the registries announces."""
    return next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
