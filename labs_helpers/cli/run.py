"""Run the notebooks in order without a browser, as an instructor does the evening before a class.

Copies of the notebooks run in .labs/runs/<date>, in a sandbox of their own, so that your notebooks
and your sandbox stay as they are. The exit code is 1 when a cell failed that should not have."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import nbformat
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from labs_helpers import servers, workbook
from labs_helpers.cli.terminal import say, table, working
from labs_helpers.defaults import FRESH_START
from labs_helpers.engine.front.daemon import DaemonError
from labs_helpers.engine.front.leftovers import known_daemons, leftovers, remove_leftovers
from labs_helpers.jupyter import folders
from labs_helpers.modes import AWS, environment, mode
from labs_helpers.workspace import WORKS_IN, LabsError, Workspace, cannot_write, unused

EXAMPLES = ("labs run", "labs run 04 05", "labs run --here 07")

OnCell = Callable[[int, int], None]


@dataclass(frozen=True)
class LabRun:
    """The run of one lab: its seconds, its number of cells, and its failure, if any."""

    lab: str
    seconds: float
    cells: int
    failure: LabsError | None

    @property
    def row(self) -> tuple[str, str, str, str]:
        result = "ok" if self.failure is None else "failed"
        return self.lab, f"{self.seconds / 60:.1f}", str(self.cells), result


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """NN ..., --here."""
    parser.add_argument("labs", nargs="*", metavar="NN", help="labs by number (default: all)")
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
        ran = run_all([scratch / path.name for path in wanted], environ)
    table(("lab", "minutes", "cells", "result"), [one.row for one in ran])
    failures = [one.failure for one in ran if one.failure is not None]
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
        raise cannot_write(workspace.runs, OSError(error.args[0][0][2])) from error
    except OSError as error:
        raise cannot_write(workspace.runs, error) from error
    return folder / "notebooks"


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


def run_all(paths: Sequence[Path], environ: Mapping[str, str]) -> list[LabRun]:
    """Run each notebook, with progress bars in a terminal. A failure does not stop the others."""
    console = Console(stderr=True)
    if not console.is_terminal:
        ran = []
        for path in paths:
            say(f"{path.name} ...")
            ran.append(run_one(path, environ, lambda done, count: None))
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
            ran.append(run_one(path, environ, partial(_draw, bar, task)))
            bar.advance(whole)
        return ran


def _draw(bar: Progress, task: TaskID, done: int, count: int) -> None:
    bar.update(task, completed=done, total=count)


def run_one(path: Path, environ: Mapping[str, str], on_cell: OnCell) -> LabRun:
    """Run one copy and write its outputs, also when a cell of it failed."""
    began = time.monotonic()
    failure: workbook.CellFailed | None = None
    try:
        notebook = workbook.execute(path, environ, on_cell)
    except workbook.CellFailed as error:
        failure, notebook = error, error.executed
    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]
    return LabRun(path.stem, time.monotonic() - began, len(notebook.cells), failure)
