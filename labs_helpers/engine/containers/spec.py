"""What the keeper starts: the specification of a container's program, or of one that exec adds."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from labs_helpers.runtime import isolated

from .. import machine
from ..build.run.accounts import Account
from ..build.stage import DEFAULT_PATH
from ..capabilities import capabilities
from ..errors import BadRequest
from .options import network
from .record import Container

Spec = dict[str, Any]

_SHM = 64 << 20
PROCESSES = 4096
"""The processes of a container, unless --pids-limit says less: a fork bomb ends there."""

RELAYS = "labs.relay"
"""A label by which a program of the labs asks for relays: see README."""

BUILD = "labs.build"
"""An annotation with the folder of a build, whose commands run in the container: its programs get
the mark of the build. A label would not do: an image can bring any label."""


def command(config: Mapping[str, Any]) -> list[str]:
    """The words of a container's program: Entrypoint, then Cmd."""
    return [*(config.get("Entrypoint") or []), *(config.get("Cmd") or [])]


def merge_environment(*layers: list[str] | None) -> list[str]:
    """Variables (``NAME=value``), where a later layer wins.

    A name without a value, as from docker run --env NAME, takes an earlier layer's variable away.
    The last layer's names stay in the list, for an inspection and for a merge with more layers.
    """
    found: dict[str, str] = {}
    for layer in layers:
        found = {name: pair for name, pair in found.items() if "=" in pair}
        found |= {pair.partition("=")[0]: pair for pair in layer or []}
    return list(found.values())


def of_container(
    container: Container, folder: Path, lower: list[Path], words: list[str], account: Account
) -> Spec:
    """The specification of a container whose folders are prepared.

    ``lower`` are the read-only folders below its files, the highest first.
    """
    config, host = container.config, container.host
    kind = "none" if config.get("NetworkDisabled") else network(host.get("NetworkMode") or "")
    mounts = [_own_file(folder, name) for name in ("resolv.conf", "hosts", "hostname")]
    mounts += [
        {
            **{key: mount[key] for key in ("source", "target", "read_only")},
            "exact": bool(container.owner) and mount["kind"] == "bind",
        }
        for mount in container.mounts
    ]
    return {
        **_process(container, config, account, kind),
        "words": words,
        "lower": ":".join(os.path.relpath(each, folder) for each in lower),
        "mounts": mounts,
        "hostname": hostname(container),
        "read_only": bool(host.get("ReadonlyRootfs")),
        "init": bool(host.get("Init")),
        "ports": container.ports,
        "relays": relays(config.get("Labels") or {}, kind),
        "tmpfs": dict(host.get("Tmpfs") or {}),
        "shm_size": host.get("ShmSize") or _SHM,
        "size": host.get("ConsoleSize") if any(host.get("ConsoleSize") or ()) else None,
    }


def of_exec(container: Container, config: Mapping[str, Any], account: Account) -> Spec:
    """The specification of a program that joins a running container."""
    kind = network(container.host.get("NetworkMode") or "")
    pairs = merge_environment(container.config.get("Env"), config.get("Env"))
    cwd = config.get("WorkingDir") or container.config.get("WorkingDir") or "/"
    merged = {
        **{"Env": pairs, "WorkingDir": cwd, "Tty": config.get("Tty")},
        **{"OpenStdin": config.get("AttachStdin"), "StdinOnce": True},
    }
    return {
        **_process(container, merged, account, kind),
        "words": list(config.get("Cmd") or []),
        "size": config.get("ConsoleSize"),
        "framed": not config.get("Raw", config.get("Tty")),
        "init": False,
    }


def _process(container: Container, config: Mapping[str, Any], account: Account, kind: str) -> Spec:
    host = container.host
    environment = merge_environment(
        [DEFAULT_PATH, f"HOSTNAME={hostname(container)}"],
        ["TERM=xterm"] if config.get("Tty") else [],
        [f"HOME={account.home}"],
        config.get("Env"),
        [],
    )
    limit = host.get("PidsLimit") or 0
    memory = (host.get("Memory") or 0, host.get("MemorySwap") or 0)
    return {
        "environment": environment,
        "cwd": config.get("WorkingDir") or "/",
        "uid": account.uid,
        "gid": account.gid,
        "groups": list(dict.fromkeys((account.gid, *account.groups))),
        "tty": bool(config.get("Tty")),
        "framed": not config.get("Tty"),
        "open_stdin": bool(config.get("OpenStdin")),
        "stdin_once": bool(config.get("StdinOnce")),
        "network": kind,
        "capabilities": capabilities(host, kind),
        "memory": memory,
        "processes": limit if limit > 0 else PROCESSES,
        "user_namespace": os.geteuid() != 0,
        "users": machine.users(),
        "limits": marks(host),
    }


def marks(host: Mapping[str, Any]) -> list[tuple[int, int]]:
    """Hard limits by which a container's programs are known as a build's: (resource, limit).

    Where the programs are no build's, the limit leaves no room to become one's. Raises BadRequest
    for a folder that is not there.
    """
    folder = (host.get("Annotations") or {}).get(BUILD)
    if not folder:
        return [(isolated.REAL_TIME, isolated.OF_NO_BUILD[isolated.REAL_TIME])]
    try:
        return list(isolated.limits_of(Path(folder)).items())
    except OSError as error:
        raise BadRequest(f"the annotation {BUILD} names no folder: {error}") from error


def hostname(container: Container) -> str:
    """The host name that a container sees."""
    return str(container.config.get("Hostname") or container.short_id)


def _own_file(folder: Path, name: str) -> Spec:
    return {"source": str(folder / name), "target": f"/etc/{name}", "read_only": False}


def write_own_files(container: Container, folder: Path) -> None:
    """Write the container's /etc/hosts, hostname and resolv.conf."""
    name = hostname(container)
    lines = ["127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost ip6-loopback"]
    for extra in container.host.get("ExtraHosts") or []:
        host, _, address = str(extra).replace("=", ":", 1).partition(":")
        # the machine itself is reached where relays and the host's network lead
        lines.append(f"{'127.0.0.1' if address == 'host-gateway' else address.strip('[]')}\t{host}")
    lines.append(f"127.0.0.1\t{name}")
    (folder / "hosts").write_text("\n".join(lines) + "\n")
    (folder / "hostname").write_text(f"{name}\n")
    target = folder / "resolv.conf"
    try:
        shutil.copyfile("/etc/resolv.conf", target)
    except OSError:
        target.write_text("")
    for each in ("hosts", "hostname", "resolv.conf"):
        (folder / each).chmod(0o644)


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and 0 < int(text[:6]) < 1 << 16


def _is_address(text: str) -> bool:
    try:
        return IPv4Address(text) is not None
    except ValueError:
        return False


def relays(labels: Mapping[str, str], kind: str) -> list[tuple[str, int, int]]:
    """The relays of the label: address and port inside, port on this machine's loopback.

    Raises:
        BadRequest: the label is malformed.
    """
    text = labels.get(RELAYS, "")
    if not text or kind == "host":
        return []
    found = []
    for one in text.split(","):
        inside, _, outside = one.strip().partition("=")
        address, _, port = inside.rpartition(":")
        host, _, target = outside.rpartition(":")
        if host != "127.0.0.1" or not (
            _is_address(address) and _is_port(port) and _is_port(target)
        ):
            raise BadRequest(
                f"the label {RELAYS} is {text!r}; its form is ADDRESS:PORT=127.0.0.1:PORT, several"
                " separated by commas"
            )
        found.append((address, int(port), int(target)))
    return found
