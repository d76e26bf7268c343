"""A container as Docker's API describes it, in an inspection and in a list.

Source: https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Container
"""

from __future__ import annotations

import contextlib
import shlex
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from ..human_time import human_duration
from . import ports
from .options import network
from .record import NEVER, RESTARTING, Conflict, Container
from .spec import command

Document = dict[str, Any]

_HOST: Document = {
    "LogConfig": {"Type": "json-file", "Config": {}},
    "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
    "Runtime": "runc",
}
"""What clients read of HostConfig, and a request may leave out."""
_NETWORKS = {"own": "bridge", "host": "host", "none": "none"}


def seconds(date: str) -> float:
    """A date in Docker's form as a Unix time."""
    return datetime.fromisoformat(date[:26].rstrip("Z") + "+00:00").astimezone(UTC).timestamp()


def state(container: Container) -> Document:
    """``State`` of an inspection."""
    document = {
        "Status": container.status,
        "Running": container.is_up,
        "Paused": False,
        "Restarting": container.status == RESTARTING,
        "OOMKilled": container.oom_killed,
        "Dead": False,
        "Pid": container.pid if container.running else 0,
        "ExitCode": container.exit_code,
        "Error": container.error,
        "StartedAt": container.started,
        "FinishedAt": container.finished,
    }
    return {**document, "Health": container.health} if container.health else document


def inspection(container: Container, folder: Path) -> Document:
    """``GET /containers/ID/json``."""
    words = command(container.config)
    kind = network(container.host.get("NetworkMode") or "")
    return {
        "Id": container.id,
        "Created": container.created,
        "Path": words[0],
        "Args": words[1:],
        "State": state(container),
        "Image": container.image,
        "ResolvConfPath": str(folder / "resolv.conf"),
        "HostnamePath": str(folder / "hostname"),
        "HostsPath": str(folder / "hosts"),
        "LogPath": str(folder / "log"),
        "Name": f"/{container.name}",
        "RestartCount": container.restarts,
        "Driver": "labs",
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "",
        "ExecIDs": None,
        "HostConfig": {**_HOST, **container.host},
        "GraphDriver": {"Data": None, "Name": "labs"},
        "Mounts": mounts(container),
        "Config": {"Hostname": container.short_id, "Tty": False, **_config(container)},
        "NetworkSettings": {
            "Ports": {**_unpublished(container), **ports.shown(container.ports)},
            "IPAddress": "",
            "Gateway": "",
            "MacAddress": "",
            "Networks": {_NETWORKS[kind]: {"IPAddress": "", "Gateway": "", "Aliases": None}},
        },
    }


def _config(container: Container) -> Document:
    config = dict(container.config)
    if not config.get("Hostname"):
        config["Hostname"] = container.short_id
    config["Labels"] = config.get("Labels") or {}
    return config


def _unpublished(container: Container) -> Document:
    if not container.running:
        return {}
    return dict.fromkeys(container.config.get("ExposedPorts") or {})


def mounts(container: Container) -> list[Document]:
    """``Mounts`` of an inspection."""
    found = []
    for mount in container.mounts:
        document = {
            "Type": mount["kind"],
            "Source": mount["source"],
            "Destination": mount["target"],
            "Mode": "" if not mount["read_only"] else "ro",
            "RW": not mount["read_only"],
            "Propagation": "rprivate" if mount["kind"] == "bind" else "",
        }
        if mount["kind"] == "volume":
            document |= {"Name": mount["name"], "Driver": "local"}
        found.append(document)
    return found


def summary(container: Container) -> Document:
    """An element of ``GET /containers/json``."""
    kind = network(container.host.get("NetworkMode") or "")
    return {
        "Id": container.id,
        "Names": [f"/{container.name}"],
        "Image": container.config.get("Image") or container.image,
        "ImageID": container.image,
        "Command": shown_command(container),
        "Created": int(seconds(container.created)),
        "Ports": _listed_ports(container),
        "Labels": container.config.get("Labels") or {},
        "State": container.status,
        "Status": status(container),
        "HostConfig": {"NetworkMode": container.host.get("NetworkMode") or "default"},
        "NetworkSettings": {"Networks": {_NETWORKS[kind]: {"IPAddress": "", "Gateway": ""}}},
        "Mounts": mounts(container),
    }


def shown_command(container: Container) -> str:
    """The command in one line; words with blanks are quoted, as in dockerd."""
    return " ".join(
        word if not any(c in word for c in " '\"") else shlex.quote(word)
        for word in command(container.config)
    )


def _listed_ports(container: Container) -> list[Document]:
    found = [
        {
            "IP": port["address"],
            "PrivatePort": port["inside"],
            "PublicPort": port["outside"],
            "Type": port["protocol"],
        }
        for port in container.ports
        if port["outside"]
    ]
    published = {(p["PrivatePort"], p["Type"]) for p in found}
    for text in (container.config.get("ExposedPorts") or {}) if container.running else ():
        number, _, protocol = text.partition("/")
        if (int(number), protocol or "tcp") not in published:
            found.append({"PrivatePort": int(number), "Type": protocol or "tcp"})
    return sorted(found, key=lambda p: (p["PrivatePort"], p.get("PublicPort", 0)))


def status(container: Container) -> str:
    """The column STATUS: ``Up 5 minutes (healthy)``, ``Exited (0) 2 hours ago``.

    https://github.com/moby/moby/blob/v28.2.2/container/state.go (String)
    """
    if container.running:
        text = f"Up {human_duration(time.time() - seconds(container.started))}"
        health = (container.health or {}).get("Status")
        if health == "starting":
            return f"{text} (health: starting)"
        return f"{text} ({health})" if health else text
    if container.finished == NEVER:
        return "Created"
    since = human_duration(time.time() - seconds(container.finished))
    word = "Restarting" if container.status == RESTARTING else "Exited"
    return f"{word} ({container.exit_code}) {since} ago"


def sizes(written: Path, image: int) -> Document:
    """``SizeRw``, the bytes of the files in the folder ``written``, and ``SizeRootFs``."""
    own = sum(place.lstat().st_size for place in written.rglob("*") if not place.is_dir())
    return {"SizeRw": own, "SizeRootFs": own + image}


def top(container: Container) -> Document:
    """The processes of a container, with their pids on this machine. Raises Conflict."""
    if not container.running:
        raise Conflict(f"container {container.id} is not running")
    try:
        first = psutil.Process(container.pid)
        found = [first, *first.children(recursive=True)]
    except psutil.NoSuchProcess as error:
        raise Conflict(f"container {container.id} is not running") from error
    rows = []
    for each in found:
        with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
            rows.append(_row(each))
    titles = ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]
    return {"Titles": titles, "Processes": rows}


def _row(process: psutil.Process) -> list[str]:
    with process.oneshot():
        return [
            str(process.uids().real),
            *(str(process.pid), str(process.ppid()), "0"),
            time.strftime("%H:%M", time.localtime(process.create_time())),
            "?",
            time.strftime("%H:%M:%S", time.gmtime(sum(process.cpu_times()[:2]))),
            " ".join(process.cmdline()) or process.name(),
        ]
