"""Print the labs' environment for a terminal: variables that send aws, boto3 and docker to the
sandbox, and away from ~/.aws and ~/.docker. JupyterLab's terminals have these variables already."""

from __future__ import annotations

import argparse
import os
import shlex

from labs_helpers.cli.terminal import say
from labs_helpers.modes import AWS, Environment, environment, mode
from labs_helpers.sandbox import process
from labs_helpers.workspace import Workspace

EXAMPLES = ('eval "$(labs env)"', "labs env --shell fish | source")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--shell."""
    parser.add_argument(
        "--shell",
        choices=("bash", "zsh", "sh", "fish"),
        default="bash",
        help="whose syntax to print (default: bash, which zsh and sh read too)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the exports, and on stderr whether the sandbox has to be started."""
    workspace = Workspace.find()
    server = process.running(workspace)
    if server is None and mode(workspace) != AWS:
        say("The sandbox does not run; start it with: labs start")
    port = server.port if server else process.wanted_port(workspace, os.environ)
    given = environment(workspace, port)
    print("\n".join(fish(given) if arguments.shell == "fish" else posix(given)))
    return 0


def posix(given: Environment) -> list[str]:
    """Lines for bash, zsh and sh."""
    unset = [f"unset {name}" for name in given.unset]
    return unset + [f"export {name}={shlex.quote(value)}" for name, value in given.set.items()]


def fish(given: Environment) -> list[str]:
    """Lines for fish, where PATH is a list."""
    lines = [f"set -e {name};" for name in given.unset]
    for name, value in given.set.items():
        values = value.split(os.pathsep) if name == "PATH" else [value]
        lines.append(f"set -gx {name} {' '.join(map(_fish_quoted, values))};")
    return lines


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
