"""Where the programs of a task find the credentials of the task role.

On AWS that is 169.254.170.2, by AWS_CONTAINER_CREDENTIALS_RELATIVE_URI. A container of the labs'
engine reaches a port of this machine's loopback instead, by AWS_CONTAINER_CREDENTIALS_FULL_URI,
which SDKs take for loopback addresses:
https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html

The path is a secret of the task: where containers share the machine's network, as under PRoot,
other tasks and users reach the port as well.
"""

from __future__ import annotations

import hmac
import json
import secrets
import threading
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from wsgiref.types import StartResponse, WSGIEnvironment

from labs_helpers.runtime.http_server import PatientServer

_SECONDS = 10
_WAITING = 128
_MOST = 4
"""Requests that are answered at once: the programs of one task ask once in some minutes."""


class Credentials:
    """A server of one task's credentials on a free port, until `close`."""

    def __init__(self, keys: Mapping[str, str], role: str) -> None:
        self._path = f"/v2/credentials/{secrets.token_urlsafe(24)}"
        self._document = {
            "RoleArn": role,
            "AccessKeyId": keys["AWS_ACCESS_KEY_ID"],
            "SecretAccessKey": keys["AWS_SECRET_ACCESS_KEY"],
            "Token": keys["AWS_SESSION_TOKEN"],
        }
        self._server = PatientServer(
            ("127.0.0.1", 0),
            self._answer,
            threads=1,
            most_threads=_MOST,
            timeout=_SECONDS,
            request_queue_size=_WAITING,
        )
        self._server.prepare()
        threading.Thread(target=self._server.serve, daemon=True).start()
        self.port = int(self._server.bind_addr[1])
        self.url = f"http://127.0.0.1:{self.port}{self._path}"

    def close(self) -> None:
        self._server.stop()

    def _answer(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        given = environ["PATH_INFO"].encode("latin-1", "replace")
        known = hmac.compare_digest(given, self._path.encode())
        if environ["REQUEST_METHOD"] != "GET" or not known:
            start("404 Not Found", [("Content-Length", "0")])
            return []
        ends = datetime.now(UTC) + timedelta(hours=6)
        found = {**self._document, "Expiration": ends.strftime("%Y-%m-%dT%H:%M:%SZ")}
        body = json.dumps(found).encode()
        start("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]
