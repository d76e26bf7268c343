"""A client of an upstream registry, for the pull through cache: tokens, manifests and blobs.

The upstream is a WSGI application of this process, the stand-in for Docker Hub and ECR Public: the
sandbox's process connects nowhere.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import urlencode
from wsgiref.types import WSGIApplication, WSGIEnvironment
from wsgiref.util import setup_testing_defaults

from labs_helpers.oci import media_types
from labs_helpers.sandbox.ecr.cache_rules import Credentials

Ask = Callable[[str, str, str, Mapping[str, str]], tuple[int, Mapping[str, str], bytes]]
"""(host, path, query, headers) -> (status, headers by lower-case name, body) of a GET."""

_ACCEPT = ", ".join(sorted({*media_types.INDEXES, *media_types.MANIFESTS}))


def asking(application: WSGIApplication) -> Ask:
    """Ask a WSGI application of this process."""

    def ask(
        host: str, path: str, query: str, headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], bytes]:
        environ: WSGIEnvironment = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "HTTP_HOST": host,
            "REMOTE_ADDR": "127.0.0.1",
        }
        for name, value in headers.items():
            environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
        setup_testing_defaults(environ)
        answered: dict[str, Any] = {}

        def start(status: str, given: list[tuple[str, str]], *_: Any) -> Callable[[bytes], object]:
            answered["status"] = int(status.split()[0])
            answered["headers"] = {name.lower(): value for name, value in given}
            return BytesIO().write

        body = b"".join(application(environ, start))
        return answered["status"], answered["headers"], body

    return ask


class UpstreamError(Exception):
    """The upstream refuses: HTTP status, its code and its message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True)
class Upstream:
    """One upstream registry, as one account or, for None, as nobody."""

    ask: Ask
    host: str
    account: Credentials | None = None

    def manifest(self, repository: str, reference: str) -> tuple[str, bytes]:
        """The media type and the bytes of a manifest, by tag or digest; raises UpstreamError."""
        path = f"/v2/{repository}/manifests/{reference}"
        headers, body = self._get(path, repository, {"Accept": _ACCEPT})
        return headers.get("content-type", ""), body

    def blob(self, repository: str, digest: str) -> BytesIO:
        """A layer or a configuration; raises UpstreamError."""
        _, body = self._get(f"/v2/{repository}/blobs/{digest}", repository, {})
        return BytesIO(body)

    def log_in(self) -> None:
        """Raise UpstreamError unless the upstream knows the account."""
        self._token("")

    def _get(
        self, path: str, repository: str, headers: Mapping[str, str]
    ) -> tuple[Mapping[str, str], bytes]:
        token = self._token(repository)
        headers = {**headers, "Authorization": f"Bearer {token}"}
        return self._checked(*self.ask(self.host, path, "", headers))

    def _token(self, repository: str) -> str:
        headers = {}
        if self.account:
            pair = f"{self.account.username}:{self.account.access_token}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        query = urlencode({"scope": f"repository:{repository}:pull"} if repository else {})
        _, body = self._checked(*self.ask(self.host, "/token", query, headers))
        return str(json.loads(body)["token"])

    def _checked(
        self, status: int, headers: Mapping[str, str], body: bytes
    ) -> tuple[Mapping[str, str], bytes]:
        if status == 200:
            return headers, body
        code, message = "UNKNOWN", f"the upstream answered {status}"
        try:
            first = json.loads(body)["errors"][0]
            code, message = str(first["code"]), str(first["message"])
        except (ValueError, LookupError, TypeError):
            pass  # not in the form of a registry's errors: the status says enough
        raise UpstreamError(status, code, message)
