"""Keep all that sandbox and engine hold under a name, and put it back: repositories, images, users,
buckets and everything else, your configuration of aws and docker included.

Your workbook's files, and images in your own Docker or Podman, are in no snapshot. lab.restart(),
labs reset and labs snapshot restore make a snapshot by themselves first; the last five of these
stay."""

from __future__ import annotations

import argparse
import sys

from labs_helpers import servers
from labs_helpers.cli.terminal import say, table, working
from labs_helpers.engine import process as engine_process
from labs_helpers.jupyter.running import open_files
from labs_helpers.learners_copy.place import folder
from labs_helpers.sandbox import process as sandbox_process
from labs_helpers.snapshots import store
from labs_helpers.workspace import Workspace

EXAMPLES = (
    "labs snapshot save before-lab-05",
    "labs snapshot list",
    "labs snapshot restore before-lab-05",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """save, list, restore, delete."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, line in (
        ("save", "keep what is there under a name"),
        ("restore", "put a snapshot back; keeps what is there first"),
        ("delete", "remove a snapshot"),
    ):
        action = actions.add_parser(name, help=line)
        action.add_argument("name")
        if name == "restore":
            action.add_argument("-y", "--yes", action="store_true", help="do not ask")
    actions.add_parser("list", help="list the snapshots, the oldest first")


def run(arguments: argparse.Namespace) -> int:
    """0: done; 1: the answer was no. Raises LabsError."""
    workspace = Workspace.find()
    if arguments.action == "restore":
        return _restore(workspace, arguments.name, arguments.yes)
    if arguments.action == "save":
        made = store.save(workspace, arguments.name)
        print(f"Saved as {made.name}. To bring it back: {made.how_to_restore}")
    elif arguments.action == "delete":
        store.delete(workspace, arguments.name)
        print(f"Deleted: {arguments.name}")
    else:
        _list(workspace)
    return 0


def _list(workspace: Workspace) -> None:
    found = store.listed(workspace)
    if not found:
        print("No snapshots. Make one with: labs snapshot save NAME")
        return
    rows = [(each.name, f"{each.made.astimezone():%Y-%m-%d %H:%M}", each.why) for each in found]
    table(("NAME", "MADE", "WHY"), rows)


def _restore(workspace: Workspace, name: str, yes: bool) -> int:
    store.find(workspace, name)
    say(f"This puts {name} in the place of all that sandbox and engine hold now.")
    say("What is there now is kept as a snapshot first.")
    if opened := sorted(open_files(folder(workspace), workspace)):
        say(f"These notebooks are open; what their labs made goes as well: {', '.join(opened)}")
    if not yes and not _is_wanted(name):
        say("Nothing was changed.")
        return 1
    ran = bool(sandbox_process.running(workspace) or engine_process.running(workspace))
    with working("Stopping ...") as between:
        servers.stop(workspace, between)
    try:
        before = store.restore(workspace, name)
    finally:
        if ran:
            with working("Starting the sandbox and the engine ...") as between:
                servers.start(workspace, between)
    print(f"Restored: {name}. What was there before: {before.how_to_restore}")
    return 0


def _is_wanted(name: str) -> bool:
    """Ask on the terminal; without a terminal the answer is no."""
    if not sys.stdin.isatty():
        say(f"There is no terminal to ask on. If you mean it: labs snapshot restore --yes {name}")
        return False
    try:
        answer = input("Restore it? [y/N] ")
    except EOFError:  # Ctrl-D
        print()
        return False
    return answer.strip().lower() in ("y", "yes")
