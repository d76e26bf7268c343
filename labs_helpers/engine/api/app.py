"""The WSGI application: which operation answers a request, and how its failures are told."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from labs_helpers.oci.reference import InvalidReference
from labs_helpers.workspace import is_full

from ..errors import BadRequest, EngineError
from ..store import BlobError, Conflict, NoSuchImage
from ..streams import CHUNK_SIZE
from .http import Answer, Request, error_answer, told
from .images import Images
from .libpod import no_libpod
from .system import API_VERSION, MIN_API_VERSION, System, server_name
from .transfer import Transfer
from .world import World

log = logging.getLogger(__name__)

StartResponse = Callable[..., Any]
Operation = Callable[..., Answer]

_VERSION = re.compile(r"/v(\d{1,3})\.(\d{1,3})(?=/)")
_ANY_VERSION = re.compile(r"^/v\d+(\.\d+)+(?=/)")
_STATUS: Mapping[type[Exception], int] = {
    InvalidReference: 400,
    NoSuchImage: 404,
    Conflict: 409,
    BlobError: 400,
}
_NO_CONTAINERS = (
    "the labs engine does not run containers: it builds, tags, pushes and pulls images."
    " To run one, start Docker or Podman and then the labs anew (labs stop; labs start): they work"
    " with a daemon that answers. Or push the image and let ECS, EKS or Fargate run it on AWS"
)

_SWARM = ("swarm", "services", "tasks", "nodes", "secrets", "configs")


@dataclass(frozen=True)
class _Route:
    method: str
    pattern: re.Pattern[str]
    operation: Operation


def routes(table: Iterable[tuple[str, str, Operation]]) -> list[_Route]:
    """Method, pattern of the path, operation: in the order in which they are tried."""
    return [_Route(m, re.compile(p), operation) for m, p, operation in table]


class App:
    """The Engine API over one world of images and registries."""

    any_version = False
    """Whether clients of every API version are answered: not here, but in front of a daemon, which
    knows its own."""

    def __init__(self, world: World) -> None:
        system, images, transfer = System(world), Images(world), Transfer(world)
        name = r"(?P<name>.+)"
        table: list[tuple[str, str, Operation]] = [
            ("GET", r"/_ping", system.ping),
            ("HEAD", r"/_ping", system.ping),
            ("GET", r"/version", system.version),
            ("GET", r"/info", system.info),
            ("POST", r"/auth", system.auth),
            ("GET", r"/events", system.events),
            ("GET", r"/system/df", system.disk_use),
            ("GET", r"/containers/json", system.none),
            ("GET", r"/networks", system.none),
            ("GET", r"/volumes", system.no_volumes),
            ("POST", r"/(containers|networks|volumes|build)/prune", system.nothing_pruned),
            ("GET", r"/images/json", images.list),
            ("POST", r"/images/create", transfer.pull),
            ("GET", r"/images/get", transfer.save),
            ("POST", r"/images/load", transfer.load),
            ("POST", r"/images/prune", images.prune),
            ("GET", r"/images/search", images.search),
            ("GET", rf"/images/{name}/json", images.inspect),
            ("GET", rf"/images/{name}/history", images.history),
            ("GET", rf"/images/{name}/get", transfer.save),
            ("POST", rf"/images/{name}/tag", images.tag),
            ("POST", rf"/images/{name}/push", transfer.push),
            ("DELETE", rf"/images/{name}", images.delete),
            ("GET", rf"/distribution/{name}/json", transfer.distribution),
            ("GET", rf"/distribution/{name}/manifest", transfer.manifest),
            ("POST", r"/build", transfer.build),
            ("POST", r"/containers/create", _no_containers),
            ("GET", r"/plugins", system.none),
        ]
        self._routes = routes(table)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        request = _request(environ)
        answer = self._answer(request)
        headers = {
            "Api-Version": API_VERSION,
            "Docker-Experimental": "false",
            "Ostype": "linux",
            "Server": server_name(),
            "Content-Type": answer.content_type,
            **answer.headers,
        }
        body = answer.body
        if isinstance(body, list):
            # an early refusal: take the rest of the request first, or clients that send it all
            # before they read see a broken pipe instead of the message
            _drain(request)
            headers["Content-Length"] = str(sum(map(len, body)))
        status = f"{answer.status} {HTTPStatus(answer.status).phrase}"
        start_response(status, list(headers.items()))
        if request.method == "HEAD":
            return []
        return body if isinstance(body, list) else _finishing(body, request)

    def _answer(self, request: Request) -> Answer:
        try:
            path = _unversioned(request.path, self.any_version)
            for route in self._routes:
                match = route.pattern.fullmatch(path)
                if match and route.method == request.method:
                    return route.operation(request, **match.groupdict())
            return _unknown(request.method, path)
        except EngineError as error:
            return error_answer(error.status, str(error))
        except tuple(_STATUS) as error:
            return error_answer(_STATUS[type(error)], str(error))
        except Exception as error:
            log.exception("%s %s", request.method, request.path)
            why = told(error) if is_full(error) else "the labs engine failed; its log says why"
            return error_answer(500, why)


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
    )


def _unversioned(path: str, any_version: bool) -> str:
    if any_version:
        return _ANY_VERSION.sub("", path)
    match = _VERSION.match(path)
    if not match:
        return path
    asked = (int(match[1]), int(match[2]))
    if asked > _pair(API_VERSION):
        raise BadRequest(
            f"client version {asked[0]}.{asked[1]} is too new."
            f" Maximum supported API version is {API_VERSION}"
        )
    if asked < _pair(MIN_API_VERSION):
        raise BadRequest(
            f"client version {asked[0]}.{asked[1]} is too old. Minimum supported API version is"
            f" {MIN_API_VERSION}, please upgrade your client to a newer version"
        )
    return path[match.end() :]


def _pair(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    return int(major), int(minor)


def _no_containers(request: Request) -> Answer:
    return error_answer(501, _NO_CONTAINERS)


def _unknown(method: str, path: str) -> Answer:
    """What dockerd says of objects there are none of, and what we say of what is not built."""
    if podmans := no_libpod(method, path):
        return podmans
    kind, _, name = path.removeprefix("/").partition("/")
    name = name.removesuffix("/json")
    if method == "GET" and name:
        # docker inspect asks for every kind in turn and goes on after a 404
        missing = {
            "containers": f"No such container: {name}",
            "networks": f"network {name} not found",
            "volumes": f"get {name}: no such volume",
            "plugins": f'plugin "{name}" not found',
        }.get(kind)
        if missing:
            return error_answer(404, missing)
    if kind in _SWARM:
        return error_answer(
            503, "This node is not a swarm manager. The labs engine has images only."
        )
    if kind in ("containers", "exec"):
        return error_answer(501, f"{_NO_CONTAINERS} ({method} {path})")
    if kind in ("images", "networks", "volumes", "plugins", "commit", "session", "grpc", "build"):
        return error_answer(501, f"the labs engine does not have {method} {path}")
    return error_answer(404, f"page not found: {method} {path}")


def _drain(request: Request) -> None:
    try:
        while request.body.read(CHUNK_SIZE):
            pass
    except (OSError, ValueError) as error:
        log.info("the rest of a request could not be read: %s", error)


def _finishing(body: Iterable[bytes], request: Request) -> Iterator[bytes]:
    try:
        yield from body
    except Exception:
        # the status has been sent: all that is left is to end the stream before its end mark
        log.exception("%s %s", request.method, request.path)
        raise
    _drain(request)
