"""Start again with an empty sandbox, a new access key, and no AWS or Docker configuration.

What was there becomes a dated snapshot first; labs snapshot restore brings it back. The snapshots
that you saved stay, and so do the last five that the labs made. Your workbook stays as it is.
Where the labs worked with your own Docker or Podman, the images that the labs brought there are
listed, and removed if you agree; your own images stay."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from labs_helpers import servers
from labs_helpers.cli.terminal import say, working
from labs_helpers.engine import process as engine_process
from labs_helpers.engine.front.daemon import DaemonError
from labs_helpers.engine.front.leftovers import (
    Leftover,
    copy_records,
    known_daemons,
    leftovers,
    remove_leftovers,
)
from labs_helpers.files import cannot_write
from labs_helpers.sandbox import process as sandbox_process
from labs_helpers.snapshots import store
from labs_helpers.workspace import Workspace

EXAMPLES = ("labs reset", "labs reset -y")
FOLDERS = ("sandbox", "engine", "runner", "aws", "docker", "bin")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--yes."""
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")


def run(arguments: argparse.Namespace) -> int:
    """Ask, stop the servers, move the state away, and start the servers that ran.

    1 when the answer is no.
    """
    workspace = Workspace.find()
    present = [name for name in FOLDERS if (workspace.home / name).exists()]
    if not present:
        print(f"Nothing to reset: {workspace.home} holds no sandbox.")
        return 0
    if not arguments.yes and not confirmed(workspace.home):
        say("Nothing was changed.")
        return 1
    tidy_daemons(workspace, arguments.yes)
    ran = bool(sandbox_process.running(workspace) or engine_process.running(workspace))
    with working("Stopping ...") as between:
        servers.stop(workspace, between)
    kept = move_away(workspace)
    copy_records(kept / workspace.engine.name, workspace.engine)
    print(f"What was there is kept in {kept}")
    print(f"To bring it back: {store.find(workspace, kept.name).how_to_restore}")
    if ran:
        with working("Starting the sandbox and the engine ...") as between:
            servers.start(workspace, between)
    print("The sandbox is empty and has a new access key. Configure it: lab 01, or labs configure")
    return 0


def confirmed(home: Path) -> bool:
    """Ask on the terminal; without a terminal the answer is no."""
    if not sys.stdin.isatty():
        say("There is no terminal to ask on. If you mean it: labs reset --yes")
        return False
    say(f"This empties the sandbox in {home}: repositories, images, users, configuration.")
    say("A snapshot is kept, and the snapshots that you saved stay.")
    try:
        answer = input("Reset it? [y/N] ")
    except EOFError:  # Ctrl-D
        print()
        return False
    return answer.strip().lower() in ("y", "yes")


def tidy_daemons(workspace: Workspace, yes: bool) -> None:
    """Offer to remove what the labs brought into the learner's own Docker or Podman."""
    account = str(workspace.remembered()["account"])
    for address in known_daemons(workspace.engine):
        try:
            found = leftovers(workspace.engine, address, account)
        except DaemonError as error:
            say(f"What the labs have left in your Docker or Podman stays there: {error}")
            say("Start it, and the next labs reset offers to remove it.")
            continue
        if found:
            _offer(workspace, address, found, yes)


def _offer(workspace: Workspace, address: str, found: list[Leftover], yes: bool) -> None:
    say(f"The labs brought these images into your Docker or Podman ({address}):")
    for image in found:
        say(f"  {image.label}")
    if not yes and not sys.stdin.isatty():
        say("They stay: there is no terminal to ask on. To remove them: labs reset -y")
        return
    if not yes and input("Remove them there? [y/N] ").strip().lower() not in ("y", "yes"):
        say("They stay; the next labs reset asks again.")
        return
    removed = 0
    for image, problem in remove_leftovers(workspace.engine, address, found):
        removed += not problem
        if problem:
            say(f"{image.label} stays: {problem}")
    print(f"Removed from there: {removed} of {len(found)}.")


def move_away(workspace: Workspace) -> Path:
    """Move the state into a dated snapshot and return the snapshot's folder.

    Folders are renamed, not copied, so a full disk is no obstacle. Raises WorkspaceError.
    """
    kept = workspace.snapshots / store.dated_name(workspace, "before-reset")
    try:
        workspace.snapshots.mkdir(mode=0o700, exist_ok=True)
        kept.mkdir(mode=0o700)
        for name in FOLDERS:
            folder = workspace.home / name
            if folder.exists():
                folder.rename(kept / name)
    except OSError as error:
        raise cannot_write(kept, error) from error
    store.keep_moved(kept, "before the sandbox was reset")
    store.prune(workspace)
    return kept
