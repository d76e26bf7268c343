"""HTTP answers of the stand-in hub, and the errors in them.

Error codes: https://distribution.github.io/distribution/spec/api/#errors-2
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

StartResponse = Callable[..., Any]

_REASONS = {
    200: "OK",
    206: "Partial Content",
    304: "Not Modified",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    416: "Requested Range Not Satisfiable",
    429: "Too Many Requests",
    500: "Internal Server Error",
}


@dataclass(frozen=True)
class Answer:
    """A status, headers and a body; `send` answers a WSGI request with it."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def send(self, method: str, start_response: StartResponse) -> Iterable[bytes]:
        """Content-Length is that of the body, for HEAD too, which sends none."""
        headers = {"Docker-Distribution-Api-Version": "registry/2.0", **self.headers}
        if self.status != 304:
            headers["Content-Length"] = str(len(self.body))
        start_response(f"{self.status} {_REASONS[self.status]}", list(headers.items()))
        return [] if method == "HEAD" or self.status == 304 else [self.body]


class HubError(Exception):
    """A refusal, raised where the fact is known and rendered by `answer`."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        detail: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.detail = detail
        self.headers = dict(headers or {})

    def answer(self) -> Answer:
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.detail is not None:
            error["detail"] = self.detail
        return document(self.status, {"errors": [error]}, self.headers)


def document(
    status: int, content: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> Answer:
    """`content` as JSON."""
    body = json.dumps(content, separators=(",", ":")).encode() + b"\n"
    return Answer(status, body, {"Content-Type": "application/json", **(headers or {})})
