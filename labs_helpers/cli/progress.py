"""Show which exercises you have done, how long you took, and where to go on.

The journal is .labs/progress/events.jsonl on this machine. Nothing is sent anywhere, unless you
agree to send it to your instructor: --send FOLDER_OR_ADDRESS --as NAME asks once, under a name that
you choose, and --stop-sending ends it.
`labs class --show-what-is-sent` prints what would be sent."""

from __future__ import annotations

import argparse
import json
import sys

from labs_helpers.classroom import sending
from labs_helpers.cli.terminal import say
from labs_helpers.files import LabsError
from labs_helpers.progress.journal import Journal
from labs_helpers.progress.report import document, report
from labs_helpers.workspace import Workspace

EXAMPLES = (
    "labs progress",
    "labs progress --json",
    "labs progress --send ADDRESS --as Ada",
    "labs progress --stop-sending",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--json, and what belongs to a class."""
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")
    room = parser.add_argument_group("in a class")
    room.add_argument("--send", metavar="FOLDER_OR_ADDRESS", help="agree to send your progress")
    room.add_argument("--as", dest="name", metavar="NAME", help="the name that you choose")
    room.add_argument("-y", "--yes", action="store_true", help="you agree: do not ask")
    room.add_argument("--stop-sending", action="store_true", help="send nothing from now on")


def run(arguments: argparse.Namespace) -> int:
    """Print the list of labs; 0 whether or not anything is done, 1 when you did not agree."""
    workspace = Workspace.find()
    if arguments.stop_sending:
        stopped = sending.stop(workspace)
        print("Nothing is sent from now on." if stopped else "Nothing was sent.")
        return 0
    if arguments.send:
        return _send(workspace, arguments)
    events = Journal(workspace).events()
    if arguments.json:
        print(json.dumps(document(workspace, events), indent=2))
    else:
        print(report(workspace, events).text)
        if (agreed := sending.agreed(workspace)) is not None:
            print(f"Your progress is sent to {agreed.to}, as {agreed.name}.")
    return 0


def _send(workspace: Workspace, arguments: argparse.Namespace) -> int:
    if not arguments.name:
        raise LabsError("Under which name? Add:  --as NAME")
    if not arguments.yes and not _agrees(arguments.send, arguments.name):
        say("Nothing was sent.")
        return 1
    agreement = sending.agree(workspace, arguments.send, arguments.name)
    try:
        sending.send(agreement, Journal(workspace).events())
    except LabsError:
        sending.stop(workspace)
        raise
    print(f"Your progress was sent as {agreement.name}, and is sent again while you work.")
    print("To stop: labs progress --stop-sending")
    return 0


def _agrees(to: str, name: str) -> bool:
    """Ask on the terminal; without a terminal the answer is no."""
    say(f"This sends to {to}, as {name}: when you opened a lab, ran a cell, took a hint or")
    say("checked an exercise, and how the check ended. No key, code, output or answer is sent.")
    say("To see it exactly: labs class --show-what-is-sent")
    if not sys.stdin.isatty():
        say("There is no terminal to ask on. If you agree: add --yes")
        return False
    try:
        answer = input("Send it, now and while you work? [y/N] ")
    except EOFError:  # Ctrl-D
        print()
        return False
    return answer.strip().lower() in ("y", "yes")
