"""The sandbox as a background process: start, find, stop."""

from __future__ import annotations

import http.client
import json
import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psutil

from labs_helpers.files import LabsError
from labs_helpers.runtime import background_process
from labs_helpers.runtime.background_process import (
    BackgroundProcess,
    ProcessError,
    Say,
    without_credentials,
)
from labs_helpers.runtime.folder_lock import FolderLock
from labs_helpers.workspace import Workspace

NAME = "sandbox"
MODULE = "labs_helpers.sandbox.server"
SERVICE = "labs-sandbox"
DEFAULT_PORT = 4566
PORTS_TRIED = 100


class PortError(LabsError):
    """No port for the sandbox: LABS_PORT is no port number, or all that were tried are taken."""


@dataclass(frozen=True)
class Server:
    """A running sandbox; ``started`` in seconds since 1970, ``memory`` in resident bytes."""

    pid: int
    port: int
    instance: str
    started: float
    memory: int


def running(workspace: Workspace) -> Server | None:
    """The running sandbox of this workspace, without asking it."""
    return _server(background_process.running(workspace.sandbox / "server.json"))


def start(workspace: Workspace, say: Say, environ: Mapping[str, str] | None = None) -> Server:
    """The running sandbox, started if there was none, once it answers.

    Raises ProcessError when it does not start, FolderInUse when another process serves this
    workspace, PortError and WorkspaceError.
    """
    environ = os.environ if environ is None else environ
    workspace.create()
    with background_process.only_one(workspace.sandbox / "start.lock", say):
        return _start(workspace, say, environ)


def stop(workspace: Workspace, say: Say) -> bool:
    """End the sandbox; False if there was none."""
    if not workspace.sandbox.is_dir():
        return False
    with background_process.only_one(workspace.sandbox / "start.lock", say):
        return background_process.stop(workspace.sandbox / "server.json", NAME)


def health(port: int, seconds: float = 2.0) -> dict[str, Any] | None:
    """What answers ``/_labs/health`` on a loopback port; None unless it is a sandbox."""
    found = _asked(port, "/_labs/health", {}, seconds)
    return found if found is not None and found.get("service") == SERVICE else None


def control_answer(
    workspace: Workspace, port: int, about: str, seconds: float = 5.0
) -> dict[str, Any] | None:
    """What the sandbox tells the owner of its files about "status" or "clock"; None if silent."""
    try:
        token = workspace.control_token.read_text(encoding="ascii").strip()
    except OSError:
        return None
    return _asked(port, f"/_labs/{about}", {"Authorization": f"Bearer {token}"}, seconds)


def _asked(port: int, path: str, headers: dict[str, str], seconds: float) -> dict[str, Any] | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        found = json.loads(answer.read(1_000_000)) if answer.status == 200 else None
    except (OSError, http.client.HTTPException, ValueError):
        # refused, no HTTP or no JSON: whatever is there, it is no sandbox
        return None
    finally:
        connection.close()
    return found if isinstance(found, dict) else None


def wanted_port(workspace: Workspace, environ: Mapping[str, str]) -> int:
    """LABS_PORT, else the port remembered, else 4566; raises PortError for what is no port."""
    chosen = environ.get("LABS_PORT") or workspace.remembered().get("port") or DEFAULT_PORT
    try:
        port = int(chosen)
    except (TypeError, ValueError):
        port = 0
    if not 1024 <= port <= 65535:
        raise PortError(
            f"The port of the sandbox is given as {chosen!r}; it must be a number from 1024 to "
            "65535.\nSet LABS_PORT, or unset it to use the default."
        )
    return port


def is_free(port: int) -> bool:
    """Whether the sandbox could listen on this loopback port."""
    with socket.socket() as probe:
        # as the server itself does: connections of a server just stopped do not block the port
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def occupant(port: int) -> str:
    """Who listens on a loopback port, as far as this user may know."""
    if health(port) is not None:
        return "the sandbox of another labs folder"
    try:
        for found in psutil.net_connections("tcp"):
            if found.status == psutil.CONN_LISTEN and found.laddr.port == port and found.pid:
                return f"{psutil.Process(found.pid).name()} (process {found.pid})"
    except psutil.Error:
        pass  # macOS tells other processes' sockets to root only
    return "another program"


def _start(workspace: Workspace, say: Say, environ: Mapping[str, str]) -> Server:
    record = workspace.sandbox / "server.json"
    there = _server(background_process.running(record))
    wanted = wanted_port(workspace, environ)
    if there is None:
        # says so before a process is started, and before a port is chosen
        FolderLock.take(workspace.sandbox, NAME).release()
    first = there.port if there else wanted
    for port in range(first, min(first + PORTS_TRIED, 65536)):
        if there is None and not is_free(port):
            continue
        if port != first:
            say(f"Port {first} is in use by {occupant(first)}; the sandbox takes {port}.")
        try:
            found = background_process.start(_process(workspace, port, environ), say)
        except ProcessError:
            if is_free(port):
                raise
            continue  # another program has just taken it
        workspace.remember(port=port)
        server = _server(found)
        if server is None:
            raise AssertionError(f"{record} was just written without a port")
        return server
    raise PortError(
        f"No free port for the sandbox from {first} to {first + PORTS_TRIED - 1}: {first} is in "
        f"use by {occupant(first)}.\nSet LABS_PORT to a free one, for example: LABS_PORT=14566"
    )


def _process(workspace: Workspace, port: int, environ: Mapping[str, str]) -> BackgroundProcess:
    def ready() -> Mapping[str, Any] | None:
        answer = health(port)
        # two folders may have found the same port free: the sandbox of the other one, which was
        # quicker, answers as well, but does not take this folder's token
        if answer is None or control_answer(workspace, port, "clock") is None:
            return None
        return {"port": port, "instance": str(answer["instance"])}

    log = workspace.sandbox / "sandbox.log"
    return BackgroundProcess(
        name=NAME,
        command=(
            # -P: the folder it runs in is no place to import from
            *(sys.executable, "-P", "-m", MODULE),
            *("--home", str(workspace.home), "--port", str(port), "--log", str(log)),
        ),
        record=workspace.sandbox / "server.json",
        log=log,
        ready=ready,
        # with no credentials of the learner's in it, it could not reach AWS even by a mistake
        environ=without_credentials(environ),
    )


def _server(found: background_process.Running | None) -> Server | None:
    if found is None or not isinstance(found.facts.get("port"), int):
        return None
    return Server(
        pid=found.pid,
        port=found.facts["port"],
        instance=str(found.facts.get("instance", "")),
        started=found.started,
        memory=found.memory,
    )
