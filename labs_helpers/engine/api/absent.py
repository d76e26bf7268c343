"""The objects that the engine never has: containers, networks, volumes, build cache, plugins.

Their lists are empty, and a prune removes nothing. A filter that dockerd does not know is refused
as dockerd refuses the filter. Sources: the pages of
https://docs.docker.com/reference/api/engine/version/v1.47/ for each list and prune, and
https://github.com/moby/moby/blob/v28.2.2/daemon/list.go
"""

from __future__ import annotations

from ..errors import BadRequest, NotFound
from .filters import check
from .http import Request, Response, json_response

_CONTAINER = frozenset(
    [
        "ancestor",
        "before",
        "exited",
        "expose",
        "health",
        "id",
        "is-task",
        "isolation",
        "label",
        "name",
        "network",
        "publish",
        "since",
        "status",
        "volume",
    ]
)
_NETWORK = frozenset(["dangling", "driver", "id", "label", "name", "scope", "type"])
_VOLUME = frozenset(["dangling", "driver", "label", "name"])
_PLUGIN = frozenset({"capability", "enabled"})
_PRUNE = frozenset({"label", "label!", "until"})
_BUILD_CACHE = frozenset(
    [
        "description",
        "id",
        "inuse",
        "label",
        "mutable",
        "parent",
        "private",
        "shared",
        "type",
        "until",
    ]
)


def containers(request: Request, backend: object) -> Response:
    """``GET /containers/json``. Raises NotFound for a filter that names a container."""
    wanted = check(request.filters(), _CONTAINER)
    for name in ("before", "since"):
        for container in wanted.get(name, ()):
            raise NotFound(f"No such container: {container}")
    limit = request.text("limit") or "0"
    if not limit.lstrip("-").isdecimal() or not limit.isascii():
        raise BadRequest(f'strconv.Atoi: parsing "{limit}": invalid syntax')
    return json_response([])


def networks(request: Request, backend: object) -> Response:
    """``GET /networks``."""
    check(request.filters(), _NETWORK)
    return json_response([])


def volumes(request: Request, backend: object) -> Response:
    """``GET /volumes``."""
    check(request.filters(), _VOLUME)
    return json_response({"Volumes": [], "Warnings": None})


def plugins(request: Request, backend: object) -> Response:
    """``GET /plugins``."""
    check(request.filters(), _PLUGIN)
    return json_response([])


def prune_containers(request: Request, backend: object) -> Response:
    """``POST /containers/prune``."""
    check(request.filters(), _PRUNE)
    return json_response({"ContainersDeleted": None, "SpaceReclaimed": 0})


def prune_networks(request: Request, backend: object) -> Response:
    """``POST /networks/prune``."""
    check(request.filters(), _PRUNE)
    return json_response({"NetworksDeleted": None, "SpaceReclaimed": 0})


def prune_volumes(request: Request, backend: object) -> Response:
    """``POST /volumes/prune``."""
    check(request.filters(), frozenset({"all", "label", "label!"}))
    return json_response({"VolumesDeleted": [], "SpaceReclaimed": 0})


def prune_build_cache(request: Request, backend: object) -> Response:
    """``POST /build/prune``; the cache of builds is the images themselves."""
    check(request.filters(), _BUILD_CACHE)
    return json_response({"CachesDeleted": None, "SpaceReclaimed": 0})
