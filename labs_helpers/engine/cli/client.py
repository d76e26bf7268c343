"""Client of the engine's API, for the stand-in docker.

Source: https://docs.docker.com/reference/api/engine/
"""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from labs_helpers.runtime.shims import NOT_RUNNING
from labs_helpers.runtime.unix_http import UnixConnection, error_message, exchange

API_VERSION = "1.50"
"""The newest API version of this client; a lower version of the engine is used instead."""

_PORTION = 64 * 1024
DEFAULT_HOST = "unix:///var/run/docker.sock"

Query = Mapping[str, str | Sequence[str]]


class Failure(Exception):
    """A command ends with the exit status ``code``; ``message`` goes to stderr unless empty."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.message, self.code = message, code


class ResponseError(Failure):
    """The engine refused a request: ``reason`` is its message, ``status`` the HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(f"Error response from daemon: {message}")
        self.reason, self.status = message, status


class EngineClient:
    """The engine that DOCKER_HOST names (``unix://path`` or ``tcp://host:port``)."""

    def __init__(self, host: str | None = None) -> None:
        self.host = host or os.environ.get("DOCKER_HOST") or DEFAULT_HOST
        self._version = ""

    @property
    def version(self) -> str:
        """The API version of both sides, requested from the engine once."""
        if not self._version:
            response = self._send("HEAD", "/_ping")
            response.read()
            theirs = response.headers.get("Api-Version") or API_VERSION
            self._version = min(theirs, API_VERSION, key=_numbers)
        return self._version

    def json(
        self,
        path: str,
        query: Query | None = None,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """The decoded JSON of a response. Raises ResponseError for an error status."""
        with self._request(method, path, query, headers) as response:
            body = response.read()
        return json.loads(body) if body.strip() else None

    def content(self, path: str, headers: Mapping[str, str]) -> bytes:
        """The bytes of a response to GET. Raises ResponseError for an error status."""
        with self._request("GET", path, None, headers) as response:
            return response.read()

    def post(self, path: str, document: object, query: Query | None = None) -> Any:
        """POST a JSON document; return the decoded response. Raises ResponseError."""
        headers = {"Content-Type": "application/json"}
        with self._request("POST", path, query, headers, json.dumps(document).encode()) as response:
            body = response.read()
        return json.loads(body) if body.strip() else None

    def action(self, path: str, method: str = "POST") -> None:
        """Send a request whose response has no body of interest. Raises ResponseError."""
        with self._request(method, path) as response:
            response.read()

    def begin(self, path: str) -> Callable[[], Any]:
        """POST, and return once the response has begun; the result waits for its document."""
        response = self._request("POST", path)

        def document() -> Any:
            with response:
                return json.loads(response.read())

        return document

    def hijack(self, path: str, document: object) -> tuple[socket.socket, bytes]:
        """POST, and take over the connection: the socket, and what has come already.

        Raises:
            ResponseError: the engine refuses.
        """
        body = b"" if document is None else json.dumps(document).encode()
        lines = [
            f"POST /v{self.version}{path} HTTP/1.1",
            "Host: docker",
            "Connection: Upgrade",
            "Upgrade: tcp",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        ]
        connection = self._connection()
        try:
            connection.connect()
        except OSError as error:
            raise self._unreachable(error) from error
        # http.client would read ahead, and keep what belongs to the stream
        taken: socket.socket = connection.sock
        taken.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        answer = b""
        while b"\r\n\r\n" not in answer:
            data = taken.recv(_PORTION)
            if not data:
                raise Failure("error during connect: the engine closed the connection")
            answer += data
        head, _, early = answer.partition(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        if status < 400:
            return taken, early
        with taken:
            length = re.search(rb"(?i)content-length: (\d+)", head)
            while length and len(early) < int(length[1]) and (data := taken.recv(_PORTION)):
                early += data
        raise ResponseError(error_message(early), status)

    def messages(
        self,
        path: str,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | Iterable[bytes] | None = None,
    ) -> Iterator[dict[str, Any]]:
        """POST, and yield the JSON objects of the response as they arrive. Raises ResponseError."""
        with self._request("POST", path, query, headers, body) as response:
            for line in response:
                if line.strip():
                    yield json.loads(line)

    def download(self, path: str, query: Query) -> http.client.HTTPResponse:
        """The response of a GET, whose body has not been read. Raises ResponseError."""
        return self._request("GET", path, query)

    def upload(self, path: str, query: Query, body: Iterable[bytes]) -> None:
        """PUT. Raises ResponseError."""
        self._request("PUT", path, query, {"Content-Type": "application/x-tar"}, body).read()

    def header(self, path: str, query: Query, name: str) -> str:
        """A header of the answer to HEAD. Raises ResponseError, without words of the engine."""
        return self._request("HEAD", path, query).headers.get(name) or ""

    def _request(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | Iterable[bytes] | None = None,
    ) -> http.client.HTTPResponse:
        target = f"/v{self.version}{path}"
        if query:
            target += "?" + urlencode(query, doseq=True)
        response = self._send(method, target, headers, body)
        if response.status >= 400:
            raise ResponseError(error_message(response.read()), response.status)
        return response

    def _send(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | Iterable[bytes] | None = None,
    ) -> http.client.HTTPResponse:
        connection = self._connection()
        try:
            connection.connect()
        except OSError as error:
            raise self._unreachable(error) from error
        try:
            return exchange(connection, method, target, headers, body)
        except (OSError, http.client.HTTPException) as error:
            raise Failure(f"error during connect: {error or type(error).__name__}") from error

    def _connection(self) -> http.client.HTTPConnection:
        scheme, _, rest = self.host.partition("://")
        if scheme == "unix":
            return UnixConnection(rest)
        if scheme in {"tcp", "http"}:
            return http.client.HTTPConnection(rest.rstrip("/"))
        raise Failure(f"unable to parse docker host `{self.host}`")

    def _unreachable(self, error: OSError) -> Failure:
        if isinstance(error, PermissionError):
            return Failure(
                f"permission denied while trying to connect to the docker API at {self.host}"
            )
        if isinstance(error, FileNotFoundError):
            return Failure(
                f"failed to connect to the docker API at {self.host}; check if the path is correct"
                f" and if the daemon is running: dial unix {self.host.partition('://')[2]}:"
                f" connect: no such file or directory. {NOT_RUNNING}"
            )
        return Failure(
            f"Cannot connect to the Docker daemon at {self.host}. Is the docker daemon running?"
            f" {NOT_RUNNING}"
        )


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]
