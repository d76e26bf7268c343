"""The runner as a background process: start, find, stop."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from labs_helpers.runtime import background_process
from labs_helpers.runtime.background_process import BackgroundProcess, Say, without_credentials
from labs_helpers.workspace import Workspace

NAME = "runner"
MODULE = "labs_helpers.runner"


@dataclass(frozen=True)
class RunnerProcess:
    """A running runner; ``started`` in seconds since 1970, ``memory`` in resident bytes."""

    pid: int
    started: float
    memory: int


def running(workspace: Workspace) -> RunnerProcess | None:
    """The running runner of this workspace, by its record."""
    found = background_process.running(workspace.runner / "runner.json")
    return None if found is None else RunnerProcess(found.pid, found.started, found.memory)


def start(workspace: Workspace, say: Say, environ: Mapping[str, str] | None = None) -> None:
    """Start the runner unless it runs. Nobody waits for the runner: jobs wait at the desk.

    Raises ProcessError when the process cannot be started, WorkspaceError.
    """
    environ = os.environ if environ is None else environ
    workspace.create()
    with background_process.only_one(workspace.runner / "start.lock", say):
        background_process.start(_process(workspace, environ), say)


def stop(workspace: Workspace, say: Say) -> bool:
    """End the runner and its jobs; False if there was none."""
    if not workspace.runner.is_dir():
        return False
    with background_process.only_one(workspace.runner / "start.lock", say):
        return background_process.stop(workspace.runner / "runner.json", NAME)


def _process(workspace: Workspace, environ: Mapping[str, str]) -> BackgroundProcess:
    log = workspace.runner / "runner.log"
    return BackgroundProcess(
        name=NAME,
        command=(
            # -P: the folder it runs in is no place to import from
            *(sys.executable, "-P", "-m", MODULE),
            *("--home", str(workspace.home), "--log", str(log)),
        ),
        record=workspace.runner / "runner.json",
        log=log,
        ready=lambda: {},
        # no credentials of the learner's: a build has those of its role, and no others
        environ=without_credentials(environ),
    )
