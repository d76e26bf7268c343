"""The labs' engine, as the runner asks it: the Docker Engine API on the engine's socket.

https://docs.docker.com/reference/api/engine/version/v1.47/
"""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from labs_helpers.runtime.unix_http import UnixConnection, error_message, exchange

_SECONDS = 120.0
_HEADER = 8
"""Bytes before each part of the output of a container without a terminal: the stream, the length.

https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Container/operation/ContainerAttach
"""


class EngineRefused(Exception):
    """The engine refused; status: of the response, 0 where no engine answers."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Engine:
    """Thread-safe: each request has a connection of its own."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        login: Mapping[str, str] | None = None,
        seconds: float | None = _SECONDS,
    ) -> Any:
        """The JSON of a response, None for an empty one. Raises EngineRefused."""
        with self._open(method, path, query, body, login, seconds) as answer:
            content = answer.read()
        return json.loads(content) if content.strip() else None

    def pull(self, name: str, tag: str, platform: str, login: Mapping[str, str] | None) -> None:
        """Pull an image by a tag or digest; platform: empty for the machine's own."""
        query = {"fromImage": name, "tag": tag, **({"platform": platform} if platform else {})}
        with self._open("POST", "/images/create", query, None, login, None) as answer:
            for line in answer:
                if line.strip() and (error := json.loads(line).get("error")):
                    raise EngineRefused(500, str(error))

    def output(self, container: str) -> Iterator[bytes]:
        """What a container writes, until it ends."""
        query = {"follow": "1", "stdout": "1", "stderr": "1"}
        path = f"/containers/{container}/logs"
        with self._open("GET", path, query, None, None, None) as answer:
            yield from _frames(answer)

    def exec_output(self, program: str) -> Iterator[bytes]:
        """Start a program that joins a container, and return what it writes."""
        body = {"Detach": False, "Tty": False}
        with self._open("POST", f"/exec/{program}/start", None, body, None, None) as answer:
            yield from _frames(answer)

    def wait(self, container: str) -> int:
        """The exit status of a container, once it has ended."""
        found = self.ask("POST", f"/containers/{container}/wait", seconds=None)
        return int(found["StatusCode"])

    def _open(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: Any,
        login: Mapping[str, str] | None,
        seconds: float | None,
    ) -> _Answer:
        connection = UnixConnection(self._socket, seconds)
        headers = {"Content-Type": "application/json"}
        if login is not None:
            text = json.dumps(dict(login)).encode()
            headers["X-Registry-Auth"] = base64.urlsafe_b64encode(text).decode()
        # without a version, since the daemon behind a front refuses a version later than its own
        target = path + (f"?{urlencode(query)}" if query else "")
        sent = b"" if body is None else json.dumps(body).encode()
        try:
            response = exchange(connection, method, target, headers, sent)
            if response.status >= 400:
                raise EngineRefused(response.status, error_message(response.read()))
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise EngineRefused(0, f"the labs' engine does not answer: {error}") from error
        except EngineRefused:
            connection.close()
            raise
        return _Answer(connection, response)


class _Answer:
    """A response with its connection, which closes with the block."""

    def __init__(
        self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse
    ) -> None:
        self._connection = connection
        self._response = response

    def __enter__(self) -> http.client.HTTPResponse:
        return self._response

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def _frames(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    """The parts of an output, without their headers."""
    while len(head := answer.read(_HEADER)) == _HEADER:
        yield answer.read(int.from_bytes(head[4:], "big"))


def quoted(reference: str) -> str:
    """A reference as a part of a path."""
    return quote(reference, safe="/:@")
