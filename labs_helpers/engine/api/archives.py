"""Copies of files into and out of a container: ``docker cp``.

Source: https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Container/operation/ContainerArchive
"""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO

from ..errors import BadRequest, EngineError, NotSupported
from ..machine import PROOT
from ..streams import chunks
from . import Backend
from .http import Request, Response

_PORTION = 64 * 1024


class _Refused(EngineError):
    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def stat(request: Request, backend: Backend, name: str) -> Response:
    """``HEAD /containers/NAME/archive``."""
    connection, stream, found = _open(request, backend, name, "stat")
    with connection, stream:
        return Response(200, [], headers=_header(found))


def get(request: Request, backend: Backend, name: str) -> Response:
    """``GET /containers/NAME/archive``: a tar."""
    connection, stream, found = _open(request, backend, name, "get")
    _note(request, backend, name, "archive-path")

    def body() -> Iterator[bytes]:
        with connection, stream:
            while data := stream.read(_PORTION):
                yield data

    return Response(200, body(), "application/x-tar", _header(found))


def put(request: Request, backend: Backend, name: str) -> Response:
    """``PUT /containers/NAME/archive``: unpack a tar into a folder."""
    connection, stream, _ = _open(request, backend, name, "put")
    with connection, stream:
        try:
            for data in chunks(request.body):
                connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        except BrokenPipeError:
            pass  # refused before the end; the answer says why
        _answer(stream)
    _note(request, backend, name, "extract-to-dir")
    return Response(200, [], "text/plain")


def _note(request: Request, backend: Backend, name: str, action: str) -> None:
    container = backend.containers.records.find(name)
    backend.containers.emit(container, action, path=request.text("path"))


def _open(
    request: Request, backend: Backend, name: str, mode: str
) -> tuple[socket.socket, BinaryIO, dict[str, Any]]:
    path = request.text("path")
    if not path:
        raise BadRequest("bad parameter: path cannot be empty")
    containers = backend.containers
    container = containers.records.find(name)
    if containers.isolation.kind == PROOT:
        raise NotSupported(
            f"the labs engine refuses docker cp: {containers.isolation.sentence}. Use a volume, or"
            " docker exec"
        )
    containers.ensure_specified(container)
    ours, theirs = socket.socketpair()
    with theirs:
        asked = {
            **{"do": "archive", "id": container.id, "mode": mode, "path": path},
            "keep_kinds": request.flag("noOverwriteDirNonDir"),
            "keep_owners": request.flag("copyUIDGID"),
        }
        containers.link.ask(asked, theirs.fileno())
    stream = ours.makefile("rb")
    return ours, stream, _answer(stream)["stat"]


def _answer(stream: BinaryIO) -> dict[str, Any]:
    line = stream.readline()
    if not line:
        raise EngineError("the copy ended before its answer; the log is containers/keeper.log")
    answer: dict[str, Any] = json.loads(line)
    if "error" in answer:
        raise _Refused(answer["error"], answer["status"])
    return answer


def _header(found: dict[str, Any]) -> dict[str, str]:
    date = datetime.fromtimestamp(found.pop("modified"), UTC).isoformat()
    text = json.dumps({**found, "mtime": date.replace("+00:00", "Z")}).encode()
    return {"X-Docker-Container-Path-Stat": base64.b64encode(text).decode()}
