"""Operations about the engine itself: ping, version, info, disk usage."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from ..containers.creation import limits_memory, limits_processes
from ..errors import BadRequest, NotSupported
from ..events import FILTERS, KINDS, matches
from ..hosts import DOCKER_HUB
from ..machine import NAMESPACES
from ..platform import DEFAULT
from . import Backend
from .filters import check
from .http import Request, Response, json_response, moment
from .images import shared_size, summary, top_level
from .long_responses import long_response

API_VERSION = "1.47"
MIN_API_VERSION = "1.22"
"""dockerd 25 and later have 1.24, but skopeo of Debian 12 always saves and loads with 1.22: https://github.com/containers/image/blob/v5.22.0/docker/daemon/client.go"""
_KINDS = {
    "image": "Images",
    "container": "Containers",
    "volume": "Volumes",
    "build-cache": "BuildCache",
}
_OTHER_FILTERS = frozenset({"config", "daemon", "network", "node", "plugin", "secret", "service"})
"""Filters for the events of objects that the engine does not have."""
DOCKER_HUB_INDEX = "https://index.docker.io/v1/"


def engine_version() -> str:
    """The version of the labs."""
    try:
        return metadata.version("labs-helpers")
    except metadata.PackageNotFoundError:
        return "0+source"


def server_name() -> str:
    """The Server header."""
    return f"Labs-Engine/{engine_version()} (linux)"


def ping(request: Request, backend: Backend) -> Response:
    """``GET`` and ``HEAD /_ping``, from which clients learn the API version."""
    headers = {"Builder-Version": "1", "Cache-Control": "no-cache, no-store, must-revalidate"}
    return Response(200, [b"OK"], "text/plain; charset=utf-8", headers)


def version(request: Request, backend: Backend) -> Response:
    """``GET /version``."""
    common = {
        "Version": engine_version(),
        "ApiVersion": API_VERSION,
        "MinAPIVersion": MIN_API_VERSION,
        "GitCommit": "",
        "GoVersion": "",
        "Os": DEFAULT.os,
        "Arch": DEFAULT.architecture,
        "KernelVersion": platform.release(),
        "BuildTime": "",
    }
    details = {
        "ApiVersion": API_VERSION,
        "MinAPIVersion": MIN_API_VERSION,
        "Os": DEFAULT.os,
        "Arch": DEFAULT.architecture,
        "Experimental": "false",
        "GitCommit": "none (Python)",
        "GoVersion": "none (Python)",
    }
    component = {"Name": "Engine", "Version": engine_version(), "Details": details}
    name = "Labs engine: images and containers, without a daemon"
    return json_response({"Platform": {"Name": name}, "Components": [component], **common})


def info(request: Request, backend: Backend) -> Response:
    """``GET /info``."""
    known = backend.listed()
    isolation = backend.containers.isolation
    running = sum(each.is_up for each in known)
    return json_response(
        {
            "ID": "LABS-ENGINE",
            "Name": platform.node(),
            "ServerVersion": engine_version(),
            "Containers": len(known),
            "ContainersRunning": running,
            "ContainersPaused": 0,
            "ContainersStopped": len(known) - running,
            "Images": len(backend.store.list()),
            "Driver": "labs",
            "DriverStatus": [
                ["Engine", "labs: images and containers, without a daemon"],
                ["Isolation", isolation.sentence],
            ],
            "Debug": False,
            "ExperimentalBuild": False,
            "Plugins": {"Volume": [], "Network": [], "Authorization": None, "Log": []},
            "NCPU": os.cpu_count() or 1,
            "MemTotal": _memory(),
            "MemoryLimit": limits_memory(isolation),
            "SwapLimit": limits_memory(isolation),
            "PidsLimit": limits_processes(isolation),
            "OSType": "linux",
            "OperatingSystem": f"labs engine on {platform.system()}",
            "OSVersion": "",
            "KernelVersion": platform.release(),
            "Architecture": platform.machine(),
            "SystemTime": datetime.now(UTC).isoformat(),
            "IndexServerAddress": DOCKER_HUB_INDEX,
            "RegistryConfig": {
                "InsecureRegistryCIDRs": ["127.0.0.0/8"],
                "IndexConfigs": {
                    DOCKER_HUB: {
                        "Name": DOCKER_HUB,
                        "Mirrors": [],
                        "Secure": True,
                        "Official": True,
                    }
                },
                "Mirrors": [],
            },
            "DockerRootDir": str(backend.scratch.parent),
            "Swarm": {"LocalNodeState": "inactive", "ControlAvailable": False},
            "Runtimes": {},
            "DefaultRuntime": "",
            "SecurityOptions": [],
            "Labels": [],
            "Warnings": [f"WARNING: {isolation.sentence}"]
            if isolation.kind != NAMESPACES
            else None,
        }
    )


def events(request: Request, backend: Backend) -> Response:
    """``GET /events``: what happens to objects of the engine, one JSON document a line.

    Raises:
        NotSupported: a filter asks for objects whose events the engine does not keep.
    """
    filters = check(request.filters(), FILTERS | _OTHER_FILTERS)
    asked = [*filters.get("type", ()), *sorted(_OTHER_FILTERS & set(filters))]
    for kind in asked:
        if kind not in KINDS:
            raise NotSupported(
                f"the labs engine keeps events of {', '.join(f'{each}s' for each in KINDS)}, not of"
                f" {kind}"
            )
    since, until = moment(request.text("since")), moment(request.text("until"))

    found = backend.events.follow(since, until, request.is_gone)

    def lines() -> Iterator[bytes]:
        for event in found:
            if event is None:
                yield b""
            elif matches(event, filters):
                yield json.dumps(event, separators=(",", ":")).encode() + b"\n"

    return long_response(lines(), "application/json")


def disk_usage(request: Request, backend: Backend) -> Response:
    """``GET /system/df``; ``type`` leaves out the other kinds of objects."""
    kinds = set(request.query.get("type", ())) or set(_KINDS)
    if unknown := sorted(kinds - set(_KINDS)):
        raise BadRequest(f"unknown object type: {unknown[0]}")
    document: dict[str, Any] = {key: [] for kind, key in _KINDS.items() if kind in kinds}
    if "image" in kinds:
        images = backend.store.list()
        sizes = {layer.digest: layer.unpacked for image in images for layer in image.layers}
        document["LayersSize"] = sum(sizes.values())
        document["Images"] = [
            {**summary(image), "Containers": 0, "SharedSize": shared_size(image, images)}
            for image in top_level(images)
        ]
    if "build-cache" in kinds:
        document["BuilderSize"] = 0
    return json_response(document)


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return 0
