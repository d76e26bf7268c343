"""Operations on the images in the store: list, inspect, history, tag."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from labs_helpers.oci import reference as references
from labs_helpers.oci.reference import InvalidReference, Reference

from ..errors import BadRequest, NotSupported
from ..image_config import created_at
from ..store import Image, ImageStore, NoSuchImage
from . import Backend, filters, image_events
from .http import Request, Response, json_response

_ABSENT = object()
_CONFIG_KEYS: dict[str, Any] = {
    "Hostname": "",
    "Domainname": "",
    "User": "",
    "AttachStdin": False,
    "AttachStdout": False,
    "AttachStderr": False,
    "ExposedPorts": _ABSENT,
    "Tty": False,
    "OpenStdin": False,
    "StdinOnce": False,
    "Env": None,
    "Cmd": None,
    "Healthcheck": _ABSENT,
    "ArgsEscaped": _ABSENT,
    "Image": "",
    "Volumes": None,
    "WorkingDir": "",
    "Entrypoint": None,
    "OnBuild": None,
    "Labels": None,
    "StopSignal": _ABSENT,
    "StopTimeout": _ABSENT,
    "Shell": _ABSENT,
}
"""The keys of a container configuration in Docker's order, and their default values."""


def list_images(request: Request, backend: Backend) -> Response:
    """``GET /images/json``."""
    wanted = filters.check(request.filters(), filters.LIST_FILTERS)
    images = backend.store.list()
    parents = {image.parent for image in images}
    shown = []
    for image in top_level(images, everything=request.flag("all")):
        names = filters.listed_names(image, wanted, backend.store, has_children=image.id in parents)
        if names is not None:
            tags, digests = names
            entry = {**summary(image), "RepoTags": familiar(tags)}
            if request.flag("shared-size"):
                entry["SharedSize"] = shared_size(image, images)
            shown.append({**entry, "RepoDigests": familiar(digests)})
    return json_response(shown)


def inspect(request: Request, backend: Backend, name: str) -> Response:
    """``GET /images/{name}/json``."""
    image = named_image(name, backend.store)
    config = image.config
    inner = config.get("config") or {}
    document = {
        "Id": image.id,
        "RepoTags": familiar(image.names),
        "RepoDigests": familiar(image.digests),
        "Parent": image.parent or "",
        "Comment": _comment(config),
        "Created": config.get("created") or "",
        "DockerVersion": config.get("docker_version", ""),
        "Author": config.get("author", ""),
        "Config": {
            key: inner.get(key, default)
            for key, default in _CONFIG_KEYS.items()
            if key in inner or default is not _ABSENT
        },
        "Architecture": config.get("architecture", ""),
        "Os": config.get("os", ""),
        "Size": image.size,
        "GraphDriver": {"Data": None, "Name": "labs"},
        "RootFS": {"Type": "layers", "Layers": [layer.diff_id for layer in image.layers]},
        "Metadata": {"LastTagTime": _rfc3339(image.tagged_at)},
    }
    if config.get("variant"):
        document["Variant"] = config["variant"]
    return json_response(document)


def history(request: Request, backend: Backend, name: str) -> Response:
    """``GET /images/{name}/history``: the newest step first."""
    image = named_image(name, backend.store)
    sizes = iter(image.layers)
    entries = []
    for step in image.config.get("history") or []:
        layer = None if step.get("empty_layer") else next(sizes, None)
        entries.append(
            {
                "Id": "<missing>",
                "Created": int(created_at(step)),
                "CreatedBy": step.get("created_by", ""),
                "Tags": None,
                "Size": layer.unpacked if layer else 0,
                "Comment": step.get("comment", ""),
            }
        )
    entries.reverse()
    step_image: Image | None = image
    for entry in entries:
        if step_image is None:
            break
        entry["Id"] = step_image.id
        entry["Tags"] = familiar(step_image.names) or None
        step_image = _find(step_image.parent, backend.store)
    return json_response(entries)


def tag(request: Request, backend: Backend, name: str) -> Response:
    """``POST /images/{name}/tag?repo=&tag=``."""
    reference = repository_tag(request.text("repo"), request.text("tag"))
    image = named_image(name, backend.store)
    if reference.digest:
        raise BadRequest("refusing to create a tag with a digest reference")
    backend.store.tag(image, str(reference))
    image_events.note(backend, "tag", image, reference.familiar)
    return Response(201, [])


def search(request: Request, backend: Backend) -> Response:
    """``GET /images/search``: refused, as the labs have no index of Docker Hub."""
    raise NotSupported(
        f"search {request.text('term')}: the labs have no search index of Docker Hub;"
        " the images they hold are named in lab 03"
    )


def top_level(images: list[Image], everything: bool = False) -> list[Image]:
    """The images that have a name or no child image; all images with ``everything``."""
    parents = {image.parent for image in images}
    return [
        image
        for image in images
        if everything or image.names or image.digests or image.id not in parents
    ]


def named_image(name: str, store: ImageStore) -> Image:
    """The image that a path names. Raises NoSuchImage, or InvalidReference for a malformed name."""
    name = unquote(name)
    if not re.fullmatch(r"(sha256:)?[0-9a-f]{64}", name):
        references.parse(name)
    return store.find(name)


def repository_tag(repository: str, tag: str) -> Reference:
    """The reference of a separate repository and tag (or digest). Raises InvalidReference."""
    parsed = references.parse(repository, default_tag=False)
    if not tag:
        return parsed if parsed.digest else references.parse(repository)
    if ":" in tag:
        return references.parse(f"{parsed.name}@{tag}")
    if not references.is_tag(tag):
        raise InvalidReference("invalid tag format")
    return Reference(parsed.domain, parsed.path, tag)


def summary(image: Image) -> dict[str, Any]:
    """An image as ``GET /images/json`` lists it."""
    return {
        "Containers": -1,
        "Created": int(created_at(image.config)),
        "Id": image.id,
        "Labels": (image.config.get("config") or {}).get("Labels"),
        "ParentId": image.parent or "",
        "RepoDigests": familiar(image.digests),
        "RepoTags": familiar(image.names),
        "SharedSize": -1,
        "Size": image.size,
    }


def shared_size(image: Image, images: list[Image]) -> int:
    """The size in bytes of the layers that an image shares with others of these images."""
    others = {layer.digest for other in images if other.id != image.id for layer in other.layers}
    return sum(layer.unpacked for layer in image.layers if layer.digest in others)


def familiar(names: Iterable[str]) -> list[str]:
    """Names as Docker prints them."""
    return [references.parse(name, default_tag=False).familiar for name in names]


def _find(image_id: str | None, store: ImageStore) -> Image | None:
    try:
        return store.find(image_id) if image_id else None
    except NoSuchImage:
        return None


def _comment(config: dict[str, Any]) -> str:
    history = config.get("history") or []
    return str(history[-1].get("comment", "")) if history else ""


def _rfc3339(seconds: float) -> str:
    if not seconds:
        return "0001-01-01T00:00:00Z"
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
