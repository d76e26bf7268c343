"""The fields of ``POST /containers/create``: carried out, refused by name, or moot.

Source, read 2026-11-28:
https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Container/operation/ContainerCreate
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import BadRequest, NotSupported

Document = dict[str, Any]

DONE = frozenset(
    {"Hostname", "User", "AttachStdin", "AttachStdout", "AttachStderr", "Tty", "OpenStdin"}
    | {"StdinOnce", "Env", "Cmd", "Image", "Volumes", "WorkingDir", "Entrypoint", "Labels"}
    | {"ExposedPorts", "Healthcheck", "StopSignal", "StopTimeout", "HostConfig"}
    | {"NetworkDisabled"}
)
"""Fields of the container's configuration that are carried out."""

DONE_OF_HOST = frozenset(
    {"Binds", "NetworkMode", "PortBindings", "RestartPolicy", "AutoRemove", "ConsoleSize"}
    | {"CapDrop", "PublishAllPorts", "ReadonlyRootfs", "ShmSize", "Mounts", "Init", "Tmpfs"}
    | {"ExtraHosts", "PidsLimit", "CapAdd", "Memory", "MemorySwap"}
)
"""Fields of HostConfig that are carried out."""

_LIMITS = "the engine limits a container's memory (where it gets a cgroup) and processes, no more"
_DEVICES = "a container has the devices that Docker gives by default, and no others"
_OWN = "a container has these namespaces of its own"
_DNS = "a container has the machine's resolv.conf, and its own network leads nowhere outside"

MOOT: Mapping[str, str] = {
    "OnBuild": "it is for a later build",
    "Shell": "it is for a later build",
    "ArgsEscaped": "it is for Windows",
    "NetworkingConfig": "the networks in it are checked by _networks",
}
"""Fields that change nothing here, and why."""

MOOT_OF_HOST: Mapping[str, str] = {
    "ContainerIDFile": "the client writes the file",
    "Annotations": "they are for other runtimes; spec.py reads the labs' own",
}

_EMPTY: frozenset[str] = frozenset()

REFUSED: Mapping[str, tuple[str, frozenset[str]]] = {
    "Domainname": ("a container has a host name only", _EMPTY),
    "MacAddress": ("a container's network has the loopback interface only", _EMPTY),
}
"""Fields that are refused: why, and the values beside the empty ones that ask for nothing."""

REFUSED_OF_HOST: Mapping[str, tuple[str, frozenset[str]]] = {
    "LogConfig": ("the engine has the log driver json-file, without options", _EMPTY),
    "VolumeDriver": ("volumes are folders of this machine", frozenset({"local"})),
    "VolumesFrom": ("name the volume itself: -v NAME:/path", _EMPTY),
    "CgroupnsMode": ("there is no cgroup namespace", frozenset({"private", "host"})),
    **dict.fromkeys(("Dns", "DnsOptions", "DnsSearch"), (_DNS, _EMPTY)),
    "GroupAdd": ("an ordinary user can give a process one group only", _EMPTY),
    "IpcMode": (_OWN, frozenset({"private", "shareable"})),
    "PidMode": (_OWN, frozenset({"private"})),
    "UTSMode": (_OWN, _EMPTY),
    "UsernsMode": ("the engine chooses the user namespace", frozenset({"host"})),
    "Cgroup": (_LIMITS, _EMPTY),
    "Links": ("containers reach each other over published ports only", _EMPTY),
    "OomScoreAdj": (_LIMITS, _EMPTY),
    "Privileged": ("a container gets no rights on this machine", _EMPTY),
    "SecurityOpt": (
        "no-new-privileges and a seccomp filter always hold, and cannot be changed",
        frozenset(
            {"['no-new-privileges']", "['no-new-privileges:true']", "['no-new-privileges=true']"}
        ),
    ),
    "StorageOpt": ("there is no storage driver with options", _EMPTY),
    "Sysctls": ("a container may not change settings of the kernel", _EMPTY),
    "Runtime": ("the engine is its own runtime", frozenset({"runc", "io.containerd.runc.v2"})),
    "Isolation": ("it is for Windows", frozenset({"default"})),
    "MaskedPaths": ("Docker's own list always holds", _EMPTY),
    "ReadonlyPaths": ("Docker's own list always holds", _EMPTY),
    "MemorySwappiness": (_LIMITS, frozenset({"-1"})),
    "OomKillDisable": (_LIMITS, _EMPTY),
    "Ulimits": ("the engine sets no limits but that of processes (--pids-limit)", _EMPTY),
    **dict.fromkeys(
        (
            *("CpuShares", "NanoCpus", "CgroupParent", "BlkioWeight", "CpuPeriod"),
            *("BlkioWeightDevice", "BlkioDeviceReadBps", "BlkioDeviceWriteBps", "CpuQuota"),
            *("BlkioDeviceReadIOps", "BlkioDeviceWriteIOps", "CpuRealtimePeriod", "CpusetMems"),
            *("CpuRealtimeRuntime", "CpusetCpus", "KernelMemory", "KernelMemoryTCP"),
            *("MemoryReservation", "CpuCount", "CpuPercent", "IOMaximumIOps"),
            "IOMaximumBandwidth",
        ),
        (_LIMITS, _EMPTY),
    ),
    **dict.fromkeys(("Devices", "DeviceCgroupRules", "DeviceRequests"), (_DEVICES, _EMPTY)),
}


def check(body: Any) -> Document:
    """The body of the request, once every field is one that is carried out.

    Raises:
        BadRequest: a field is malformed.
        NotSupported: a field asks for something that the engine does not do; the message names it.
    """
    if not isinstance(body, dict):
        raise BadRequest("config cannot be empty in order to create a container")
    host = body.get("HostConfig") or {}
    if not isinstance(host, dict):
        raise BadRequest("invalid JSON: HostConfig is not an object")
    _refuse("", body, REFUSED)
    _refuse("HostConfig.", host, REFUSED_OF_HOST)
    _networks(body.get("NetworkingConfig"))
    return body


def _refuse(prefix: str, fields: Document, table: Mapping[str, tuple[str, frozenset[str]]]) -> None:
    for name, (why, harmless) in table.items():
        value = fields.get(name)
        if name in ("MaskedPaths", "ReadonlyPaths") and value == []:
            value = "[]"  # none of Docker's list
        if name == "LogConfig" and isinstance(value, dict):
            value = value.get("Config") or value.get("Type") not in (None, "", "json-file")
        if (
            value
            and not (isinstance(value, list) and not any(value))
            and str(value) not in harmless
        ):
            raise NotSupported(f"the labs engine refuses {prefix}{name}={fields[name]}: {why}")


def _networks(config: Any) -> None:
    endpoints = (config or {}).get("EndpointsConfig") if isinstance(config, dict | None) else None
    for name, endpoint in (endpoints or {}).items():
        network(name)
        asked = {
            key: value
            for key, value in (endpoint or {}).items()
            if value and key not in ("NetworkID", "EndpointID")
        }
        if asked:
            raise NotSupported(
                f"the labs engine refuses NetworkingConfig {sorted(asked)}: a container's own"
                " network has the loopback interface only"
            )


def network(name: str) -> str:
    """The network of a container for a value of --network: own, none or host.

    Raises:
        NotSupported: there is no such network here.
    """
    if name in ("", "default", "bridge"):
        return "own"
    if name in ("none", "host"):
        return name
    raise NotSupported(
        f"the labs engine refuses --network {name}: it has bridge (the default: the container's own"
        " network, reached by published ports), host and none. Install Docker for other networks"
    )
