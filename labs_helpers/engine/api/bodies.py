"""The bodies of Docker's API that the engine reads, as dockerd's Go structures have them.

Source, read 2026-11-29: https://docs.docker.com/reference/api/engine/version/v1.47/ for the fields;
the names of Go's types are those that dockerd 20.10 says in its errors.
"""

from __future__ import annotations

from typing import Any

from ..go_json import (
    FLAG,
    INT,
    INT64,
    TEXT,
    WORDS,
    Kind,
    decode,
    list_of,
    struct,
    table_of,
    texts,
)
from ..image_config import FIELDS
from .http import Request

_UNSIGNED = Kind("uint", "number")
_SIZE = list_of(_UNSIGNED, "[2]uint")
_TEXTS, _LABELS = list_of(TEXT), table_of(TEXT)

_BINDING = struct("nat.PortBinding", {"HostIp": TEXT, "HostPort": TEXT})
_MOUNT = struct(
    "mount.Mount",
    {
        "Type": texts("mount.Type"),
        "Source": TEXT,
        "Target": TEXT,
        "ReadOnly": FLAG,
        "Consistency": texts("mount.Consistency"),
        "BindOptions": struct("mount.BindOptions", {}),
        "VolumeOptions": struct("mount.VolumeOptions", {}),
        "TmpfsOptions": struct("mount.TmpfsOptions", {}),
    },
)
_HOST = struct(
    "container.HostConfig",
    {
        **dict.fromkeys(("Binds", "ExtraHosts", "Dns", "DnsOptions", "DnsSearch"), _TEXTS),
        **dict.fromkeys(("GroupAdd", "Links", "SecurityOpt", "VolumesFrom"), _TEXTS),
        **dict.fromkeys(("CapAdd", "CapDrop"), WORDS),
        **dict.fromkeys(("Memory", "MemorySwap", "PidsLimit", "ShmSize"), INT64),
        **dict.fromkeys(("AutoRemove", "PublishAllPorts", "ReadonlyRootfs", "Init"), FLAG),
        "Privileged": FLAG,
        "NetworkMode": texts("container.NetworkMode"),
        "PortBindings": table_of(list_of(_BINDING), "nat.PortMap"),
        "RestartPolicy": struct(
            "container.RestartPolicy", {"Name": TEXT, "MaximumRetryCount": INT}
        ),
        "LogConfig": struct("container.LogConfig", {"Type": TEXT, "Config": _LABELS}),
        "ConsoleSize": _SIZE,
        "Mounts": list_of(_MOUNT),
        "Tmpfs": _LABELS,
    },
)
_NETWORKING = struct(
    "network.NetworkingConfig",
    {
        "EndpointsConfig": table_of(
            struct("network.EndpointSettings", {}), "map[string]*network.EndpointSettings"
        )
    },
)
CONTAINER = struct(
    "runconfig.ContainerConfigWrapper",
    {
        **FIELDS,
        **dict.fromkeys(("Hostname", "Domainname", "Image", "MacAddress"), TEXT),
        **dict.fromkeys(("Tty", "OpenStdin", "StdinOnce", "NetworkDisabled"), FLAG),
        **dict.fromkeys(("AttachStdin", "AttachStdout", "AttachStderr"), FLAG),
        **{"HostConfig": _HOST, "NetworkingConfig": _NETWORKING},
    },
)
"""Of ``POST /containers/create``."""
EXEC = struct(
    "container.ExecOptions",
    {
        **dict.fromkeys(("User", "WorkingDir", "DetachKeys"), TEXT),
        **dict.fromkeys(("Tty", "Detach", "Privileged"), FLAG),
        **dict.fromkeys(("AttachStdin", "AttachStdout", "AttachStderr"), FLAG),
        **{"Env": _TEXTS, "Cmd": _TEXTS, "ConsoleSize": _SIZE},
    },
)
"""Of ``POST /containers/NAME/exec``."""
EXEC_START = struct(
    "container.ExecStartOptions", {"Detach": FLAG, "Tty": FLAG, "ConsoleSize": _SIZE}
)
"""Of ``POST /exec/NAME/start``."""
VOLUME = struct(
    "volume.CreateOptions",
    {"Name": TEXT, "Driver": TEXT, "DriverOpts": _LABELS, "Labels": _LABELS},
)
"""Of ``POST /volumes/create``."""


def read(request: Request, kind: Kind) -> Any:
    """The body of a request, once each value has its type; None for none. Raises BadRequest."""
    return decode(request.body_json(), kind)
