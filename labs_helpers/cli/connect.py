"""Finish the handshake of a connection, and say which git folder of yours is its repository.

On AWS you finish the handshake of a new connection in the console, where GitHub asks which
repositories AWS may see. Here a git folder stands for a repository on GitHub: a commit on its
branch starts the pipelines whose source the branch is."""

from __future__ import annotations

import argparse
from pathlib import Path

from labs_helpers.control_client import Control
from labs_helpers.defaults import SANDBOX_DOWN
from labs_helpers.files import LabsError
from labs_helpers.modes import AWS, mode
from labs_helpers.sandbox import process
from labs_helpers.workspace import Workspace

EXAMPLES = ("labs connect demo-app-github my-team/demo-app ./app",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """CONNECTION OWNER/NAME FOLDER."""
    parser.add_argument("connection", metavar="CONNECTION", help="the connection's name or ARN")
    parser.add_argument("repository", metavar="OWNER/NAME", help="as FullRepositoryId names it")
    parser.add_argument("folder", metavar="FOLDER", help="a git folder")


def run(arguments: argparse.Namespace) -> int:
    """Ask the sandbox. Raises LabsError for a folder without git, and while no sandbox runs."""
    workspace = Workspace.find()
    if mode(workspace) == AWS:
        raise LabsError(
            "LABS_MODE is aws: finish the handshake of a connection in the console, under "
            "Developer Tools, Settings, Connections."
        )
    folder = Path(arguments.folder).expanduser().resolve()
    if not (folder / ".git").exists():
        raise LabsError(f"{folder} is no git folder. Make it one: git init, git add, git commit")
    server = process.running(workspace)
    if server is None:
        raise LabsError(SANDBOX_DOWN)
    sent = {
        "connection": arguments.connection,
        "repository": arguments.repository,
        "folder": str(folder),
    }
    found = Control(workspace, server.port).ask("POST", "connections", sent)
    print(f"{found['arn']} is {found['status']}")
    print(f"{arguments.repository} is {folder}")
    return 0
