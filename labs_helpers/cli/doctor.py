"""Check what the labs need of this machine, and say what is there and how to fix what is not.

With --class 40, also whether 40 learners can work here at once. The exit code is 1 only when the
labs cannot run, or not for so many."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from labs_helpers.cli.class_needs import class_needs, own_memory
from labs_helpers.cli.needs import Need, needs
from labs_helpers.cli.terminal import say, table
from labs_helpers.files import LabsError
from labs_helpers.workspace import Workspace

EXAMPLES = ("labs doctor", "labs doctor --json", "labs doctor --class 40")
SIGNS = {"ok": "✓ ok", "warning": "! look", "missing": "✗ fix"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--class, --json."""
    parser.add_argument(
        "--class",
        dest="learners",
        type=int,
        metavar="N",
        help="also whether N learners can work on this machine at once",
    )
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")


def run(arguments: argparse.Namespace) -> int:
    """Print every need; 1 when something is missing without which the labs cannot run."""
    workspace = Workspace.find()
    if arguments.learners is not None and not 1 <= arguments.learners <= 10_000:
        raise LabsError("--class takes the number of learners, from 1 to 10000.")
    found = [*needs(workspace), own_memory()]
    if arguments.learners:
        found += class_needs(workspace, arguments.learners)
    if arguments.json:
        print(json.dumps([asdict(need) for need in found], indent=2))
    else:
        table(("", "need", "found"), [(SIGNS[n.state], n.name, n.found) for n in found])
        explain(found)
    return 1 if any(need.state == "missing" for need in found) else 0


def explain(found: list[Need]) -> None:
    """Print below the table how to fix what is not in order."""
    for need in found:
        if need.fix:
            print(f"\n{need.name}: {need.fix}")
    if all(need.state == "ok" for need in found):
        say("\nEverything is there.")
