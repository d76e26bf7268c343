"""What the labs need of a machine: one function for each need."""

from __future__ import annotations

import getpass
import importlib.util
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from botocore import configloader
from botocore.exceptions import ConfigParseError

from labs_helpers.cli import file_system
from labs_helpers.cli.terminal import size
from labs_helpers.engine import process as engine_process
from labs_helpers.engine.choice import EMBEDDED, NAMES, Choice, choose
from labs_helpers.engine.process import Health
from labs_helpers.files import LabsError, cannot_write
from labs_helpers.learners_copy.place import folder
from labs_helpers.modes import endpoint, environment
from labs_helpers.runner import process as runner_process
from labs_helpers.runtime.shims import choose_docker
from labs_helpers.sandbox import process as sandbox_process
from labs_helpers.workspace import Workspace, is_workbook

LITTLE_SPACE = 500_000_000
"""Bytes of free disk below which `labs doctor` warns: four times what all labs take."""
NO_SPACE = 120_000_000
"""Bytes of free disk below which the labs cannot all run: what all of them take."""


_ALLOW = (
    "Ubuntu 24.04 and later: sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0, then"
    " labs stop && labs start. Or start a Docker or Podman: the labs stand in front of it"
)
"""https://ubuntu.com/blog/ubuntu-23-10-restricted-unprivileged-user-namespaces"""

_NO_PORT = "End what listens there, or set LABS_PORT to a free one:\n  export LABS_PORT=14566"

STARTS = 10.0
"""Seconds in which a runner that has just started need not have asked for work."""


@dataclass(frozen=True)
class Need:
    """One need. ``state`` is "ok", "warning" (the labs run) or "missing" (the labs cannot run).

    ``fix`` says what to do, and is empty when nothing has to be done.
    """

    name: str
    state: str
    found: str
    fix: str = ""


def needs(workspace: Workspace, environ: Mapping[str, str] | None = None) -> list[Need]:
    """All needs. A LabsError in one of them makes that need "missing" and stops no other."""
    environ = os.environ if environ is None else environ
    functions: list[tuple[str, Callable[[], Need]]] = [
        ("python", python),
        ("environment", virtual_environment),
        ("files", lambda: files(workspace)),
        ("workbook", lambda: workbook(workspace, environ)),
        ("disk", lambda: disk(workspace)),
        ("clock", clock),
        ("port", lambda: port(workspace, environ)),
        ("sandbox", lambda: sandbox(workspace)),
        ("engine", lambda: engine(workspace, environ)),
        ("containers", lambda: containers(workspace, environ)),
        ("runner", lambda: runner(workspace)),
        ("docker", lambda: docker(workspace, environ)),
        ("aws", lambda: aws(workspace, environ)),
        ("jupyterlab", jupyterlab),
    ]
    return [need(name, function) for name, function in functions]


def need(name: str, function: Callable[[], Need]) -> Need:
    """A need; a LabsError makes the need "missing", with the error's words."""
    try:
        return function()
    except LabsError as error:
        found, _, fix = str(error).partition("\n")
        return Need(name, "missing", found, fix)


def python() -> Need:
    """The interpreter. `labs` refuses an interpreter that is too old before this is asked."""
    return Need("python", "ok", f"{platform.python_version()} ({sys.executable})")


def virtual_environment() -> Need:
    """Whether the labs have a Python environment of their own."""
    if sys.prefix != sys.base_prefix or os.environ.get("CONDA_PREFIX") == sys.prefix:
        return Need("environment", "ok", sys.prefix)
    fix = "`make lab` makes one in .venv/, with the versions the labs were tested with."
    return Need("environment", "warning", f"none of its own: {sys.prefix}", fix)


def files(workspace: Workspace) -> Need:
    """Whether the labs can write in LABS_HOME, and its file system has what the labs use."""
    workspace.create()
    try:
        with tempfile.TemporaryDirectory(dir=workspace.home, prefix=".doctor.") as folder:
            Path(folder, "file").write_bytes(b"x")
            lacks = file_system.lacking(Path(folder))
    except OSError as error:
        raise cannot_write(workspace.home, error) from error
    if lacks:
        fix = (
            "Home folders on a network, and Windows' own drives in WSL (/mnt/c), often lack this. "
            "Set LABS_HOME to a folder on a disk of this machine:\n"
            f"  export LABS_HOME=/var/tmp/labs-{getpass.getuser()}"
        )
        return Need("files", "missing", f"{workspace.home}: {'; '.join(lacks)}", fix)
    return Need("files", "ok", str(workspace.home))


def clock() -> Need:
    """Whether the machine's clock can be right: not before the labs themselves were installed."""
    now, installed = time.time(), Path(__file__).stat().st_mtime
    found = f"{datetime.fromtimestamp(now, UTC):%Y-%m-%d %H:%M} UTC"
    if now >= installed - 86400:
        return Need("clock", "ok", found)
    fix = "Set it: sudo timedatectl set-ntp true. Logins and dates of the sandbox go by it."
    return Need("clock", "warning", f"{found}, which is before the labs were installed", fix)


def workbook(workspace: Workspace, environ: Mapping[str, str]) -> Need:
    """Whether the learner's workbook can be written; the rest of the labs runs without it."""
    place = folder(workspace, environ)
    if os.access(existing(place), os.W_OK):
        found = str(place) if is_workbook(place) else f"{place}, which `labs lab` makes"
        return Need("workbook", "ok", found)
    fix = "Make the folder yours, or name another one:\n  export LABS_WORKBOOK=~/my-labs"
    return Need("workbook", "warning", f"{place} cannot be written", fix)


def disk(workspace: Workspace) -> Need:
    """Free space where LABS_HOME is."""
    free = shutil.disk_usage(existing(workspace.home)).free
    state = "missing" if free < NO_SPACE else "warning" if free < LITTLE_SPACE else "ok"
    fix = "" if state == "ok" else "Free some space, or set LABS_HOME to a folder on another disk."
    return Need("disk", state, f"{size(free)} free", fix)


def port(workspace: Workspace, environ: Mapping[str, str]) -> Need:
    """The sandbox's port: in use by the sandbox, free, or used by another process."""
    wanted = sandbox_process.wanted_port(workspace, environ)
    server = sandbox_process.running(workspace)
    if server is not None and server.port == wanted:
        return Need("port", "ok", f"{wanted}, the sandbox listens there")
    if server is not None:
        fix = "To move it there: labs stop && labs start. Terminals then need `labs env` again."
        return Need("port", "warning", f"{wanted} wanted, the sandbox is on {server.port}", fix)
    if sandbox_process.is_free(wanted):
        return Need("port", "ok", f"{wanted} is free")
    found = f"{wanted} is used by {sandbox_process.occupant(wanted)}"
    tried = range(wanted + 1, min(wanted + sandbox_process.PORTS_TRIED, 65536))
    free = next(filter(sandbox_process.is_free, tried), None)
    if free is None:
        return Need(
            "port", "missing", f"all from {wanted} to {tried.stop - 1} are in use", _NO_PORT
        )
    return Need("port", "warning", found, f"The sandbox will take the next free port, {free}.")


def sandbox(workspace: Workspace) -> Need:
    """Whether the sandbox runs and answers."""
    server = sandbox_process.running(workspace)
    if server is None:
        return Need("sandbox", "ok", "not running; `labs lab` and the notebooks start it")
    if sandbox_process.health(server.port) is None:
        log = workspace.sandbox / "sandbox.log"
        fix = f"labs stop && labs start; its log is {log}"
        return Need("sandbox", "warning", f"process {server.pid} does not answer", fix)
    facts = sandbox_process.control_answer(workspace, server.port, "status") or {}
    if notices := [*facts.get("set_aside", []), *facts.get("notices", [])]:
        fix = "\n".join([*notices, "What was kept aside stays there until you delete it."])
        return Need("sandbox", "warning", f"answers at {endpoint(server.port)}; see below", fix)
    return Need("sandbox", "ok", f"answers at {endpoint(server.port)}")


def runner(workspace: Workspace) -> Need:
    """Whether the process runs that does builds and tasks for the sandbox."""
    found, server = runner_process.running(workspace), sandbox_process.running(workspace)
    if found is None and server is None:
        return Need("runner", "ok", "not running; `labs lab` and the notebooks start it")
    fix = f"labs stop && labs start; its log is {workspace.runner / 'runner.log'}"
    if found is None:
        return Need("runner", "warning", "not running, so builds and tasks wait", fix)
    work = sandbox_process.control_answer(workspace, server.port, "work") if server else None
    if time.time() - found.started < STARTS:
        return Need("runner", "ok", f"process {found.pid} has just started")
    if work is None or found.pid not in work["runners"]:
        return Need("runner", "warning", f"process {found.pid} has not asked for work", fix)
    return Need("runner", "ok", f"process {found.pid} waits for work")


def engine(workspace: Workspace, environ: Mapping[str, str]) -> Need:
    """Whether the engine's socket answers; which engine the labs choose, and why."""
    workspace.check_socket_path()
    running = engine_process.running(workspace)
    if running is None:
        choice = choose(workspace, environ)
        found = f"not running; `labs lab` and the notebooks start it: {_named(choice)}"
        return Need("engine", "ok", found)
    health = engine_process.health(workspace.socket)
    if health is Health.WITHOUT_DAEMON:
        found, fix = running.choice.no_answer
        return Need("engine", "warning", found, fix[0].upper() + fix[1:])
    if health is Health.SILENT:
        fix = f"labs stop && labs start; its log is {workspace.engine / 'engine.log'}"
        return Need("engine", "warning", f"process {running.pid} does not answer", fix)
    found = f"answers at unix://{workspace.socket}: {_named(running.choice)}"
    return Need("engine", "ok", found)


def _named(choice: Choice) -> str:
    name = f"{NAMES[choice.kind]} {choice.version}".strip()
    return f"{name} ({choice.why})" if choice.why else name


def containers(workspace: Workspace, environ: Mapping[str, str]) -> Need:
    """How containers run, where the labs' own engine runs them."""
    running = engine_process.running(workspace)
    choice = running.choice if running else choose(workspace, environ)
    if choice.kind != EMBEDDED:
        return Need("containers", "ok", f"{NAMES[choice.kind]} runs them")
    found = engine_process.isolation(workspace)
    if found.has_namespaces:
        return Need("containers", "ok", found.sentence)
    return Need("containers", "warning", found.sentence, _ALLOW if sys.platform == "linux" else "")


def docker(workspace: Workspace, environ: Mapping[str, str]) -> Need:
    """Which docker command the labs use."""
    chosen = choose_docker(workspace, environ)
    found = "the labs' own" if chosen.kind == "standin" else str(chosen.path)
    return Need("docker", "ok", f"{found} ({chosen.why})")


def aws(workspace: Workspace, environ: Mapping[str, str]) -> Need:
    """The `aws` command on the labs' PATH, and whether it can read its configuration."""
    # any port will do: PATH does not depend on it, and a wrong LABS_PORT is the need "port"
    path = environment(workspace, sandbox_process.DEFAULT_PORT, environ).applied(environ)["PATH"]
    if found := shutil.which("aws", path=path):
        for file in (workspace.aws_config, workspace.aws_credentials):
            if file.exists() and not _parses(file):
                fix = f"Move it away, and run labs configure:\n  mv {file} {file}.broken"
                return Need("aws", "warning", f"{found}, which cannot read {file}", fix)
        return Need("aws", "ok", found)
    fix = (
        "`make lab` installs it into .venv/. Or install the AWS CLI: "
        "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html"
    )
    return Need("aws", "missing", "no `aws` command", fix)


def _parses(file: Path) -> bool:
    """Whether `aws` can read the file; on a file that it cannot, it ends with a traceback."""
    try:
        configloader.raw_config_parse(str(file))
    except ConfigParseError:
        return False
    return True


def jupyterlab() -> Need:
    """Whether JupyterLab is in this environment; terminals and `labs run` work without it."""
    if importlib.util.find_spec("jupyterlab"):
        return Need("jupyterlab", "ok", "installed")
    fix = f"`make lab` installs it, or: {sys.executable} -m pip install jupyterlab"
    return Need("jupyterlab", "missing", "not installed in this environment", fix)


def existing(path: Path) -> Path:
    """The path, or the nearest folder above it that exists."""
    return next(folder for folder in (path, *path.parents) if folder.exists())
