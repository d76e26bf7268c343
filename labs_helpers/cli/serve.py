"""Become a learner's Jupyter server on a hub: what JupyterHub, Binder and repo2docker start.

Lays out the learner's workbook, or brings it up to date, gives Jupyter the labs' environment and
settings, and becomes the command (default: jupyterhub-singleuser). The sandbox and the engine start
with the first cell of a lab, or with the first terminal, and end with the server."""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from labs_helpers import modes
from labs_helpers.cli.lab import last_lab
from labs_helpers.cli.terminal import say
from labs_helpers.files import LabsError
from labs_helpers.jupyter import folders, launch
from labs_helpers.learners_copy import opening, place
from labs_helpers.runtime import lifetime
from labs_helpers.sandbox import process
from labs_helpers.workspace import Workspace, is_workbook

EXAMPLES = ("labs serve", "labs serve jupyter lab --ip=0.0.0.0")
PASSES_ON = True
SINGLE_USER = "jupyterhub-singleuser"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command to become, with its arguments."""
    parser.add_argument(
        "command",
        nargs=argparse.REMAINDER,
        metavar="COMMAND",
        help=f"the server and its arguments (default: {SINGLE_USER})",
    )


def run(arguments: argparse.Namespace) -> int:
    """Become the server; does not return. Raises LabsError, whose words are in the hub's log."""
    workspace = Workspace.find().create()
    folders.place(workspace)
    environ = {**os.environ, lifetime.ENDS_WITH: lifetime.JUPYTER}
    try:
        workbook = opening.up_to_date(workspace, say)
    except LabsError as error:
        # a server with a terminal, in the workbook or in the home, is where this can be put right
        workbook = place.folder(workspace)
        if is_workbook(workbook):
            say(f"Your workbook was not brought up to date. {error}")
        else:
            say(f"Your workbook is not there. {error}")
            workbook = Path.home()
    if is_workbook(workbook):
        environ |= modes.with_ceilings(environ, [str(workbook.parent)])
        environ |= folders.opens(workbook, last_lab(workspace, workbook))
    port = process.wanted_port(workspace, environ)
    given = modes.environment(workspace, port, environ).applied(environ)
    given |= folders.environment(workspace)
    # an administrator's c.Spawner.notebook_dir goes first
    given.setdefault("JUPYTERHUB_ROOT_DIR", str(workbook))
    command = wanted([*arguments.command, *arguments.extra], given["PATH"])
    os.chdir(workbook)
    lifetime.note_jupyter(workspace.home, os.getpid())
    return os.execve(command[0], command, given)


def wanted(words: Sequence[str], path: str) -> list[str]:
    """The command line to become; raises LabsError where the program is not on the path."""
    line = [*words] if words and not words[0].startswith("-") else [SINGLE_USER, *words]
    found = shutil.which(line[0], path=path)
    if found is None:
        fix = "make jupyterhub  installs it, in the folder of the labs." if not words else ""
        raise LabsError(f"There is no command {line[0]} here.\n{fix}".rstrip())
    return launch.line([found, *line[1:]])
