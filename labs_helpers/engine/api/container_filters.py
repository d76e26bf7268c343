"""The containers that ``--filter`` selects, for a listing and for a prune.

Source: https://github.com/moby/moby/blob/v28.2.2/daemon/list.go (includeContainerInList)
"""

from __future__ import annotations

import re

from ..containers import describe
from ..containers.options import network
from ..containers.ports import exposed_port
from ..containers.record import Container
from ..errors import BadRequest
from ..private_stores import Ended
from ..store import NoSuchImage
from . import Backend
from .filters import Filters, boolean, until_moment

CONTAINER_FILTERS = frozenset(
    {"ancestor", "before", "exited", "expose", "health", "id", "is-task", "isolation", "label"}
    | {"name", "network", "publish", "since", "status", "volume"}
)
PRUNE_FILTERS = frozenset({"label", "label!", "until"})
_STATES = {"created", "running", "paused", "restarting", "removing", "exited", "dead"}
_HEALTH = {"starting", "healthy", "unhealthy", "none"}
_NETWORKS = {"own": "bridge", "host": "host", "none": "none"}


def is_listed(container: Container, filters: Filters, backend: Backend) -> bool:
    """Whether a listing with these filters shows a container. Raises BadRequest, NotFound."""
    return all(_matches(container, name, list(values), backend) for name, values in filters.items())


def is_pruned(container: Container, filters: Filters) -> bool:
    """Whether a prune with these filters removes a stopped container. Raises BadRequest."""
    if not all(_has_label(container, label) for label in filters.get("label", ())):
        return False
    if any(_has_label(container, label) for label in filters.get("label!", ())):
        return False
    if "until" not in filters:
        return True
    return describe.seconds(container.created) < until_moment(filters["until"])


def _matches(container: Container, name: str, values: list[str], backend: Backend) -> bool:
    match name:
        case "label":
            return all(_has_label(container, value) for value in values)
        case "id":
            return any(re.search(value, container.id) for value in values)
        case "name":
            return any(_search(value, container.name) for value in values)
        case "status":
            _known(values, _STATES, "status")
            return container.status in values
        case "health":
            _known(values, _HEALTH, "health")
            return (container.health or {}).get("Status", "none") in values
        case "exited":
            if not all(value.isdecimal() for value in values):
                raise BadRequest(f"invalid filter 'exited={values}'")
            return (
                not container.is_up and container.endings > 0 and str(container.exit_code) in values
            )
        case "before" | "since":
            others = [backend.containers.records.find(value, backend.owner) for value in values]
            if name == "before":
                return all(container.created < other.created for other in others)
            return all(container.created > other.created for other in others)
        case "ancestor":
            return any(_descends(container, value, backend) for value in values)
        case "volume":
            places = {m["target"] for m in container.mounts}
            places |= {m.get("name") or m["source"] for m in container.mounts}
            return any(value in places for value in values)
        case "network":
            kind = _NETWORKS[network(container.host.get("NetworkMode") or "")]
            return kind in values
        case "publish":
            wanted = {exposed_port(value) for value in values}
            return any(f"{p['outside']}/{p['protocol']}" in wanted for p in container.ports)
        case "expose":
            wanted = {exposed_port(value) for value in values}
            return bool(wanted & set(container.config.get("ExposedPorts") or {}))
        case "is-task":
            return not boolean(values, name)
    return True  # isolation is for Windows, and selects nothing on Linux


def _search(pattern: str, name: str) -> bool:
    try:
        return bool(re.search(pattern, name) or re.search(pattern, f"/{name}"))
    except re.error as error:
        raise BadRequest(f"invalid filter 'name={pattern}': {error}") from error


def _known(values: list[str], known: set[str], name: str) -> None:
    for value in values:
        if value not in known:
            raise BadRequest(f"invalid filter '{name}={value}'")


def _has_label(container: Container, wanted: str) -> bool:
    labels = container.config.get("Labels") or {}
    key, equals, value = wanted.partition("=")
    return key in labels and (not equals or labels[key] == value)


def _descends(container: Container, name: str, backend: Backend) -> bool:
    try:
        wanted = backend.store.find(name)
        image = backend.containers.image_of(container)
    except (NoSuchImage, Ended):
        return False
    layers = [layer.diff_id for layer in wanted.layers]
    ours = [layer.diff_id for layer in image.layers]
    return image.id == wanted.id or (bool(layers) and ours[: len(layers)] == layers)
