"""The engine as a background process: start, find and stop it, and write its registry map."""

from __future__ import annotations

import http.client
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from labs_helpers.files import LabsError, read_json, write_json
from labs_helpers.runtime import background_process
from labs_helpers.runtime.background_process import BackgroundProcess, Say
from labs_helpers.runtime.unix_http import UnixConnection, exchange
from labs_helpers.workspace import Workspace

from .choice import AUTO, EMBEDDED, NAMES, Choice, choose, requested_kind
from .containers.link import stop_keeper
from .hosts import ECR_HOSTS, HUB_HOSTS
from .machine import Isolation
from .machine import isolation as isolation_of

NAME = "engine"
MODULE = "labs_helpers.engine"
FRUGAL = {"MALLOC_ARENA_MAX": "2"}
"""Limits the memory that glibc otherwise keeps for each thread that has worked on layers.

https://sourceware.org/glibc/manual/latest/html_node/Memory-Allocation-Tunables.html
"""


@dataclass(frozen=True)
class Engine:
    """A running engine; ``started`` in seconds since 1970, ``memory`` in resident bytes."""

    pid: int
    started: float
    memory: int
    choice: Choice


class Health(Enum):
    """The state of the engine's socket."""

    ANSWERS = "it answers"
    WITHOUT_DAEMON = "the front answers, and the daemon that it stands before does not"
    SILENT = "nothing answers"


def running(workspace: Workspace) -> Engine | None:
    """The engine process of this workspace, by its record; the engine itself is not asked."""
    return _engine(background_process.running(_record_file(workspace)))


def start(
    workspace: Workspace, port: int, say: Say, environ: Mapping[str, str] | None = None
) -> Engine:
    """Start the engine, or keep the one that runs; return it once it answers.

    Its registries lead to the sandbox on ``port``. Raises ProcessError when the engine does not
    start, WorkspaceError when its folder cannot be created.
    """
    environ = os.environ if environ is None else environ
    kind = requested_kind(workspace, environ)
    workspace.create()
    with background_process.only_one(workspace.engine / "start.lock", say):
        map_registries(workspace, port, environ)
        there = running(workspace)
        if there and kind in (AUTO, there.choice.kind) and answers(workspace.socket):
            return there
        choice = choose(workspace, environ)
        if there and there.choice != choice:
            say(f"The engine changes to {NAMES[choice.kind]}: {choice.why}.")
            background_process.stop(_record_file(workspace), NAME)
        if background_process.running(_record_file(workspace)) is None:
            # a killed engine leaves its socket
            workspace.socket.unlink(missing_ok=True)
        background_process.start(_process(workspace, environ, choice), say)
    found = running(workspace)
    if found is None:
        raise LabsError("The engine ended as soon as it had started. Try again: labs start")
    return found


def stop(workspace: Workspace, say: Say) -> bool:
    """End the engine; False when none ran."""
    if not workspace.engine.is_dir():
        return False
    with background_process.only_one(workspace.engine / "start.lock", say):
        stopped = background_process.stop(_record_file(workspace), NAME)
        # an engine that was killed leaves its containers to the next
        stop_keeper(workspace.engine / "containers")
        return stopped


def map_registries(
    workspace: Workspace, port: int, environ: Mapping[str, str] | None = None
) -> None:
    """Write registries.json, which the engine reads again after a change.

    With LABS_HUB=online, Docker Hub and ECR Public are reached on the internet; the default is
    ``offline``. Raises LabsError for any other value.
    """
    environ = os.environ if environ is None else environ
    hub = environ.get("LABS_HUB") or "offline"
    if hub not in ("offline", "online"):
        raise LabsError(
            f"LABS_HUB is {hub!r}. It can be offline (the labs' stand-in for Docker Hub) or online"
            " (the real Docker Hub and ECR Public)."
        )
    address = f"http://127.0.0.1:{port}"
    patterns = ECR_HOSTS if hub == "online" else ECR_HOSTS + HUB_HOSTS
    document = {
        "hosts": [{"pattern": pattern, "address": address} for pattern in patterns],
        "offline": hub == "offline",
    }
    if read_json(workspace.registries) != document:
        write_json(workspace.registries, document)


def answers(path: Path, seconds: float = 2.0) -> bool:
    """Whether the engine on a unix socket, and the daemon behind a front, answer ``GET /_ping``."""
    return health(path, seconds) is Health.ANSWERS


def health(path: Path, seconds: float = 2.0) -> Health:
    """The response to ``GET /_ping`` on a unix socket."""
    connection = UnixConnection(path, seconds)
    try:
        status = exchange(connection, "GET", "/_ping").status
    except (OSError, http.client.HTTPException):
        return Health.SILENT
    finally:
        connection.close()
    if status == 200:
        return Health.ANSWERS
    # a front responds itself, as a gateway does
    return Health.WITHOUT_DAEMON if status in (502, 503) else Health.SILENT


def isolation(workspace: Workspace) -> Isolation:
    """How the labs' own engine isolates containers on this machine."""
    place = workspace.engine
    return isolation_of(place if place.is_dir() else Path(tempfile.gettempdir()))


def note(engine: Engine, path: Path) -> str:
    """What a learner should know of how the labs' own engine on a socket runs containers."""
    if engine.choice.kind != EMBEDDED:
        return ""
    connection = UnixConnection(path, 10.0)
    try:
        found = json.loads(exchange(connection, "GET", "/info").read())
        return " ".join(text.removeprefix("WARNING: ") for text in found.get("Warnings") or [])
    except (OSError, http.client.HTTPException, ValueError, AttributeError):
        return ""  # the engine's health is told elsewhere
    finally:
        connection.close()


def _process(workspace: Workspace, environ: Mapping[str, str], choice: Choice) -> BackgroundProcess:
    def ready() -> Mapping[str, Any] | None:
        facts = {"socket": str(workspace.socket), "choice": asdict(choice)}
        return facts if answers(workspace.socket) else None

    log = workspace.engine / "engine.log"
    return BackgroundProcess(
        name=NAME,
        command=(
            *(sys.executable, "-P", "-m", MODULE, "--socket", str(workspace.socket)),
            *("--state", str(workspace.engine), "--registries", str(workspace.registries)),
            *("--home", str(workspace.home), "--log", str(log)),
            *(("--daemon", choice.address) if choice.address else ()),
        ),
        record=_record_file(workspace),
        log=log,
        ready=ready,
        environ={**environ, **FRUGAL},
    )


def _record_file(workspace: Workspace) -> Path:
    return workspace.engine / "engine.json"


def _engine(found: background_process.Running | None) -> Engine | None:
    if found is None:
        return None
    noted = found.facts.get("choice")
    try:
        choice = Choice(**noted) if isinstance(noted, dict) else Choice(EMBEDDED, "")
    except TypeError:  # written by another version of the labs
        choice = Choice(EMBEDDED, "")
    return Engine(found.pid, found.started, found.memory, choice)
