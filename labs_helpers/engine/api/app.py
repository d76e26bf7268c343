"""The WSGI application: the table of operations, and the response to a failed request."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from labs_helpers.files import is_full
from labs_helpers.oci.reference import InvalidReference
from labs_helpers.runtime.http_bodies import BrokenBody

from ..errors import BadRequest, EngineError
from ..store import BlobError, Conflict, NoSuchImage
from ..streams import chunks
from ..unix_server import CLIENT, HIJACK, IS_GONE
from . import (
    Backend,
    absent,
    archives,
    containers,
    exec,
    image_removal,
    images,
    isolated,
    parameters,
    registries,
    system,
    transfer,
    volumes,
)
from .build_request import build
from .http import Request, Response, error_response, error_text
from .refusals import refuse

log = logging.getLogger(__name__)

StartResponse = Callable[..., Any]
Operation = Callable[..., Response]
"""Called with the request, the backend and the named groups of the path's pattern."""

Route = tuple[str, str, Operation]
"""Method, pattern of the path, operation."""

_NAME = r"(?P<name>.+)"
ROUTES: tuple[Route, ...] = (
    ("GET", r"/_ping", system.ping),
    ("HEAD", r"/_ping", system.ping),
    ("GET", r"/version", system.version),
    ("GET", r"/info", system.info),
    ("POST", r"/auth", registries.auth),
    ("GET", r"/events", system.events),
    ("GET", r"/system/df", system.disk_usage),
    ("GET", r"/containers/json", containers.list_containers),
    ("POST", r"/containers/create", containers.create),
    ("POST", r"/containers/prune", containers.prune),
    ("GET", rf"/containers/{_NAME}/json", containers.inspect),
    ("POST", rf"/containers/{_NAME}/start", containers.start),
    ("POST", rf"/containers/{_NAME}/stop", containers.stop),
    ("POST", rf"/containers/{_NAME}/restart", containers.restart),
    ("POST", rf"/containers/{_NAME}/kill", containers.kill),
    ("POST", rf"/containers/{_NAME}/rename", containers.rename),
    ("POST", rf"/containers/{_NAME}/wait", containers.wait),
    ("POST", rf"/containers/{_NAME}/attach", containers.attach),
    ("POST", rf"/containers/{_NAME}/resize", containers.resize),
    ("GET", rf"/containers/{_NAME}/logs", containers.read_logs),
    ("GET", rf"/containers/{_NAME}/top", containers.top),
    ("DELETE", rf"/containers/{_NAME}", containers.remove),
    ("HEAD", rf"/containers/{_NAME}/archive", archives.stat),
    ("GET", rf"/containers/{_NAME}/archive", archives.get),
    ("PUT", rf"/containers/{_NAME}/archive", archives.put),
    ("POST", rf"/containers/{_NAME}/exec", exec.create),
    ("POST", rf"/exec/{_NAME}/start", exec.start),
    ("POST", rf"/exec/{_NAME}/resize", exec.resize),
    ("GET", rf"/exec/{_NAME}/json", exec.inspect),
    ("GET", r"/networks", absent.networks),
    ("GET", r"/volumes", volumes.list_volumes),
    ("POST", r"/volumes/create", volumes.create),
    ("POST", r"/volumes/prune", volumes.prune),
    ("GET", rf"/volumes/{_NAME}", volumes.inspect),
    ("DELETE", rf"/volumes/{_NAME}", volumes.remove),
    ("GET", r"/plugins", absent.plugins),
    ("POST", r"/networks/prune", absent.prune_networks),
    ("POST", r"/build/prune", absent.prune_build_cache),
    ("GET", r"/images/json", images.list_images),
    ("POST", r"/images/create", transfer.create),
    ("GET", r"/images/get", transfer.save),
    ("POST", r"/images/load", transfer.load),
    ("POST", r"/images/prune", image_removal.prune),
    ("GET", r"/images/search", images.search),
    ("GET", rf"/images/{_NAME}/json", images.inspect),
    ("GET", rf"/images/{_NAME}/history", images.history),
    ("GET", rf"/images/{_NAME}/get", transfer.save),
    ("POST", rf"/images/{_NAME}/tag", images.tag),
    ("POST", rf"/images/{_NAME}/push", transfer.push),
    ("DELETE", rf"/images/{_NAME}", image_removal.delete),
    ("GET", rf"/distribution/{_NAME}/json", registries.distribution),
    ("GET", rf"/distribution/{_NAME}/manifest", registries.manifest),
    ("POST", r"/build", build),
)
"""The operations of the engine; the first route that matches is taken."""

_READ_BODIES = frozenset(
    {build, transfer.create, transfer.load, registries.auth}
    | {containers.create, exec.create, exec.start, volumes.create, archives.put}
)

_VERSION = re.compile(r"/v(\d{1,3})\.(\d{1,3})(?=/)")
_ANY_VERSION = re.compile(r"^/v\d+(\.\d+)+(?=/)")
_STATUS: Mapping[type[Exception], int] = {
    InvalidReference: 400,
    NoSuchImage: 404,
    Conflict: 409,
    BlobError: 400,
}


class App:
    """Answers requests by a table of routes, on a backend.

    With ``any_version``, clients of every API version are answered: in front of a daemon, which
    knows its own versions.
    """

    def __init__(
        self, backend: object, routes: Iterable[Route] = ROUTES, any_version: bool = False
    ) -> None:
        self._backend, self._any_version = backend, any_version
        self._routes = [(method, re.compile(path), operation) for method, path, operation in routes]

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        request = _request(environ)
        response = self._respond(request)
        headers = {
            "Api-Version": system.API_VERSION,
            "Docker-Experimental": "false",
            "Ostype": "linux",
            "Server": system.server_name(),
            "Content-Type": response.content_type,
            **response.headers,
        }
        body = response.body
        if response.take:
            return _hand_over(environ, request, response, headers)
        if isinstance(body, list):
            # an early refusal: read the rest of the request first, or a client that sends all of
            # it before it reads sees a broken pipe instead of the message
            _drain_quietly(request)
            headers["Content-Length"] = str(sum(map(len, body)))
        status = f"{response.status} {HTTPStatus(response.status).phrase}"
        start_response(status, list(headers.items()))
        if request.method == "HEAD":
            return []
        return body if isinstance(body, list) else _stream(body, request)

    def _respond(self, request: Request) -> Response:
        try:
            path = _without_version(request.path, self._any_version)
            for method, pattern, operation in self._routes:
                match = pattern.fullmatch(path)
                if match and method == request.method:
                    parameters.check(operation, request)
                    backend, named = self._backend, match.groupdict()
                    if request.isolated:
                        backend, named = self._isolated(request, request.isolated, path, named)
                    if operation not in _READ_BODIES:
                        # a malformed body is noticed before anything is done
                        _drain(request)
                    return operation(request, backend, **named)
            return refuse(request.method, path)
        except EngineError as error:
            return error_response(error.status, str(error))
        except BrokenBody as error:
            return error_response(400, f"the body of the request is malformed: {error}")
        except tuple(_STATUS) as error:
            return error_response(_STATUS[type(error)], str(error))
        except Exception as error:
            log.exception("%s %s", request.method, request.path)
            why = (
                error_text(error) if is_full(error) else "the labs engine failed; its log says why"
            )
            return error_response(500, why)

    def _isolated(
        self, request: Request, client: isolated.Isolated, path: str, named: dict[str, str]
    ) -> tuple[object, dict[str, str]]:
        """The backend of an isolated client, and the names in the path: a container's is its ID.

        Raises Forbidden for what the client may not ask, NotFound for a container of another's.
        """
        name = isolated.check_request(request.method, path, request.query)
        if not isinstance(self._backend, Backend):
            return self._backend, named
        backend = self._backend.of(client)
        if name:
            named = {"name": backend.containers.records.find(name, backend.owner).id}
        return backend, named


def _hand_over(
    environ: dict[str, Any], request: Request, response: Response, headers: Mapping[str, str]
) -> Iterable[bytes]:
    """Send the head of a response, and give the connection to the operation."""
    assert response.take
    _drain_quietly(request)
    connection, early = environ[HIJACK]()
    phrase = "UPGRADED" if response.status == 101 else HTTPStatus(response.status).phrase
    lines = [f"HTTP/1.1 {response.status} {phrase}", *(f"{k}: {v}" for k, v in headers.items())]
    try:
        with response.meanwhile or nullcontext():
            connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
            response.take(connection, early)
    except OSError as error:
        log.info("a client has gone: %s", error)
        connection.close()
    return []


def _request(environ: dict[str, Any]) -> Request:
    headers = {
        key.removeprefix("HTTP_").replace("_", "-").lower(): value
        for key, value in environ.items()
        if key.startswith("HTTP_") or key in ("CONTENT_TYPE", "CONTENT_LENGTH")
    }
    raw = str(environ.get("PATH_INFO") or "/").encode("latin-1", errors="replace")
    return Request(
        method=environ["REQUEST_METHOD"],
        path=raw.decode(errors="replace"),
        query=parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True),
        headers=headers,
        body=environ["wsgi.input"],
        is_gone=environ.get(IS_GONE, lambda: False),
        isolated=environ.get(CLIENT),
    )


def _without_version(path: str, any_version: bool) -> str:
    if any_version:
        return _ANY_VERSION.sub("", path)
    match = _VERSION.match(path)
    if not match:
        return path
    version = (int(match[1]), int(match[2]))
    if version > _numbers(system.API_VERSION):
        raise BadRequest(
            f"client version {version[0]}.{version[1]} is too new."
            f" Maximum supported API version is {system.API_VERSION}"
        )
    if version < _numbers(system.MIN_API_VERSION):
        raise BadRequest(
            f"client version {version[0]}.{version[1]} is too old. Minimum supported API version is"
            f" {system.MIN_API_VERSION}, please upgrade your client to a newer version"
        )
    return path[match.end() :]


def _numbers(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    return int(major), int(minor)


def _drain(request: Request) -> None:
    for _ in chunks(request.body):
        pass


def _drain_quietly(request: Request) -> None:
    try:
        _drain(request)
    except OSError as error:
        log.info("the rest of a request could not be read: %s", error)


def _stream(body: Iterable[bytes], request: Request) -> Iterator[bytes]:
    try:
        yield from body
    except Exception:
        # the status has been sent: cut the stream off before its end mark
        log.exception("%s %s", request.method, request.path)
        raise
    _drain_quietly(request)
