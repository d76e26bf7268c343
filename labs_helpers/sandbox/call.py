"""A call to a service of AWS whose caller is verified, and the answer: what the door hands over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from wsgiref.types import WSGIEnvironment

from labs_helpers.sandbox.identity import Principal
from labs_helpers.sandbox.sigv4 import Request, Signature

HEADERS = "labs.headers"
"""Where in the environ the headers are by their own lower-case names."""

Answer = tuple[str, list[tuple[str, str]], bytes]
"""Status line ("200 OK"), headers, body."""


@dataclass(frozen=True)
class SignedCall:
    """One call; `signature.service` is a signing name in lower case."""

    environ: WSGIEnvironment
    request: Request
    body: bytes
    principal: Principal
    signature: Signature

    @property
    def service(self) -> str:
        return self.signature.service

    @property
    def region(self) -> str:
        return self.signature.region

    @property
    def source_ip(self) -> str:
        return str(self.environ.get("REMOTE_ADDR", ""))


Application = Callable[[SignedCall], Answer]
"""What answers the calls of a service; raises Refusal for an error in the words of AWS."""
