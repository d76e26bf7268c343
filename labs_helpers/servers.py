"""Starting and stopping the sandbox, the engine and the runner together."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from labs_helpers.engine import process as engine_process
from labs_helpers.engine.choice import requested_kind
from labs_helpers.engine.cli.command_line import GLOBAL, option_words
from labs_helpers.engine.process import Engine
from labs_helpers.runner import process as runner_process
from labs_helpers.runtime.background_process import Say
from labs_helpers.runtime.shims import Docker, choose_docker, place_aws, place_docker
from labs_helpers.sandbox import process as sandbox_process
from labs_helpers.sandbox.process import Server
from labs_helpers.workspace import Workspace


@dataclass(frozen=True)
class Servers:
    """The running sandbox and engine, and the `docker` command on the labs' PATH.

    started_again: whether this start started a sandbox that had been stopped.
    note: how the engine runs containers, where that is not as usual.
    """

    sandbox: Server
    engine: Engine
    docker: Docker
    started_again: bool = False
    note: str = ""


def quiet(line: str) -> None:
    """Discard a line of progress."""


def start(
    workspace: Workspace, say: Say = quiet, environ: Mapping[str, str] | None = None
) -> Servers:
    """Start what does not run yet, and return when sandbox and engine answer.

    Several processes may call this at once. Raises LabsError, whose message says what to do.
    """
    environ = os.environ if environ is None else environ
    docker = choose_docker(workspace, environ)
    requested_kind(workspace, environ)  # raises for a wrong LABS_ENGINE before anything starts
    workspace.create()
    place_docker(workspace, docker, option_words(GLOBAL))
    again = workspace.learner.exists() and sandbox_process.running(workspace) is None
    sandbox = sandbox_process.start(workspace, say, environ)
    place_aws(workspace, sandbox.port, environ)
    engine = engine_process.start(workspace, sandbox.port, say, environ)
    runner_process.start(workspace, say, environ)
    note = engine_process.note(engine, workspace.socket)
    return Servers(sandbox, engine, docker, again, note)


def all_run(workspace: Workspace) -> bool:
    """Whether sandbox, engine and runner run, by their records; none of them is asked."""
    kinds = (sandbox_process, engine_process, runner_process)
    return all(each.running(workspace) is not None for each in kinds)


def stop(workspace: Workspace, say: Say = quiet) -> bool:
    """Stop them; False when none was running."""
    # the runner first: it reports how its jobs ended
    kinds = (runner_process, engine_process, sandbox_process)
    stopped = [each.stop(workspace, say) for each in kinds]
    return any(stopped)
