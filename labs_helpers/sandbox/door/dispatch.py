"""Which application answers a request: by the Host header, then by the path."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from labs_helpers.files import NO_ROOM, is_full
from labs_helpers.sandbox import request_log, sigv4
from labs_helpers.sandbox.door.gateway import request_of
from labs_helpers.sandbox.door.http import CLIENT_GONE
from labs_helpers.sandbox.door.scope import regions
from labs_helpers.sandbox.hosts import Site, region_of_git, region_of_registry, site_of

log = logging.getLogger(__name__)

CONTROL = "/_labs/"
LAYERS = "/_labs/layers/"
MOTO_CONTROL = "/moto-api"

LARGEST_BODY = 1024 * 1024
"""Bytes of a request to what takes no content: the hub, the control API, the URLs of layers."""


@dataclass(frozen=True)
class Dispatch:
    """WSGI: the applications behind the sandbox's one port, and a log line for each request."""

    control: WSGIApplication
    layers: WSGIApplication
    registry: WSGIApplication
    hub: WSGIApplication
    git: WSGIApplication
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
        except Exception as error:
            log.exception("the request %s failed", request_log.id_of(environ))
            if is_full(error):
                return say(507, NO_ROOM)(environ, start)
            return say(500, "the sandbox failed at this; sandbox.log says where")(environ, start)

    def _choose(self, environ: WSGIEnvironment) -> WSGIApplication:
        path = environ["PATH_INFO"]
        site = site_of(environ.get("HTTP_HOST", ""))
        if site is Site.FOREIGN:
            return say(421, "the sandbox answers to AWS, Docker Hub and loopback names only")
        takes_content = site is not Site.HUB and not path.startswith((LAYERS, CONTROL))
        if not takes_content and int(environ.get("CONTENT_LENGTH") or 0) > LARGEST_BODY:
            return say(413, f"a request to this address has at most {LARGEST_BODY} bytes")
        if site is Site.HUB:
            return self.hub
        if region_of_git(environ["HTTP_HOST"]) in regions():
            return self.git
        if path.startswith(LAYERS):
            return self.layers
        if path.startswith(CONTROL):
            if site is Site.LOOPBACK:
                return self.control
            return say(404, "the control API answers on loopback names only")
        if path.startswith(MOTO_CONTROL):
            return say(404, "there is no such thing here")
        if path == "/v2" or path.startswith("/v2/"):
            # SES's second version has paths below /v2/ too, and signs them
            if sigv4.is_signed(request_of(environ)):
                return self.aws
            return self._registry(environ["HTTP_HOST"])
        return self.aws

    def _registry(self, host: str) -> WSGIApplication:
        """The registry; where AWS has no such region, what a client reads instead of its DNS."""
        region = region_of_registry(host)
        if region is None or region in regions():
            return self.registry
        words = f"lookup {host}: no such host; AWS has no region {region}, check its spelling"
        return _answer(421, {"errors": [{"code": "UNKNOWN", "message": words}]})


def say(code: int, message: str) -> WSGIApplication:
    """An application that answers every request with one JSON error."""
    return _answer(code, {"error": message})


def _answer(code: int, document: object) -> WSGIApplication:
    body = json.dumps(document).encode() + b"\n"

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response(f"{code} {HTTPStatus(code).phrase}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    return application
