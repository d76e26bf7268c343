"""Run the notebooks in order without a browser, as an instructor does the evening before a class.

Copies of the notebooks run in .labs/runs/<date>, in a sandbox of their own, so that your notebooks
and your sandbox stay as they are. With --solve, the tested solutions are filled in and every check
must pass. The exit code is 1 when a cell failed that should not have, or a check did not pass."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from labs_helpers import rehearsal, servers, workbook
from labs_helpers.cli.terminal import say, table, working
from labs_helpers.defaults import FRESH_START
from labs_helpers.engine.front.daemon import DaemonError
from labs_helpers.engine.front.leftovers import known_daemons, leftovers, remove_leftovers
from labs_helpers.files import LabsError, cannot_write, unused
from labs_helpers.jupyter import folders
from labs_helpers.modes import AWS, environment, mode
from labs_helpers.rehearsal import LabRun
from labs_helpers.workspace import WORKS_IN, Workspace

EXAMPLES = ("labs run", "labs run --solve --json", "labs run 04 05", "labs run --here 07")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """NN ..., --solve, --json, --here."""
    parser.add_argument("labs", nargs="*", metavar="NN", help="labs by number (default: all)")
    parser.add_argument("--solve", action="store_true", help="with the solutions filled in")
    parser.add_argument("--json", action="store_true", help="the result as JSON, for programs")
    parser.add_argument(
        "--here",
        action="store_true",
        help="in your own sandbox, where each lab starts over, or your AWS account",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the labs, then print a table and every failure."""
    workspace = Workspace.find()
    wanted = workbook.find(workspace, arguments.labs)
    if mode(workspace) == AWS and not arguments.here:
        raise LabsError(
            "LABS_MODE is aws: the notebooks would create things in your AWS account, which can "
            "cost money.\nIf you want that: labs run --here. For the sandbox: unset LABS_MODE"
        )
    workspace.create()
    # SIGTERM then ends the kernel and the servers of this run, as Ctrl-C does
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    scratch = copy_notebooks(workspace)
    if arguments.here and mode(workspace) != AWS:
        say("Each lab starts over in your own sandbox: what is in its way there is removed.")
    with kernel_environment(workspace, scratch, arguments.here) as environ:
        ran = run_all([scratch / path.name for path in wanted], environ, arguments.solve)
    if arguments.json:
        print(json.dumps(rehearsal.document(ran, scratch), indent=2))
        return 1 if any(one.failures for one in ran) else 0
    table(("lab", "minutes", "cells", "result"), [one.row for one in ran])
    failures = [failure for one in ran for failure in one.failures]
    for failure in failures:
        print(f"\n{failure}", file=sys.stderr)
    print(f"\nThe notebooks with their outputs are in {scratch}")
    return 1 if failures else 0


def copy_notebooks(workspace: Workspace) -> Path:
    """Copy notebooks/ into a new dated folder of runs/ and return the copy."""
    stamp = datetime.now().strftime("%Y-%m-%d-%H%M%S")
    try:
        workspace.runs.mkdir(mode=0o700, exist_ok=True)
        folder = unused(workspace.runs / stamp)
        ignored = shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__")
        shutil.copytree(workspace.notebooks, folder / "notebooks", ignore=ignored)
    except shutil.Error as error:  # its argument is a list of (source, copy, reason)
        raise cannot_write(workspace.runs, OSError(_reason(error))) from error
    except OSError as error:
        raise cannot_write(workspace.runs, error) from error
    return folder / "notebooks"


def _reason(error: shutil.Error) -> str:
    """Why the first file could not be copied, without shutil's number and paths."""
    said = str(error.args[0][0][2])
    known = re.match(r"\[Errno (\d+)\]", said)
    return os.strerror(int(known[1])) if known else said


@contextmanager
def kernel_environment(
    workspace: Workspace, scratch: Path, here: bool
) -> Iterator[Mapping[str, str]]:
    """The kernels' environment: with the learner's own sandbox or account, or a fresh sandbox."""
    if not here:
        with ExitStack() as stack:
            with working("Starting a sandbox for this run ..."):
                fresh = workbook.fresh(scratch.parent / "home", workspace)
                environ = stack.enter_context(fresh)
            try:
                yield environ
            finally:
                _tidy(Workspace(Path(environ["LABS_HOME"])))
        return
    port = 0
    if mode(workspace) != AWS:
        with working("Starting the sandbox and the engine ...") as between:
            port = servers.start(workspace, between).sandbox.port
    folders.place(workspace)
    given = environment(workspace, port).applied(os.environ)
    given.pop(WORKS_IN, None)  # the copies of this run are not the learner's workbook
    yield {**given, **FRESH_START, **folders.environment(workspace)}


def _tidy(scratch: Workspace) -> None:
    """Take away what the run has brought into the learner's own Docker or Podman."""
    for address in known_daemons(scratch.engine):
        try:
            found = leftovers(scratch.engine, address, None)
            problems = [
                f"{one.label}: {why}"
                for one, why in remove_leftovers(scratch.engine, address, found)
                if why
            ]
        except DaemonError as error:
            problems = [str(error)]
        for problem in problems:
            say(f"What the run brought into {address} stays there: {problem}")


def run_all(paths: Sequence[Path], environ: Mapping[str, str], solve: bool) -> list[LabRun]:
    """Run each notebook, with progress bars in a terminal. A failure does not stop the others."""
    console = Console(stderr=True)
    if not console.is_terminal:
        ran = []
        for path in paths:
            say(f"{path.name} ...")
            ran.append(rehearsal.run(path, environ, solve))
        return ran
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )
    with bar:
        whole = bar.add_task("labs", total=len(paths))
        ran = []
        for path in paths:
            task = bar.add_task(path.stem, total=None)
            ran.append(rehearsal.run(path, environ, solve, partial(_draw, bar, task)))
            bar.advance(whole)
        return ran


def _draw(bar: Progress, task: TaskID, done: int, count: int) -> None:
    bar.update(task, completed=done, total=count)
