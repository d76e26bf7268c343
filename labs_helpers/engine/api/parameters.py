"""The query parameters of Docker's API: those that the engine carries out, and those it refuses.

dockerd ignores a parameter that its API does not have, and so does the engine. A parameter that the
API has is carried out, or refused by name; a value that asks for what the engine does anyway is
accepted. Source, read 2026-11-28: https://docs.docker.com/reference/api/engine/version/v1.47/
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import BadRequest, NotSupported
from . import (
    absent,
    archives,
    containers,
    exec,
    image_removal,
    images,
    registries,
    system,
    transfer,
    volumes,
)
from .build_request import build
from .http import Request

_UNSET = frozenset({"", "0", "f", "false", "none", "null", "[]", "{}"})


@dataclass(frozen=True)
class Refused:
    """A parameter that is refused, and why; a value in ``harmless`` asks for nothing else."""

    why: str
    harmless: frozenset[str] = _UNSET
    malformed: bool = False
    """Whether dockerd itself refuses the parameter, as a bad request; ``{}`` is the value."""


@dataclass(frozen=True)
class Moot:
    """A parameter that changes nothing here, whatever its value, and why."""

    why: str


DONE = None
"""A parameter that the operation carries out."""

Parameters = Mapping[str, Refused | Moot | None]

_LIMIT = Refused("a RUN has no container here, so its memory and processor time cannot be limited")
_BUILDKIT = Moot(
    "only BuildKit has sessions; dockerd's classic builder ignores this parameter, too"
)
_ONE = Refused("the engine keeps one platform of an image; Docker has this parameter from 1.48 on")
_EMPTY = Moot("the engine has none of these objects, so the answer is empty")

OPERATIONS: Mapping[Callable[..., Any], Parameters] = {
    build: {
        **dict.fromkeys(("dockerfile", "t", "extrahosts", "q", "nocache", "cachefrom"), DONE),
        **dict.fromkeys(("pull", "buildargs", "labels", "networkmode", "platform"), DONE),
        **dict.fromkeys(("target", "version"), DONE),
        **dict.fromkeys(("rm", "forcerm"), Moot("a RUN leaves no container that could be removed")),
        **dict.fromkeys(("session", "buildid"), _BUILDKIT),
        **dict.fromkeys(("memory", "cpushares", "cpusetcpus", "cpusetmems"), _LIMIT),
        **dict.fromkeys(("cpuperiod", "cpuquota", "cgroupparent", "shmsize", "ulimits"), _LIMIT),
        "memswap": Refused(_LIMIT.why, _UNSET | {"-1"}),
        "remote": Refused("the engine builds from a local folder only, not from a URL"),
        "squash": Refused("the engine keeps the layers as the Dockerfile makes them"),
        "securityopt": Refused("security options are not supported on linux", malformed=True),
        "isolation": Refused('unsupported isolation: "{}"', _UNSET | {"default"}, malformed=True),
        "outputs": Refused("only BuildKit has exporters, and the engine has the classic builder"),
    },
    images.list_images: {
        **dict.fromkeys(("all", "filters", "shared-size"), DONE),
        "digests": Moot("the answer has the digests in any case, as dockerd's does"),
        "manifests": Refused("the engine keeps no list of the manifests of an image"),
    },
    transfer.create: dict.fromkeys(
        ("fromImage", "fromSrc", "repo", "tag", "message", "changes", "platform"), DONE
    ),
    transfer.save: {"names": DONE, "platform": _ONE},
    transfer.load: {"quiet": DONE, "platform": _ONE},
    transfer.push: {"tag": DONE, "platform": DONE},
    image_removal.prune: {"filters": DONE},
    images.search: {
        "term": DONE,
        **dict.fromkeys(("limit", "filters"), Moot("the engine refuses a search")),
    },
    images.inspect: {
        "manifests": Refused("the engine keeps no list of manifests"),
        "platform": _ONE,
    },
    images.history: {"platform": _ONE},
    images.tag: {"repo": DONE, "tag": DONE},
    image_removal.delete: {"force": DONE, "noprune": DONE, "platforms": _ONE},
    system.disk_usage: {"type": DONE},
    absent.networks: {"filters": DONE},
    absent.plugins: {"filters": DONE},
    absent.prune_networks: {"filters": DONE},
    absent.prune_build_cache: {
        "filters": DONE,
        "all": _EMPTY,
        "keep-storage": _EMPTY,
        "reserved-space": _EMPTY,
        "max-used-space": _EMPTY,
        "min-free-space": _EMPTY,
    },
    registries.distribution: {},
    registries.manifest: {},
}
"""Every operation of the engine with query parameters: parameter -> DONE, Refused or Moot."""


CONTAINER_OPERATIONS: Mapping[Callable[..., Any], Parameters] = {
    system.events: dict.fromkeys(("since", "until", "filters"), DONE),
    containers.create: {"name": DONE, "platform": Refused("--platform chooses at a pull")},
    containers.list_containers: dict.fromkeys(("all", "limit", "size", "filters"), DONE),
    containers.inspect: {"size": DONE},
    containers.start: {"detachKeys": Moot("an attached client says its keys itself")},
    **{each: {"t": DONE, "signal": DONE} for each in (containers.stop, containers.restart)},
    containers.kill: {"signal": DONE},
    containers.rename: {"name": DONE},
    containers.wait: {"condition": DONE},
    containers.read_logs: dict.fromkeys(
        ("follow", "stdout", "stderr", "since", "until", "timestamps", "tail"), DONE
    ),
    containers.attach: dict.fromkeys(
        ("detachKeys", "logs", "stream", "stdin", "stdout", "stderr"), DONE
    ),
    containers.resize: {"h": DONE, "w": DONE},
    containers.top: {"ps_args": Refused("the columns are those of ps -ef", _UNSET | {"-ef"})},
    archives.stat: {"path": DONE},
    archives.get: {"path": DONE},
    archives.put: dict.fromkeys(("path", "noOverwriteDirNonDir", "copyUIDGID"), DONE),
    containers.remove: {
        "v": DONE,
        "force": DONE,
        "link": Refused("containers have no links"),
    },
    containers.prune: {"filters": DONE},
    exec.resize: {"h": DONE, "w": DONE},
    volumes.list_volumes: {"filters": DONE},
    volumes.remove: {"force": DONE},
    volumes.prune: {"filters": DONE},
}
"""The operations about containers, in the same form."""


def check(operation: Callable[..., Any], request: Request) -> None:
    """Raise NotSupported or BadRequest for a parameter of the operation that is refused."""
    for name, rule in {**OPERATIONS, **CONTAINER_OPERATIONS}.get(operation, {}).items():
        if not isinstance(rule, Refused):
            continue
        values = [
            value for value in request.query.get(name, []) if value.lower() not in rule.harmless
        ]
        if values and rule.malformed:
            raise BadRequest(rule.why.format(values[0]))
        if values:
            raise NotSupported(f"the labs engine refuses {name}={values[0]}: {rule.why}")
