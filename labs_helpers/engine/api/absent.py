"""The objects that the engine never has: networks, build cache, plugins.

Their lists are empty, and a prune removes nothing. A filter that dockerd does not know is refused
as dockerd refuses the filter. Sources: the pages of
https://docs.docker.com/reference/api/engine/version/v1.47/ for each list and prune, and
https://github.com/moby/moby/blob/v28.2.2/daemon/list.go
"""

from __future__ import annotations

from .filters import check
from .http import Request, Response, json_response

_NETWORK = frozenset(["dangling", "driver", "id", "label", "name", "scope", "type"])
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


def networks(request: Request, backend: object) -> Response:
    """``GET /networks``."""
    check(request.filters(), _NETWORK)
    return json_response([])


def plugins(request: Request, backend: object) -> Response:
    """``GET /plugins``."""
    check(request.filters(), _PLUGIN)
    return json_response([])


def prune_networks(request: Request, backend: object) -> Response:
    """``POST /networks/prune``."""
    check(request.filters(), _PRUNE)
    return json_response({"NetworksDeleted": None, "SpaceReclaimed": 0})


def prune_build_cache(request: Request, backend: object) -> Response:
    """``POST /build/prune``; the cache of builds is the images themselves."""
    check(request.filters(), _BUILD_CACHE)
    return json_response({"CachesDeleted": None, "SpaceReclaimed": 0})
