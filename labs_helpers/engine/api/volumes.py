"""Operations about volumes.

Source: https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Volume
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ..containers.volumes import Volumes
from ..errors import BadRequest, NotFound, NotSupported
from ..events import VOLUME
from . import Backend, bodies
from .filters import boolean, check
from .http import Request, Response, json_response

_LIST = frozenset({"dangling", "driver", "label", "name"})
_PRUNE = frozenset({"all", "label", "label!"})


def list_volumes(request: Request, backend: Backend) -> Response:
    """``GET /volumes``."""
    filters = check(request.filters(), _LIST)
    found = [
        each for each in backend.containers.volumes.list() if _is_listed(each, filters, backend)
    ]
    return json_response({"Volumes": found, "Warnings": None})


def create(request: Request, backend: Backend) -> Response:
    """``POST /volumes/create``."""
    body = bodies.read(request, bodies.VOLUME) or {}
    if body.get("Driver") not in (None, "", "local"):
        raise NotSupported(
            f"the labs engine refuses Driver={body['Driver']}: volumes are folders of this machine"
        )
    if body.get("DriverOpts") or body.get("ClusterVolumeSpec"):
        raise NotSupported("the labs engine refuses options of a volume: it is a plain folder")
    made = backend.containers.volumes.create(str(body.get("Name") or ""), body.get("Labels"))
    return json_response(made, 201)


def inspect(request: Request, backend: Backend, name: str) -> Response:
    """``GET /volumes/NAME``."""
    return json_response(backend.containers.volumes.get(name))


def remove(request: Request, backend: Backend, name: str) -> Response:
    """``DELETE /volumes/NAME``."""
    try:
        backend.containers.volumes.remove(name, backend.containers.volume_users(name))
    except NotFound:
        if not request.flag("force"):
            raise
    return Response(204, [], "text/plain")


def prune(request: Request, backend: Backend) -> Response:
    """``POST /volumes/prune``: anonymous volumes, and with ``all`` named ones, that none uses."""
    filters = check(request.filters(), _PRUNE)
    every = "all" in filters and boolean(filters["all"], "all")
    removed, freed = [], 0
    for each in backend.containers.volumes.list():
        name = each["Name"]
        if not (every or Volumes.is_anonymous(each)) or backend.containers.volume_users(name):
            continue
        if not all(_has_label(each, label) for label in filters.get("label", ())):
            continue
        if any(_has_label(each, label) for label in filters.get("label!", ())):
            continue
        freed += _size(Path(each["Mountpoint"]))
        backend.containers.volumes.remove(name, ())
        removed.append(name)
    backend.events.emit(VOLUME, "prune", "", {"reclaimed": str(freed)})
    return json_response({"VolumesDeleted": removed, "SpaceReclaimed": freed})


def _size(folder: Path) -> int:
    return sum(p.lstat().st_size for p in folder.rglob("*") if not p.is_dir())


def _is_listed(volume: dict[str, Any], filters: Any, backend: Backend) -> bool:
    name = volume["Name"]
    if "dangling" in filters and boolean(filters["dangling"], "dangling") == bool(
        backend.containers.volume_users(name)
    ):
        return False
    if filters.get("driver") and "local" not in filters["driver"]:
        return False
    if not all(_has_label(volume, label) for label in filters.get("label", ())):
        return False
    try:
        return not filters.get("name") or any(re.search(n, name) for n in filters["name"])
    except re.error as error:
        raise BadRequest(f"invalid filter 'name': {error}") from error


def _has_label(volume: dict[str, Any], wanted: str) -> bool:
    labels = volume.get("Labels") or {}
    key, equals, value = wanted.partition("=")
    return key in labels and (not equals or labels[key] == value)
