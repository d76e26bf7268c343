"""The requests that the engine refuses, and the words for each: Swarm, Podman's API, the rest."""

from __future__ import annotations

import re

from ..errors import missing_object
from .http import Response, error_response, json_response

_SWARM = ("swarm", "services", "tasks", "nodes", "secrets", "configs")
_LIBPOD = re.compile(r"(?:/v[0-9.]+)?/libpod/(?P<rest>.*)")
_NO_LIBPOD = (
    "this engine has Docker's API, not Podman's own: use the docker command. `podman --remote`"
    " works where the labs stand in front of a Podman: start podman system service --time=0, then"
    " LABS_ENGINE=podman labs start"
)


def refuse(method: str, path: str) -> Response:
    """The response to a path without an operation."""
    if response := no_libpod(method, path):
        return response
    kind = path.removeprefix("/").partition("/")[0]
    if method == "GET" and (missing := missing_object(path)):
        return error_response(404, missing)
    if kind in _SWARM:
        return error_response(
            503, "This node is not a swarm manager. The labs engine has no Swarm."
        )
    if kind in (
        "containers",
        "exec",
        "images",
        "networks",
        "volumes",
        "plugins",
        "commit",
        "session",
        "grpc",
        "build",
    ):
        return error_response(501, f"the labs engine does not have {method} {path}")
    return error_response(404, f"page not found: {method} {path}")


def no_libpod(method: str, path: str) -> Response | None:
    """The response to a request of Podman's own API; None for another request.

    `podman --remote` first sends ``/libpod/_ping``, and shows only the number of any status but
    200. So the ping succeeds, without the header that would claim a version, and the next request
    gets the explanation. Source: pingNewConnection of
    https://github.com/containers/podman/blob/v5.4.2/pkg/bindings/connection.go
    """
    found = _LIBPOD.fullmatch(path)
    if found is None:
        return None
    if found["rest"] == "_ping" and method in ("GET", "HEAD"):
        return Response(200, [b"OK"], "text/plain; charset=utf-8")
    return json_response({"cause": _NO_LIBPOD, "message": _NO_LIBPOD, "response": 501}, 501)
