"""A hub without a socket: requests go straight to the WSGI application."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from wsgiref.util import setup_testing_defaults

from labs_helpers.sandbox.hub.app import HubApp


@dataclass(frozen=True)
class Response:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["errors"][0]["code"])


class Hub:
    """A client of the hub; a test decides whether it follows the token flow."""

    def __init__(self, app: HubApp, host: str = "registry-1.docker.io") -> None:
        self.app = app
        self.host = host

    def send(self, method: str, path: str, host: str = "", **headers: str) -> Response:
        path, _, query = path.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "HTTP_HOST": host or self.host,
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.input": io.BytesIO(),
            **{f"HTTP_{name.upper()}": value for name, value in headers.items()},
        }
        setup_testing_defaults(environ)
        started: list[tuple[str, list[tuple[str, str]]]] = []
        body = b"".join(self.app(environ, lambda status, fields: started.append((status, fields))))
        status, fields = started[0]
        return Response(int(status.split()[0]), {k.lower(): v for k, v in fields}, body)

    def get(self, path: str, host: str = "", **headers: str) -> Response:
        return self.send("GET", path, host, **headers)

    def token(self, name: str = "library/nginx", **headers: str) -> str:
        scope = quote(f"repository:{name}:pull")
        query = f"service=registry.docker.io&scope={scope}"
        return str(self.get(f"/token?{query}", "auth.docker.io", **headers).json["token"])

    def pull(self, path: str, method: str = "GET", token: str = "", **headers: str) -> Response:
        """A request with a token for the repository that the path names."""
        name = path.removeprefix("/v2/").rsplit("/", 2)[0]
        bearer = f"Bearer {token or self.token(name)}"
        return self.send(method, path, authorization=bearer, **headers)
