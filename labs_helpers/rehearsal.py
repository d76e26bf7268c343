"""A rehearsal of labs: their notebooks are run, with the solutions filled in if that is wanted."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import psutil

from labs_helpers import workbook
from labs_helpers.files import NO_ROOM, LabsError, is_full
from labs_helpers.labs.exercises import exercises, without_check
from labs_helpers.workbook import CellFailed, Notebook, text_of

_FULL = (
    NO_ROOM.partition(";")[0],
    "507 Insufficient Storage",
    "No space left on device",
    "database or disk is full",
)
"""Words by which the sandbox, docker, programs and SQLite say that a disk is full."""
PASSED = "✓"


@dataclass(frozen=True)
class LabRun:
    """The run of one lab.

    ``checks`` is, by exercise, what the check said: only where the solutions were filled in.
    """

    lab: str
    seconds: float
    cells: int
    failures: tuple[LabsError, ...]
    checks: Mapping[str, str]

    @property
    def row(self) -> tuple[str, str, str, str]:
        """Lab, minutes, cells and result, as `labs run` prints them."""
        result = "failed" if self.failures else "ok"
        return self.lab, f"{self.seconds / 60:.1f}", str(self.cells), result

    def document(self) -> dict[str, Any]:
        """The run as `labs run --json` prints it."""
        passed = {one: text.startswith(PASSED) for one, text in self.checks.items()}
        return {
            "lab": self.lab[:2],
            "notebook": f"{self.lab}.ipynb",
            "passed": not self.failures,
            "seconds": round(self.seconds, 1),
            "cells": self.cells,
            "checks": passed,
            "failures": [_document(one) for one in self.failures],
        }


class CheckFailed(LabsError):
    """The solution of an exercise ran, and the check does not pass."""


class DiskFull(LabsError):
    """A lab could not go on because the disk is full."""


def run(
    path: Path,
    environ: Mapping[str, str],
    solve: bool = False,
    on_cell: Callable[[int, int], None] = lambda done, count: None,
) -> LabRun:
    """Run one copy of a notebook and write its outputs, also when a cell of it failed.

    solve: put the tested solutions into the cells of the exercises first, and require that every
    check passes. What fails is in ``failures``; nothing is raised but for an interruption.
    """
    began = time.monotonic()
    failures: list[LabsError] = []
    checks: dict[str, str] = {}
    cells = 0
    try:
        if solve:
            fill_in(path)
        try:
            notebook = workbook.execute(path, environ, on_cell)
        except CellFailed as error:
            failures, notebook = [error], error.executed
            if full(notebook, error.error):
                failures = [_disk_full(f"{path.name}, cell {error.number}", path)]
        cells = len(notebook.cells)
        if solve:
            checks = verdicts(path, notebook)
        if not failures:
            failures = [_not_passed(path, one, said) for one, said in checks.items() if _not(said)]
        nbformat.write(notebook, path)  # type: ignore[no-untyped-call]
    except OSError as error:
        if not is_full(error):
            raise
        failures = [_disk_full(path.name, path)]
    return LabRun(path.stem, time.monotonic() - began, cells, tuple(failures), checks)


def fill_in(path: Path) -> None:
    """Write each exercise's solution into the cell in which the learner works."""
    solutions = {one.cell: one.solution for one in exercises(path).values() if one.solution}
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    for cell in notebook.cells:
        cell.source = solutions.get(cell.id, cell.source)
    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]


def verdicts(path: Path, executed: Notebook) -> dict[str, str]:
    """What each check said in an executed notebook; an exercise that cannot be checked, too."""
    cells = {cell.id: cell for cell in executed.cells}
    known = exercises(path)
    found = {
        one: "".join(map(text_of, cells[exercise.check_cell].get("outputs", ())))
        or "the check did not run"
        for one, exercise in known.items()
    }
    found |= {one: "the notebook has no solution" for one in known if not known[one].solution}
    return found | dict.fromkeys(without_check(path), "no check follows this exercise")


def full(executed: Notebook, error: str = "") -> bool:
    """Whether a disk was full: an error says so, or what a cell printed."""
    printed = (text_of(one) for cell in executed.cells for one in cell.get("outputs", ()))
    return any(words in text for text in (error, *printed) for words in _FULL)


def machine() -> dict[str, Any]:
    """What the seconds of a run depend on."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "cores": psutil.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
    }


def document(ran: Sequence[LabRun], folder: Path) -> dict[str, Any]:
    """What `labs run --json` prints. ``folder`` holds the notebooks with their outputs."""
    return {
        "passed": not any(one.failures for one in ran),
        "seconds": round(sum(one.seconds for one in ran), 1),
        "machine": machine(),
        "folder": str(folder),
        "labs": [one.document() for one in ran],
    }


def _document(failure: LabsError) -> dict[str, Any]:
    if not isinstance(failure, CellFailed):
        kind = "disk full" if isinstance(failure, DiskFull) else "check"
        return {"kind": kind, "message": str(failure)}
    return {
        "kind": "cell",
        "cell": failure.number,
        "source": failure.source,
        "said": failure.said,
        "error": failure.error,
        "message": str(failure),
    }


def _disk_full(where: str, path: Path) -> DiskFull:
    return DiskFull(
        f"{where}: no room is left on the disk of {path.parent}; free some and run the lab again."
    )


def _not(said: str) -> bool:
    return not said.startswith(PASSED)


def _not_passed(path: Path, exercise: str, said: str) -> CheckFailed:
    shown = "\n".join("    " + line for line in said.strip().splitlines())
    return CheckFailed(f"{path.name}: the solution of {exercise} does not pass its check:\n{shown}")
