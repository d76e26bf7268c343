"""What a client asks about the engine itself, and registries through it."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib import metadata

from ..hosts import DOCKER_HUB
from ..platform import DEFAULT
from ..store import Image
from .http import Answer, Request, json_answer
from .images import summary, top_level
from .registries import auth
from .world import World

API_VERSION = "1.47"
MIN_API_VERSION = "1.22"
"""dockerd 25 and later have 1.24, but skopeo of Debian 12 saves and loads by 1.22 without asking
which there are: https://github.com/containers/image/blob/v5.22.0/docker/daemon/client.go"""
DOCKER_HUB_INDEX = "https://index.docker.io/v1/"


def engine_version() -> str:
    """The version of the labs this engine is part of."""
    try:
        return metadata.version("labs-helpers")
    except metadata.PackageNotFoundError:
        return "0+source"


def server_name() -> str:
    """The Server header."""
    return f"Labs-Engine/{engine_version()} (linux)"


class System:
    """``/_ping``, ``/version``, ``/info``, ``/auth``, ``/events``, ``/system/df``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def ping(self, request: Request) -> Answer:
        """``GET`` and ``HEAD /_ping``: what clients negotiate the API version with."""
        headers = {"Builder-Version": "1", "Cache-Control": "no-cache, no-store, must-revalidate"}
        return Answer(200, [b"OK"], "text/plain; charset=utf-8", headers)

    def version(self, request: Request) -> Answer:
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
        return json_answer({"Platform": {"Name": name}, "Components": [component], **common})

    def info(self, request: Request) -> Answer:
        """``GET /info``."""
        return json_answer(
            {
                "ID": "LABS-ENGINE",
                "Name": platform.node(),
                "ServerVersion": engine_version(),
                "Containers": 0,
                "ContainersRunning": 0,
                "ContainersPaused": 0,
                "ContainersStopped": 0,
                "Images": len(self._world.store.list()),
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
                "DockerRootDir": str(self._world.scratch.parent),
                "Swarm": {"LocalNodeState": "inactive", "ControlAvailable": False},
                "Runtimes": {},
                "DefaultRuntime": "",
                "SecurityOptions": [],
                "Labels": [],
                "Warnings": None,
            }
        )

    def auth(self, request: Request) -> Answer:
        """``POST /auth``: ask the registry whether it takes these credentials."""
        return auth(request, self._world.hosts)

    def events(self, request: Request) -> Answer:
        """``GET /events``: none; the stream ends at once."""
        return Answer(200, [])

    def disk_use(self, request: Request) -> Answer:
        """``GET /system/df``."""
        images = self._world.store.list()
        sizes = {layer.digest: layer.unpacked for image in images for layer in image.layers}
        return json_answer(
            {
                "LayersSize": sum(sizes.values()),
                "Images": [
                    {**summary(image), "Containers": 0, "SharedSize": _shared(image, images)}
                    for image in top_level(images)
                ],
                "Containers": [],
                "Volumes": [],
                "BuildCache": [],
                "BuilderSize": 0,
            }
        )

    def none(self, request: Request) -> Answer:
        """``GET /containers/json``, ``/networks``: there are none."""
        return json_answer([])

    def no_volumes(self, request: Request) -> Answer:
        """``GET /volumes``."""
        return json_answer({"Volumes": [], "Warnings": None})

    def nothing_pruned(self, request: Request) -> Answer:
        """``POST /containers/prune`` and its kin: there is nothing to remove."""
        return json_answer({"SpaceReclaimed": 0})


def _shared(image: Image, images: list[Image]) -> int:
    others = {layer.digest for other in images if other.id != image.id for layer in other.layers}
    return sum(layer.unpacked for layer in image.layers if layer.digest in others)


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return 0
