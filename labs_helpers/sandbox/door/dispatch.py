"""Which application answers a request: by the Host header, then by the path."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from labs_helpers.sandbox import request_log, sigv4
from labs_helpers.sandbox.door.gateway import request_of
from labs_helpers.sandbox.door.http import CLIENT_GONE
from labs_helpers.sandbox.door.scope import regions
from labs_helpers.sandbox.hosts import Site, site_of

log = logging.getLogger(__name__)

CONTROL = "/_labs/"
LAYERS = "/_labs/layers/"
MOTO_CONTROL = "/moto-api"


@dataclass(frozen=True)
class Dispatch:
    """WSGI: the applications behind the sandbox's one port, and a log line for each request."""

    control: WSGIApplication
    layers: WSGIApplication
    registry: WSGIApplication
    hub: WSGIApplication
    aws: WSGIApplication

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        began = time.monotonic()
        request_log.begin(environ)

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            request_log.write(environ, status, headers, time.monotonic() - began)
            return start_response(status, headers, *rest)

        try:
            return self._choose(environ)(environ, start)
        except CLIENT_GONE:
            raise  # the client went away, or garbled its body: http.py tells which
        except Exception:
            log.exception("the request %s failed", request_log.id_of(environ))
            return say(500, "the sandbox failed at this; sandbox.log says where")(environ, start)

    def _choose(self, environ: WSGIEnvironment) -> WSGIApplication:
        path = environ["PATH_INFO"]
        site = site_of(environ.get("HTTP_HOST", ""))
        if site is Site.FOREIGN:
            return say(421, "the sandbox answers to AWS, Docker Hub and loopback names only")
        if site is Site.HUB:
            return self.hub
        if path.startswith(LAYERS):
            return self.layers
        if path.startswith(CONTROL):
            if site is Site.LOOPBACK:
                return self.control
            return say(404, "the control API answers on loopback names only")
        if path.startswith(MOTO_CONTROL):
            return say(404, "there is no such thing here")
        if path == "/v2" or path.startswith("/v2/"):
            if (host := _unknown(environ.get("HTTP_HOST", ""))) is not None:
                return say(421, f"lookup {host}: no such host. Check the region in the name.", OCI)
            # SES's second version has paths below /v2/ too, and signs them
            return self.aws if sigv4.is_signed(request_of(environ)) else self.registry
        return self.aws


_REGISTRY = re.compile(r"[0-9]{12}\.dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com")


def _unknown(host: str) -> str | None:
    """The name of a registry in a region that is none, which resolves nowhere; None for any other.

    The words are Go's, as docker shows them: https://pkg.go.dev/net#DNSError
    """
    name = host.lower().partition(":")[0]
    found = _REGISTRY.match(name)
    return name if found is not None and found[1] not in regions() else None


OCI = "errors"
"""The member of an error of the registry: clients of registries read no other."""


def say(code: int, message: str, member: str = "error") -> WSGIApplication:
    """An application that answers every request with one JSON error."""
    told: object = message
    if member == OCI:
        told = [{"code": "UNKNOWN", "message": message}]
    body = json.dumps({member: told}).encode() + b"\n"

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response(f"{code} {HTTPStatus(code).phrase}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    return application
