"""Look with a lab's checks at what is there now, as `lab.check` does in the notebook.

Nothing is started, and your progress notes no try. The exit code is 0 when every check passed.
The checks look at the files in your workbook, or in .labs/work for notebooks opened elsewhere."""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from labs_helpers import aws_session, modes
from labs_helpers.cli.terminal import say
from labs_helpers.curriculum import LABS, chosen
from labs_helpers.files import LabsError
from labs_helpers.learners_copy import place
from labs_helpers.sandbox import process
from labs_helpers.workspace import Workspace, is_workbook

EXAMPLES = ("labs check", "labs check 05", "labs check 05 --json")
PASSED = "passed"
"""The state of a check that passed, as in `labs_helpers.checks.outcome.NAMES`."""
DOWN = (
    "The sandbox does not run, so the checks have nothing to look at. Start it: labs start\n"
    "What you made is still there then."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """NN ..., --json."""
    parser.add_argument("labs", nargs="*", metavar="NN", help="labs by number (default: all)")
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")


def run(arguments: argparse.Namespace) -> int:
    """Print a verdict for each check; 1 when one did not pass. Raises LabsError."""
    workspace = Workspace.find()
    numbers = chosen(arguments.labs)
    found: list[dict[str, Any]] = []
    try:
        look = _looker(workspace)
    except LabsError as error:
        if arguments.json:
            print(json.dumps({"passed": False, "error": str(error), "labs": []}, indent=2))
        raise
    from labs_helpers.checks.run import known  # boto3 takes a third of a second

    for number in numbers:
        with _in_folder_of(workspace, number):
            rows = [_row(one, look) for one in known(number)]
        if not arguments.json:
            print(*(row["says"] for row in rows), sep="\n", flush=True)
        done = all(row["state"] == PASSED for row in rows)
        found.append({"lab": number, "passed": done, "checks": rows})
    passed = all(lab["passed"] for lab in found)
    if arguments.json:
        print(json.dumps({"passed": passed, "error": None, "labs": found}, indent=2))
    else:
        states = [row["state"] for lab in found for row in lab["checks"]]
        say(f"\n{states.count(PASSED)} of {len(states)} checks pass.")
    return 0 if passed else 1


def _row(check_id: str, look: Callable[[str, str], Any]) -> dict[str, str]:
    """What one check says, as a row of the JSON; a lab's own error is a check that cannot look."""
    from labs_helpers.checks.outcome import NAMES, CheckError

    try:
        verdict = look(check_id[:2], check_id)
    except LabsError as error:
        says = f"! {check_id}  the check could not look\n  {error}"
        return {"id": check_id, "state": NAMES[CheckError], "says": says}
    return {"id": check_id, "state": NAMES[type(verdict.outcome)], "says": verdict.text}


def _looker(workspace: Workspace) -> Callable[[str, str], Any]:
    """A function that looks with one check of a lab, in the mode of this workspace.

    The process then has the environment of the lab's clients. Raises LabsError where there is
    nothing to look at.
    """
    port = 0
    if modes.mode(workspace) == modes.AWS:
        session = aws_session.required(workspace)
        account, region = session.account, session.region
    else:
        server = process.running(workspace)
        if server is None:
            raise LabsError(DOWN)
        if process.health(server.port) is None:
            raise LabsError("The sandbox does not answer. Try: labs stop && labs start")
        names = workspace.own_names
        port, account, region = server.port, names.account, names.region
    environment = modes.environment(workspace, port)
    for name in environment.unset:
        os.environ.pop(name, None)
    os.environ.update(environment.set)

    from labs_helpers.control_client import Control
    from labs_helpers.errors import Interrupted
    from labs_helpers.lab import Lab
    from labs_helpers.prepare import Place
    from labs_helpers.progress.journal import Journal

    control = Control(workspace) if port else None
    where = Place(workspace, modes.mode(workspace), account, region, control)

    def look(number: str, check_id: str) -> Any:
        try:
            return Lab(LABS[number], where, journal=Journal(workspace)).look(check_id)
        except Interrupted:
            raise KeyboardInterrupt from None  # which every command of `labs` says alike

    return look


@contextmanager
def _in_folder_of(workspace: Workspace, number: str) -> Iterator[None]:
    """Work in the lab's folder; in an empty one for a lab that was never opened."""
    folder, before = _folder(workspace, number), Path.cwd()
    with tempfile.TemporaryDirectory(prefix="labs-check-") as empty:
        os.chdir(folder if folder.is_dir() else empty)
        try:
            yield
        finally:
            os.chdir(before)


def _folder(workspace: Workspace, number: str) -> Path:
    """The lab's folder in the workbook, or in LABS_HOME where the lab has worked there."""
    workbook = place.folder(workspace)
    elsewhere = workspace.home / "work" / number
    if workspace.workbook is None and is_workbook(workbook) and not any(elsewhere.glob("*")):
        return replace(workspace, workbook=workbook).work(number)
    return workspace.work(number)
