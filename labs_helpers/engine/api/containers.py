"""Operations about containers: create, start, stop, list, inspect, logs, wait, remove.

Source: https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Container
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from ..containers import describe, logs, options, spec
from ..containers.ending import waiter
from ..containers.record import Container
from ..containers.stopping import signal_number
from ..errors import BadRequest
from ..events import CONTAINER
from ..private_stores import Ended
from . import Backend, bodies
from .container_filters import CONTAINER_FILTERS, PRUNE_FILTERS, is_listed, is_pruned
from .filters import check
from .http import Request, Response, json_response, moment, raw_response
from .images import named_image
from .isolated import checked_settings
from .long_responses import long_response

RAW = "application/vnd.docker.raw-stream"
FRAMED = "application/vnd.docker.multiplexed-stream"
_DIGITS = 18
"""Of the largest number that is taken; 64 bits have one digit more."""
_NOTHING = Response(204, [], "text/plain")


def create(request: Request, backend: Backend) -> Response:
    """``POST /containers/create``. Raises NoSuchImage, which makes a client pull."""
    given = bodies.read(request, bodies.CONTAINER)
    if request.isolated:
        binds = backend.containers.isolation.has_namespaces
        given = checked_settings(request.isolated, given, binds)
    body = options.check(given)
    if request.isolated and request.isolated.folder:
        # its programs are programs of the build that asks
        host = {**body["HostConfig"], "Annotations": {spec.BUILD: str(request.isolated.folder)}}
        body = {**body, "HostConfig": host}
    name = str(body.get("Image") or "")
    image = named_image(name, backend.store) if name else backend.store.find(name)
    made = backend.containers.create(request.text("name"), body, image, backend.owner)
    try:
        backend.store_of(backend.owner)
    except Ended:
        # what ends a build has perhaps looked for its containers before this one was there
        backend.containers.remove(made, force=True, with_volumes=True)
        raise
    return json_response({"Id": made.id, "Warnings": []}, 201)


def list_containers(request: Request, backend: Backend) -> Response:
    """``GET /containers/json``. Raises NotFound for a filter that names no container."""
    filters = check(request.filters(), CONTAINER_FILTERS)
    limit = _integer(request.text("limit") or "0")
    every = (
        request.flag("all")
        or limit > 0
        or bool({"status", "exited", "before", "since"} & set(filters))
    )
    found = sorted(backend.listed(), key=lambda c: c.created, reverse=True)
    shown = [each for each in found if (every or each.is_up) and is_listed(each, filters, backend)]
    documents = [describe.summary(each) for each in shown[: limit if limit > 0 else None]]
    if request.flag("size"):
        for document, each in zip(documents, shown, strict=False):
            document |= backend.containers.sizes(each)
    return json_response(documents)


def inspect(request: Request, backend: Backend, name: str) -> Response:
    """``GET /containers/NAME/json``."""
    found = _find(backend, name)
    backend.containers.settle(found)
    document = describe.inspection(found, backend.containers.records.path(found))
    if request.flag("size"):
        document |= backend.containers.sizes(found)
    return json_response(document)


def start(request: Request, backend: Backend, name: str) -> Response:
    """``POST /containers/NAME/start``."""
    found = _find(backend, name)
    if found.is_up:
        return Response(304, [], "text/plain")
    backend.containers.start(found)
    return _NOTHING


def stop(request: Request, backend: Backend, name: str) -> Response:
    """``POST /containers/NAME/stop``."""
    stopped = backend.containers.stopper.stop(
        _find(backend, name), _grace(request), _signal(request)
    )
    return _NOTHING if stopped else Response(304, [], "text/plain")


def restart(request: Request, backend: Backend, name: str) -> Response:
    """``POST /containers/NAME/restart``."""
    found = _find(backend, name)
    backend.containers.stopper.stop(found, _grace(request), _signal(request))
    backend.containers.start(found)
    backend.containers.emit(found, "restart")
    return _NOTHING


def kill(request: Request, backend: Backend, name: str) -> Response:
    """``POST /containers/NAME/kill``."""
    number = signal_number(request.text("signal") or "SIGKILL")
    backend.containers.stopper.kill(_find(backend, name), number)
    return _NOTHING


def rename(request: Request, backend: Backend, name: str) -> Response:
    """``POST /containers/NAME/rename``."""
    found, new = _find(backend, name), request.text("name").removeprefix("/")
    if not new:
        raise BadRequest("Neither old nor new names may be empty")
    if new == found.name:
        raise BadRequest("Renaming a container with the same name as its current name")
    backend.containers.rename(found, new)
    return _NOTHING


def remove(request: Request, backend: Backend, name: str) -> Response:
    """``DELETE /containers/NAME``."""
    backend.containers.remove(_find(backend, name), request.flag("force"), request.flag("v"))
    return _NOTHING


def prune(request: Request, backend: Backend) -> Response:
    """``POST /containers/prune``."""
    filters = check(request.filters(), PRUNE_FILTERS)
    removed, freed = [], 0
    for each in backend.listed():
        if not each.is_up and is_pruned(each, filters):
            freed += backend.containers.sizes(each)["SizeRw"]
            backend.containers.remove(each)
            removed.append(each.id)
    backend.events.emit(CONTAINER, "prune", "", {"reclaimed": str(freed)})
    return json_response({"ContainersDeleted": removed or None, "SpaceReclaimed": freed})


def wait(request: Request, backend: Backend, name: str) -> Response:
    """``POST /containers/NAME/wait``: headers at once, the status when the condition holds."""
    condition = request.text("condition") or "not-running"
    if condition not in ("not-running", "next-exit", "removed"):
        raise BadRequest(f'invalid condition: "{condition}"')
    found = _find(backend, name)
    status = waiter(backend.containers.records, found, condition)

    def document() -> Iterator[bytes]:
        while (code := status(request.is_gone)) is None:
            yield b""
        yield json.dumps({"StatusCode": code}).encode() + b"\n"

    return long_response(document(), "application/json")


def read_logs(request: Request, backend: Backend, name: str) -> Response:
    """``GET /containers/NAME/logs``."""
    found = _find(backend, name)
    streams = frozenset(s for s in ("stdout", "stderr") if request.flag(s))
    if not streams:
        raise BadRequest("You must choose at least one stream")
    tail = request.text("tail")
    wanted = logs.Wanted(
        streams=streams,
        since=moment(request.text("since")) or 0.0,
        until=moment(request.text("until")) or float("inf"),
        tail=int(tail[:_DIGITS]) if tail.isdecimal() else -1,
        timestamps=request.flag("timestamps"),
        framed=not found.tty,
    )
    path = backend.containers.records.path(found) / "log"
    kind = RAW if found.tty else FRAMED
    if not request.flag("follow"):
        return Response(200, logs.read(path, wanted), kind)
    follow = logs.read(path, wanted, lambda: found.is_up, request.is_gone)
    return long_response(follow, kind)


def attach(request: Request, backend: Backend, name: str) -> Response:
    """``POST /containers/NAME/attach``: the connection becomes the container's streams."""
    found = _find(backend, name)
    streams = [s for s in ("stdin", "stdout", "stderr") if request.flag(s)]
    if "stdin" in streams and not found.config.get("OpenStdin"):
        streams.remove("stdin")
    old = b"".join(_old_output(request, backend, found)) if request.flag("logs") else b""
    backend.containers.emit(found, "attach")
    keys = detach_keys(request.text("detachKeys")) if found.tty else b""

    def take(connection: Any, early: bytes) -> None:
        connection.sendall(old)
        if not request.flag("stream"):
            connection.close()  # a client reads to the end, also of the old output alone
            return
        backend.containers.attach(found.id, connection, streams, keys, early)

    kind = RAW if found.tty else FRAMED
    return raw_response(request, kind, take, backend.containers.attaching.client(found.id))


def _old_output(request: Request, backend: Backend, found: Container) -> Iterator[bytes]:
    streams = frozenset(s for s in ("stdout", "stderr") if request.flag(s))
    path = backend.containers.records.path(found) / "log"
    return logs.read(path, logs.Wanted(streams, framed=not found.tty))


def resize(request: Request, backend: Backend, name: str) -> Response:
    """``POST /containers/NAME/resize``."""
    found = _find(backend, name)
    rows, columns = _integer(request.text("h")), _integer(request.text("w"))
    backend.containers.resize(found.id, rows, columns)
    backend.containers.emit(found, "resize", height=str(rows), width=str(columns))
    return Response(200, [], "text/plain")


def top(request: Request, backend: Backend, name: str) -> Response:
    """``GET /containers/NAME/top``, with the columns of ``ps -ef``."""
    found = _find(backend, name)
    document = describe.top(found)
    backend.containers.emit(found, "top")
    return json_response(document)


def detach_keys(text: str) -> bytes:
    """The bytes of a sequence such as ``ctrl-p,ctrl-q``, the default. Raises BadRequest."""
    found = bytearray()
    for key in (text or "ctrl-p,ctrl-q").split(","):
        name, letter = key[:5], key[5:]
        if name == "ctrl-" and len(letter) == 1 and letter in "abcdefghijklmnopqrstuvwxyz@[\\]^_":
            found.append(ord(letter.upper()) & 0x1F)
        elif len(key) == 1 and key.isascii():
            found.append(ord(key))
        else:
            raise BadRequest(f"Invalid escape keys ({text}) provided: Unknown character: '{key}'")
    return bytes(found)


def _find(backend: Backend, name: str) -> Container:
    return backend.containers.records.find(name)


def _integer(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]+", text):
        raise BadRequest(f'strconv.Atoi: parsing "{text}": invalid syntax')
    if len(text) > _DIGITS:
        raise BadRequest(f'strconv.Atoi: parsing "{text}": value out of range')
    return int(text)


def _grace(request: Request) -> float | None:
    return float(_integer(request.text("t"))) if request.text("t") else None


def _signal(request: Request) -> int:
    return signal_number(request.text("signal")) if request.text("signal") else 0
