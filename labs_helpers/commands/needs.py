"""What the labs need of a machine, looked at one by one."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from botocore import configloader
from botocore.exceptions import ConfigParseError

from labs_helpers.commands.terminal import size
from labs_helpers.engine import process as engine_process
from labs_helpers.engine.choice import NAMES, Choice, choose
from labs_helpers.engine.process import Health
from labs_helpers.launchers import choose_docker
from labs_helpers.modes import endpoint, environment
from labs_helpers.sandbox import process as sandbox_process
from labs_helpers.workspace import LabsError, Workspace, cannot_write

LITTLE_SPACE = 500_000_000
"""Bytes: the images of all labs take about a fifth of this."""
NO_SPACE = 50_000_000


@dataclass(frozen=True)
class Need:
    """One need: ``state`` is "ok", "warning" (the labs run) or "missing" (they cannot)."""

    name: str
    state: str
    found: str
    mend: str = ""


def needs(workspace: Workspace, environ: Mapping[str, str] | None = None) -> list[Need]:
    """Look at everything; a fault found by one look does not keep the others from looking."""
    environ = os.environ if environ is None else environ
    looks: list[tuple[str, Callable[[], Need]]] = [
        ("python", python),
        ("environment", virtual_environment),
        ("files", lambda: files(workspace)),
        ("disk", lambda: disk(workspace)),
        ("port", lambda: port(workspace, environ)),
        ("sandbox", lambda: sandbox(workspace)),
        ("engine", lambda: engine(workspace, environ)),
        ("docker", lambda: docker(workspace, environ)),
        ("aws", lambda: aws(workspace, environ)),
        ("jupyterlab", jupyterlab),
    ]
    return [_looked(name, look) for name, look in looks]


def _looked(name: str, look: Callable[[], Need]) -> Need:
    try:
        return look()
    except LabsError as error:
        found, _, mend = str(error).partition("\n")
        return Need(name, "missing", found, mend)


def python() -> Need:
    """The interpreter; `labs` itself refuses one that is too old."""
    return Need("python", "ok", f"{platform.python_version()} ({sys.executable})")


def virtual_environment() -> Need:
    """Whether the labs have an environment to themselves."""
    if sys.prefix != sys.base_prefix or os.environ.get("CONDA_PREFIX") == sys.prefix:
        return Need("environment", "ok", sys.prefix)
    mend = "`make lab` makes one in .venv/, with the versions the labs were tested with."
    return Need("environment", "warning", f"none of its own: {sys.prefix}", mend)


def files(workspace: Workspace) -> Need:
    """Whether LABS_HOME can be written and its socket path is short enough."""
    workspace.create()
    try:
        with tempfile.TemporaryFile(dir=workspace.home) as file:
            file.write(b"x")
    except OSError as error:
        raise cannot_write(workspace.home, error) from error
    return Need("files", "ok", str(workspace.home))


def disk(workspace: Workspace) -> Need:
    """Free space where LABS_HOME is."""
    free = shutil.disk_usage(_existing(workspace.home)).free
    state = "missing" if free < NO_SPACE else "warning" if free < LITTLE_SPACE else "ok"
    mend = "" if state == "ok" else "Free some space, or set LABS_HOME to a folder on another disk."
    return Need("disk", state, f"{size(free)} free", mend)


def port(workspace: Workspace, environ: Mapping[str, str]) -> Need:
    """The sandbox's port: its own, free, or whose."""
    wanted = sandbox_process.wanted_port(workspace, environ)
    server = sandbox_process.running(workspace)
    if server is not None and server.port == wanted:
        return Need("port", "ok", f"{wanted}, the sandbox listens there")
    if server is not None:
        mend = "To move it there: labs stop && labs start. Terminals then need `labs env` again."
        return Need("port", "warning", f"{wanted} wanted, the sandbox is on {server.port}", mend)
    if sandbox_process.is_free(wanted):
        return Need("port", "ok", f"{wanted} is free")
    found = f"{wanted} is used by {sandbox_process.occupant(wanted)}"
    return Need("port", "warning", found, "The sandbox will take the next free one.")


def sandbox(workspace: Workspace) -> Need:
    """Whether the sandbox runs and answers."""
    server = sandbox_process.running(workspace)
    if server is None:
        return Need("sandbox", "ok", "not running; `labs lab` and the notebooks start it")
    if sandbox_process.health(server.port) is None:
        log = workspace.sandbox / "sandbox.log"
        mend = f"labs stop && labs start; its log is {log}"
        return Need("sandbox", "warning", f"process {server.pid} does not answer", mend)
    return Need("sandbox", "ok", f"answers at {endpoint(server.port)}")


def engine(workspace: Workspace, environ: Mapping[str, str]) -> Need:
    """Whether the engine's socket is possible, and answers; which engine, and why."""
    workspace.check_socket_path()
    running = engine_process.running(workspace)
    if running is None:
        choice = choose(workspace, environ)
        found = f"not running; `labs lab` and the notebooks start it: {_named(choice)}"
        return Need("engine", "ok", found)
    health = engine_process.health(workspace.socket)
    if health is Health.WITHOUT_DAEMON:
        found, mend = running.choice.no_answer
        return Need("engine", "warning", found, mend[0].upper() + mend[1:])
    if health is Health.SILENT:
        mend = f"labs stop && labs start; its log is {workspace.engine / 'engine.log'}"
        return Need("engine", "warning", f"process {running.pid} does not answer", mend)
    found = f"answers at unix://{workspace.socket}: {_named(running.choice)}"
    return Need("engine", "ok", found)


def _named(choice: Choice) -> str:
    return f"{NAMES[choice.kind]} {choice.version}".strip() + (
        f" ({choice.why})" * bool(choice.why)
    )


def docker(workspace: Workspace, environ: Mapping[str, str]) -> Need:
    """Which docker command the labs use."""
    chosen = choose_docker(workspace, environ)
    found = "the labs' own" if chosen.kind == "standin" else str(chosen.path)
    return Need("docker", "ok", f"{found} ({chosen.why})")


def aws(workspace: Workspace, environ: Mapping[str, str]) -> Need:
    """The `aws` command on the labs' PATH, and whether it can read its configuration."""
    # which port does not matter here, and LABS_PORT may be none: that is the look at the port
    path = environment(workspace, sandbox_process.DEFAULT_PORT, environ).applied(environ)["PATH"]
    if found := shutil.which("aws", path=path):
        for file in (workspace.aws_config, workspace.aws_credentials):
            if file.exists() and not _parses(file):
                mend = f"Move it away, and run labs configure:\n  mv {file} {file}.broken"
                return Need("aws", "warning", f"{found}, which cannot read {file}", mend)
        return Need("aws", "ok", found)
    mend = (
        "`make lab` installs it into .venv/. Or install the AWS CLI: "
        "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html"
    )
    return Need("aws", "missing", "no `aws` command", mend)


def _parses(file: Path) -> bool:
    """Whether `aws` takes the file; at one that it does not, it ends with a traceback."""
    try:
        configloader.raw_config_parse(str(file))
    except ConfigParseError:
        return False
    return True


def jupyterlab() -> Need:
    """Whether JupyterLab is in this environment; terminals and `labs run` go without."""
    if importlib.util.find_spec("jupyterlab"):
        return Need("jupyterlab", "ok", "installed")
    mend = f"`make lab` installs it, or: {sys.executable} -m pip install jupyterlab"
    return Need("jupyterlab", "missing", "not installed in this environment", mend)


def _existing(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    return next(folder for folder in (path, *path.parents) if folder.exists())
