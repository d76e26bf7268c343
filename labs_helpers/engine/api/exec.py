"""Operations about programs that join a running container.

Source: https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Exec
"""

from __future__ import annotations

import socket

from ..containers import exec as execs
from ..containers.exec import Exec
from ..containers.starting import CannotRun
from ..errors import BadRequest, NotFound
from . import Backend, bodies
from .containers import FRAMED, RAW, detach_keys
from .http import Request, Response, error_response, json_response, raw_response


def create(request: Request, backend: Backend, name: str) -> Response:
    """``POST /containers/NAME/exec``."""
    container = backend.containers.records.find(name)
    made = backend.execs.create(container, bodies.read(request, bodies.EXEC))
    return json_response({"Id": made.id}, 201)


def start(request: Request, backend: Backend, name: str) -> Response:
    """``POST /exec/NAME/start``: the connection becomes the program's streams."""
    body = bodies.read(request, bodies.EXEC_START) or {}
    instance = _find(backend, name)
    if body.get("Detach"):
        backend.execs.start(instance)
        return Response(200, [], "text/plain")
    if body.get("ConsoleSize"):
        instance.config["ConsoleSize"] = body["ConsoleSize"]
    config = instance.config
    # a terminal's output comes in frames, too, for a client that does not ask for a terminal here
    tty = config["Raw"] = bool(body.get("Tty"))
    streams = [s for s in ("stdin", "stdout", "stderr") if config.get(f"Attach{s.title()}")]
    keys = detach_keys(str(config.get("DetachKeys") or "")) if tty else b""

    def take(connection: socket.socket, early: bytes) -> None:
        ours = connection.dup()
        backend.containers.attach(instance.id, connection, streams, keys, early)
        try:
            backend.execs.start(instance)
        except CannotRun as error:
            # the head is sent: as dockerd, say it in the stream
            with ours:
                data = f"{error}\r\n".encode()
                ours.sendall(data if tty else b"\1\0\0\0" + len(data).to_bytes(4, "big") + data)
        finally:
            ours.close()

    return raw_response(request, RAW if tty else FRAMED, take)


def inspect(request: Request, backend: Backend, name: str) -> Response:
    """``GET /exec/NAME/json``."""
    found = _find(backend, name)
    backend.execs.settle(found)
    return json_response(execs.describe(found))


def resize(request: Request, backend: Backend, name: str) -> Response:
    """``POST /exec/NAME/resize``."""
    instance = _find(backend, name)
    rows, columns = request.text("h"), request.text("w")
    if not all(each.isdecimal() and int(each[:6]) < 1 << 16 for each in (rows, columns)):
        raise BadRequest("the size of a terminal is h and w, two numbers up to 65535")
    if not backend.execs.is_running(instance):
        return error_response(409, f"container {instance.container.id} is not running")
    backend.containers.resize(instance.id, int(rows), int(columns))
    return Response(200, [], "text/plain")


def _find(backend: Backend, name: str) -> Exec:
    """The program with an ID. Raises NotFound, also for one in a container of another owner's."""
    found = backend.execs.find(name)
    if backend.owner and found.container.owner != backend.owner:
        raise NotFound(f"No such exec instance: {name}")
    return found
