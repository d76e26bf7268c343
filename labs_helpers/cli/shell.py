"""Become a shell with the labs' environment, with the sandbox and the engine started before.

The terminals of JupyterLab on a hub begin with this command. Arguments go to the shell, which is
the one that SHELL names. Where the labs cannot start, the command says why, and the shell opens
nevertheless: it is where the trouble can be put right."""

from __future__ import annotations

import argparse
import os

from labs_helpers import modes, servers
from labs_helpers.cli.terminal import say
from labs_helpers.files import LabsError
from labs_helpers.sandbox import process
from labs_helpers.workspace import Workspace

EXAMPLES = ("labs shell", "labs shell -c 'aws sts get-caller-identity'")
PASSES_ON = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The shell's own arguments."""
    parser.add_argument(
        "arguments", nargs=argparse.REMAINDER, metavar="ARGUMENTS", help="for the shell"
    )


def run(arguments: argparse.Namespace) -> int:
    """Become the shell; does not return."""
    workspace = Workspace.find()
    environ = dict(os.environ)
    try:
        if modes.mode(workspace) == modes.AWS:
            port = process.wanted_port(workspace, environ)
        else:
            port = servers.start(workspace, say).sandbox.port
        environ = modes.environment(workspace, port).applied(environ)
    except LabsError as error:
        say(f"{error}\nThis terminal has no sandbox. When that is put right: labs shell")
    shell = environ.get("SHELL") or "/bin/sh"
    # no login shell: /etc/profile would replace PATH, and with it the labs' aws and docker
    return os.execvpe(shell, [shell, *arguments.extra, *arguments.arguments], environ)
