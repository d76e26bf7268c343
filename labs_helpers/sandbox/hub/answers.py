"""HTTP answers of the stand-in hub, and its errors.

Error codes: https://distribution.github.io/distribution/spec/api/#errors-2
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

StartResponse = Callable[..., Any]


@dataclass(frozen=True)
class Answer:
    """A status, headers and a body."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def send(self, method: str, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a WSGI request. HEAD gets the Content-Length of the body that GET would get."""
        headers = {"Docker-Distribution-Api-Version": "registry/2.0", **self.headers}
        if self.status != 304:
            headers["Content-Length"] = str(len(self.body))
        start_response(f"{self.status} {HTTPStatus(self.status).phrase}", list(headers.items()))
        return [] if method == "HEAD" or self.status == 304 else [self.body]


class HubError(Exception):
    """A refusal with an OCI error code. Its `answer` is the HTTP answer."""

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
        return json_answer(self.status, {"errors": [error]}, self.headers)


def json_answer(
    status: int, content: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> Answer:
    """An answer with `content` as its JSON body."""
    body = json.dumps(content, separators=(",", ":")).encode() + b"\n"
    return Answer(status, body, {"Content-Type": "application/json", **(headers or {})})
