"""Operations about the engine itself: ping, version, info, disk usage."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from ..errors import BadRequest, NotSupported
from ..hosts import DOCKER_HUB
from ..platform import DEFAULT
from . import Backend
from .http import Request, Response, json_response
from .images import shared_size, summary, top_level

API_VERSION = "1.47"
MIN_API_VERSION = "1.22"
"""dockerd 25 and later have 1.24, but skopeo of Debian 12 always saves and loads with 1.22: https://github.com/containers/image/blob/v5.22.0/docker/daemon/client.go"""
_KINDS = {
    "image": "Images",
    "container": "Containers",
    "volume": "Volumes",
    "build-cache": "BuildCache",
}
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
    name = "Labs engine: builds, pushes and pulls images; runs no containers"
    return json_response({"Platform": {"Name": name}, "Components": [component], **common})


def info(request: Request, backend: Backend) -> Response:
    """``GET /info``."""
    return json_response(
        {
            "ID": "LABS-ENGINE",
            "Name": platform.node(),
            "ServerVersion": engine_version(),
            "Containers": 0,
            "ContainersRunning": 0,
            "ContainersPaused": 0,
            "ContainersStopped": 0,
            "Images": len(backend.store.list()),
            "Driver": "labs",
            "DriverStatus": [["Engine", "labs: images only, no containers"]],
            "Debug": False,
            "ExperimentalBuild": False,
            "Plugins": {"Volume": [], "Network": [], "Authorization": None, "Log": []},
            "NCPU": os.cpu_count() or 1,
            "MemTotal": _memory(),
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
            "Warnings": None,
        }
    )


def events(request: Request, backend: Backend) -> Response:
    """``GET /events``: refused; an empty stream would say that nothing happened."""
    raise NotSupported("the labs engine keeps no events: `docker images` shows what there is")


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
