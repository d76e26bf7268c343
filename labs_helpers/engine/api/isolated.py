"""What a program that somebody isolates may ask of the engine: no more than it can do itself.

A command of a CodeBuild build builds, pulls, pushes and runs images, as in privileged mode on AWS.
It gets no folder of this machine but its build's own, no right or network of this machine, and no
container or volume of another's. keeper/peers.py says how such a program is known.

Each route and each field has to be listed here to be allowed. Images are the client's own, as on a
new host: private_stores.py. So is each name: of what others have, a client hears what Docker says
of what does not exist.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labs_helpers.runtime import isolated as marks

from ..containers.keeper import peers
from ..errors import Forbidden, NotFound, missing_object

Document = dict[str, Any]
_BUILD_OF = "build "


@dataclass(frozen=True)
class Isolated:
    """An isolated client; ``folder`` is that of the build which the client belongs to."""

    folder: Path | None = None

    @property
    def owner(self) -> str:
        """Whose the client's images and containers are: a build's, or of all others' together."""
        return f"{_BUILD_OF}{self.folder.name}" if self.folder else "isolated"


def build_of(owner: str) -> str:
    """The name of the folder of the build that an owner is; "" for another owner."""
    return owner.removeprefix(_BUILD_OF) if owner.startswith(_BUILD_OF) else ""


def recogniser(builds: Path | None) -> Callable[[socket.socket], Isolated | None]:
    """A function that says of a connection whether its client is isolated; None: it is not.

    ``builds`` is the folder of the folders of builds.
    """

    def recognise(connection: socket.socket) -> Isolated | None:
        try:
            peer = peers.peer_of(connection)
        except peers.Unknown:
            return Isolated()
        if peer is None or not peer.is_isolated(marks.MARK):
            return None
        found = builds and marks.folder_of(peer.locks, peer.real_time, builds)
        return Isolated(found or None)

    return recognise


_ROUTES = (
    ("GET|HEAD", r"/_ping|/version|/info|/networks|/plugins"),
    ("GET", r"/images/(?:json|get|search)|/images/.+/(?:json|history|get)"),
    ("GET", r"/distribution/.+/(?:json|manifest)|/containers/json|/exec/[0-9a-f]{64}/json"),
    ("POST", r"/auth|/build|/session|/grpc|/containers/create|/images/(?:create|load)"),
    ("POST", r"/images/.+/(?:tag|push)|/exec/[0-9a-f]{64}/(?:start|resize)"),
    ("DELETE", r"/images/.+"),
)
_NAME = r"/containers/(?P<name>.+)"
"""A name may have slashes, as dockerd's routes take them: docker inspect IMAGE asks for a container
first. Source: https://github.com/moby/moby/blob/v28.2.2/api/server/router/container/container.go"""
_OF_A_CONTAINER = (
    ("GET", rf"{_NAME}/(?:json|logs|top|archive|export|stats)"),
    ("HEAD|PUT", rf"{_NAME}/archive"),
    ("POST", rf"{_NAME}/(?:start|stop|restart|kill|rename|wait|attach|resize|exec)"),
    ("DELETE", _NAME),
)
_BUILD = frozenset(
    {"dockerfile", "t", "extrahosts", "q", "nocache", "cachefrom", "pull", "rm", "forcerm"}
    | {"memory", "memswap", "cpushares", "cpusetcpus", "cpuperiod", "cpuquota", "buildargs"}
    | {"shmsize", "squash", "labels", "networkmode", "platform", "target", "version", "session"}
    | {"buildid", "ulimits", "remote", "cgroupparent", "cpusetmems", "securityopt", "isolation"}
)
"""https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Image/operation/ImageBuild,
without ``outputs``: Podman has further ones, and mounts folders of this machine by them."""


def check_request(method: str, path: str, query: Mapping[str, Any]) -> str:
    """The name of the container that a request is about, or "".

    ``path`` is decoded, and without a version. Raises Forbidden, and NotFound for a network, a
    volume or a plugin: an isolated program has none, and docker inspect goes on.
    """
    if {"", ".", ".."} & set(path.split("/")[1:]):
        raise Forbidden(f"the labs engine refuses the path {path} to a program that is isolated")
    for methods, pattern in _OF_A_CONTAINER:
        found = re.fullmatch(pattern, path)
        if found and method in methods.split("|"):
            return found["name"]
    kind = path.split("/")[1]
    if method == "GET" and kind != "containers" and (missing := missing_object(path)):
        raise NotFound(missing)
    allowed = any(
        method in methods.split("|") and re.fullmatch(pattern, path) for methods, pattern in _ROUTES
    )
    if not allowed:
        raise _refusal(f"{method} {path}", "it is about more than the program's own containers")
    if path == "/build" and (more := sorted(set(query) - _BUILD)):
        raise _refusal(f"{more[0]} of a build", "it can lead to folders of this machine")
    return ""


def check_owner(client: Isolated, owner: str, name: str) -> None:
    """Raise NotFound for a container that another client made, as for one that does not exist."""
    if client.owner != owner:
        raise NotFound(f"No such container: {name}")


_SETTINGS = frozenset(
    {"Hostname", "Domainname", "User", "AttachStdin", "AttachStdout", "AttachStderr", "Tty"}
    | {"ExposedPorts", "OpenStdin", "StdinOnce", "Env", "Cmd", "Healthcheck", "ArgsEscaped"}
    | {"Image", "Volumes", "WorkingDir", "Entrypoint", "NetworkDisabled", "MacAddress", "OnBuild"}
    | {"Labels", "StopSignal", "StopTimeout", "Shell", "HostConfig", "NetworkingConfig"}
)
_OF_HOST = frozenset(
    {"PortBindings", "PublishAllPorts", "RestartPolicy", "AutoRemove", "ConsoleSize", "CapDrop"}
    | {"ReadonlyRootfs", "ShmSize", "Init", "Tmpfs", "ExtraHosts", "Dns", "DnsOptions"}
    | {"DnsSearch", "GroupAdd", "OomScoreAdj", "Memory", "MemorySwap", "MemoryReservation"}
    | {"MemorySwappiness", "OomKillDisable", "NanoCpus", "CpuShares", "CpuPeriod", "CpuQuota"}
    | {"CpusetCpus", "CpusetMems", "CpuCount", "CpuPercent", "PidsLimit", "Ulimits"}
    | {"BlkioWeight", "KernelMemory", "ContainerIDFile", "Binds", "Mounts"}
)
"""What asks for nothing of this machine; and the mounts, which ``_mounts`` looks at."""
_HARMLESS: Mapping[str, tuple[Any, ...]] = {
    "NetworkMode": ("default", "bridge", "none"),
    "IpcMode": ("private", "shareable", "none"),
    "CgroupnsMode": ("private",),
    "PidMode": ("private",),
    "Isolation": ("default",),
    "Runtime": ("runc",),
    "VolumeDriver": ("local",),
    "LogConfig": ({"Type": "", "Config": {}}, {"Type": "json-file", "Config": {}}),
    "SecurityOpt": (["no-new-privileges"], ["no-new-privileges:true"], ["no-new-privileges=true"]),
}
_OPTIONS = {
    **{"NetworkMode": "--network", "Privileged": "--privileged", "CapAdd": "--cap-add"},
    **{"VolumesFrom": "--volumes-from", "Devices": "--device", "PidMode": "--pid"},
    **{"IpcMode": "--ipc", "SecurityOpt": "--security-opt", "UTSMode": "--uts"},
}
_RELAY = "labs.relay"


def checked_settings(client: Isolated, body: Any, binds: bool) -> Document:
    """The body of ``POST /containers/create``, as another body that asks for the same.

    ``binds``: whether a folder can be mounted so that no link leads out of it. Raises Forbidden.
    """
    if not isinstance(body, dict) or not isinstance(body.get("HostConfig") or {}, dict):
        raise Forbidden("config cannot be empty in order to create a container")
    # exact names: Go takes any spelling of a name, and the last of two values
    if more := sorted(set(body) - _SETTINGS):
        raise _refusal(f"the setting {more[0]}", "the labs do not know what it asks for")
    if _RELAY in (body.get("Labels") or {}):
        raise _refusal(f"the label {_RELAY}", "it leads to ports of this machine")
    host: Document = dict(body.get("HostConfig") or {})
    for name, value in host.items():
        empty = value is None if name in ("MaskedPaths", "ReadonlyPaths") else not value
        if name in _OF_HOST or empty or value in _HARMLESS.get(name, ()):
            continue
        shown = f"{_OPTIONS.get(name, f'HostConfig.{name}')} {value}".removesuffix(" True")
        raise _refusal(shown, "it would give the container more than the program has itself")
    host["Mounts"] = _mounts(client, host, binds)
    host["Binds"] = None
    for name in ((body.get("NetworkingConfig") or {}).get("EndpointsConfig")) or {}:
        if name not in _HARMLESS["NetworkMode"]:
            raise _refusal(f"--network {name}", "it is a network of others")
    return {**body, "HostConfig": host}


def _mounts(client: Isolated, host: Document, binds: bool) -> list[Document]:
    """The mounts of a new container: anonymous volumes, tmpfs, and folders of the build's own."""
    asked = [*(host.get("Mounts") or []), *map(_mount_of, host.get("Binds") or [])]
    found = []
    for mount in asked:
        if not isinstance(mount, dict):
            raise Forbidden("invalid mount config: not an object")
        kind, source = mount.get("Type"), str(mount.get("Source") or "")
        target, read_only = mount.get("Target"), bool(mount.get("ReadOnly"))
        if set(mount) - {"Type", "Source", "Target", "ReadOnly"} or kind not in ("bind", "volume"):
            if kind == "tmpfs" and not source:
                found.append({"Type": "tmpfs", "Target": target})
                continue
            raise _refusal(f"the mount {mount}", "it may have a type, a source and a target only")
        if kind == "bind":
            source = str(_inside(client, source, binds))
        elif source:
            raise _refusal(f"-v {source}:{target}", "a volume with a name is for all programs")
        found.append({"Type": kind, "Source": source, "Target": target, "ReadOnly": read_only})
    return found


def _mount_of(text: Any) -> Document:
    """A bind in the form of a mount. Words of dockerd's come later: what is malformed is passed."""
    parts = str(text).split(":")
    if len(parts) == 1:
        return {"Type": "volume", "Source": "", "Target": parts[0]}
    kind = "bind" if parts[0].startswith("/") else "volume"
    read_only = "ro" in parts[2].split(",") if len(parts) > 2 else False
    return {"Type": kind, "Source": parts[0], "Target": parts[1], "ReadOnly": read_only}


def _inside(client: Isolated, source: str, binds: bool) -> Path:
    """The path of a folder or file of the build's own, without links. Raises Forbidden."""
    if client.folder is None or not binds:
        why = "docker cp copies files into a container, and COPY into an image"
        raise _refusal(f"-v {source}", f"it may mount no folder of this machine here; {why}")
    place = Path(source).resolve()
    if not place.is_relative_to(client.folder):
        raise _refusal(f"-v {source}", f"a build mounts what is in its own folder: {client.folder}")
    if not place.exists():
        raise Forbidden(
            f'invalid mount config for type "bind": bind source path does not exist: {source}'
        )
    return place


def _refusal(what: str, why: str) -> Forbidden:
    return Forbidden(
        f"the labs engine refuses {what} to a program that is isolated itself, as the commands of"
        f" a build and the programs of a container are: {why}"
    )
