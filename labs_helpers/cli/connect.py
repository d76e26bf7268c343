"""Finish the handshake of a connection, and say which git folder of yours is its repository.

On AWS you finish the handshake of a new connection in the console, where GitHub asks which
repositories AWS may see. Here a git folder stands for a repository on GitHub: a commit on its
branch starts the pipelines whose source the branch is.

In AWS mode a repository of CodeCommit stands for the one on GitHub: the labs make the repository
NAME, push the folder's commit, and let git push each later commit."""

from __future__ import annotations

import argparse
from pathlib import Path

from labs_helpers.clean_up.found import survey
from labs_helpers.clean_up.listed import listed
from labs_helpers.cli import clean_up
from labs_helpers.control_client import Control
from labs_helpers.defaults import SANDBOX_DOWN
from labs_helpers.files import LabsError
from labs_helpers.modes import AWS, mode
from labs_helpers.prepare import Place, source_repository
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
    folder = Path(arguments.folder).expanduser().resolve()
    if not (folder / ".git").exists():
        raise LabsError(f"{folder} is no git folder. Make it one: git init, git add, git commit")
    if mode(workspace) == AWS:
        place, name = clean_up.find(workspace), arguments.repository.rpartition("/")[2]
        _refuse_theirs(place, name)
        url = source_repository.connect(place, folder, name)
        print(f"{url} is {folder}, and gets each commit")
        return 0
    server = process.running(workspace)
    if server is None:
        raise LabsError(SANDBOX_DOWN)
    sent = {
        "connection": arguments.connection,
        "repository": arguments.repository,
        "folder": str(folder),
    }
    found = Control(workspace).ask("POST", "connections", sent)
    print(f"{found['arn']} is {found['status']}")
    print(f"{arguments.repository} is {folder}")
    return 0


def _refuse_theirs(place: Place, name: str) -> None:
    """Raise LabsError for a repository of CodeCommit that is not the labs' own."""
    known = [one for one in listed(place.account) if one.kind == "source repository"]
    wanted = [one for one in known if one.name == name]
    if not wanted:
        names = ", ".join(one.name for one in known)
        raise LabsError(f"In your account the labs push to their own repository only: {names}.")
    if theirs := [one for one in survey(place, wanted).things if not one.ours]:
        raise LabsError(
            f"In CodeCommit there is a repository {name} that the labs did not make "
            f"({theirs[0].why}), so nothing was pushed. Take another account or region for this "
            "lab."
        )
