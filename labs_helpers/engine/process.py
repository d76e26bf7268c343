"""The engine as a background process: start, find, stop, and which registries it maps."""

from __future__ import annotations

import http.client
import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labs_helpers import daemon
from labs_helpers.daemon import Daemon, Say
from labs_helpers.workspace import Workspace, read_json, write_json

NAME = "engine"
MODULE = "labs_helpers.engine"
HOSTS = (
    "*.dkr.ecr.*.amazonaws.com",
    "*.dkr.ecr.*.amazonaws.com.cn",
    "docker.io",
    "index.docker.io",
    "registry-1.docker.io",
    "auth.docker.io",
    "public.ecr.aws",
)
"""Registry host names that the sandbox answers for."""


@dataclass(frozen=True)
class Engine:
    """A running engine; ``started`` in seconds since 1970, ``memory`` in resident bytes."""

    pid: int
    started: float
    memory: int


class _SocketConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


def running(workspace: Workspace) -> Engine | None:
    """The running engine of this workspace, without asking it."""
    return _engine(daemon.running(_record(workspace)))


def start(
    workspace: Workspace, port: int, say: Say, environ: Mapping[str, str] | None = None
) -> Engine:
    """The running engine, its registries mapped to the sandbox on ``port``, once it answers.

    Raises DaemonError when it does not start, WorkspaceError when it has no place.
    """
    environ = os.environ if environ is None else environ
    workspace.create()
    with daemon.only_one(workspace.engine / "start.lock", say):
        map_registries(workspace, port)
        if daemon.running(_record(workspace)) is None:
            # the socket of a killed engine; nobody listens there
            workspace.socket.unlink(missing_ok=True)
        found = daemon.start(_daemon(workspace, environ), say)
    return Engine(found.pid, found.started, found.memory)


def stop(workspace: Workspace, say: Say) -> bool:
    """End the engine; False if there was none."""
    if not workspace.engine.is_dir():
        return False
    with daemon.only_one(workspace.engine / "start.lock", say):
        return daemon.stop(_record(workspace), NAME)


def map_registries(workspace: Workspace, port: int) -> None:
    """Write registries.json; the engine reads it anew when it has changed."""
    address = f"http://127.0.0.1:{port}"
    document = {
        "hosts": [{"pattern": pattern, "address": address} for pattern in HOSTS],
        "offline": True,
    }
    if read_json(workspace.registries) != document:
        write_json(workspace.registries, document)


def answers(path: Path, seconds: float = 2.0) -> bool:
    """Whether an engine answers ``GET /_ping`` on a unix socket."""
    connection = _SocketConnection(path, seconds)
    try:
        connection.request("GET", "/_ping")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _daemon(workspace: Workspace, environ: Mapping[str, str]) -> Daemon:
    def ready() -> Mapping[str, Any] | None:
        return {"socket": str(workspace.socket)} if answers(workspace.socket) else None

    return Daemon(
        name=NAME,
        command=(
            *(sys.executable, "-P", "-m", MODULE, "--socket", str(workspace.socket)),
            *("--state", str(workspace.engine), "--registries", str(workspace.registries)),
        ),
        record=_record(workspace),
        log=workspace.engine / "engine.log",
        ready=ready,
        environ=environ,
    )


def _record(workspace: Workspace) -> Path:
    return workspace.engine / "engine.json"


def _engine(found: daemon.Running | None) -> Engine | None:
    return None if found is None else Engine(found.pid, found.started, found.memory)
