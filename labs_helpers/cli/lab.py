"""Open the workbook in JupyterLab, with the sandbox and the engine running.

JupyterLab's terminals and notebooks have the labs' environment. Arguments that `labs lab` does not
know go to `jupyter lab`. Ctrl-C ends JupyterLab; the sandbox runs until `labs stop`."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from collections.abc import Sequence

from labs_helpers import servers
from labs_helpers.cli.terminal import say, working
from labs_helpers.jupyter import folders
from labs_helpers.modes import AWS, endpoint, environment, mode
from labs_helpers.sandbox import process
from labs_helpers.workspace import LabsError, Workspace

EXAMPLES = ("labs lab", "labs lab --no-browser --port 8890")
PASSES_ON = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No arguments."""


def run(arguments: argparse.Namespace) -> int:
    """Start the servers and become JupyterLab, which prints its URL. Does not return."""
    workspace = Workspace.find()
    command = jupyter(workspace, arguments.extra)
    workspace.create()
    folders.place(workspace)
    if mode(workspace) == AWS:
        say("LABS_MODE is aws: what the notebooks do happens in your AWS account.")
        port = process.wanted_port(workspace, os.environ)
    else:
        with working("Starting the sandbox and the engine ...") as between:
            port = servers.start(workspace, between).sandbox.port
        say(f"The sandbox runs at {endpoint(port)}. JupyterLab starts; Ctrl-C ends it.")
    given = environment(workspace, port).applied(os.environ)
    os.execve(command[0], command, {**given, **folders.environment(workspace)})


def jupyter(workspace: Workspace, extra: Sequence[str]) -> list[str]:
    """JupyterLab's command line, on the learner's notebooks.

    Raises LabsError when JupyterLab is not installed.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise LabsError(
            f"JupyterLab is not installed for {sys.executable}.\n"
            "Run `make lab`, which makes an environment with everything that the labs need."
        )
    command = [sys.executable, "-m", "jupyterlab"]
    if not any(argument.startswith("--ServerApp.root_dir") for argument in extra):
        command.append(f"--ServerApp.root_dir={workspace.notebooks}")
    if os.geteuid() == 0:
        # in a container the user often is root, which Jupyter refuses without this option
        command.append("--allow-root")
    return [*command, *extra]
