"""Show which exercises you have done, how long you took, and where to go on.

The journal is .labs/progress/events.jsonl on this machine. Nothing is sent anywhere."""

from __future__ import annotations

import argparse
import json

from labs_helpers.progress.journal import Journal
from labs_helpers.progress.report import document, report
from labs_helpers.workspace import Workspace

EXAMPLES = ("labs progress", "labs progress --json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--json."""
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")


def run(arguments: argparse.Namespace) -> int:
    """Print the list of labs; 0 whether or not anything is done."""
    workspace = Workspace.find()
    events = Journal(workspace).events()
    if arguments.json:
        print(json.dumps(document(workspace, events), indent=2))
    else:
        print(report(workspace, events).text)
    return 0
