"""Bringing a learner to just after an exercise: the lab's cells and tested solutions are run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from labs_helpers.display.rendering import Rendering, paragraph
from labs_helpers.errors import Interrupted, LabError
from labs_helpers.labs.exercises import Exercise, exercise, exercises
from labs_helpers.notebook_output import display
from labs_helpers.own_names import USUAL, OwnNames

_SHOWS_ONLY = re.compile(r"\s*lab\.(check|quiz|predict|progress|differences|hint|solution)\(")
_STARTS = re.compile(r"^\s*lab\s*=\s*start\(", re.MULTILINE)


@dataclass(frozen=True)
class Cell:
    """A code cell to run. ``exercise`` is the id of the exercise that is done after it, if any."""

    source: str
    may_fail: bool
    exercise: str = ""


@dataclass(frozen=True)
class CaughtUp:
    """``shown``: the exercises whose check passes now; ``failed``: how cells failed meanwhile."""

    shown: tuple[str, ...]
    failed: tuple[str, ...]

    def drawn(self, done: Collection[str] | None = ()) -> Rendering:
        """What the learner is told.

        ``done``: the exercises that the learner had done alone; None where no progress is kept.
        """
        if not self.shown:
            return paragraph("Nothing to do: the check passes already.")
        said = f"Done for you: {', '.join(self.shown)}."
        if done is not None:
            said += f" {self._in_the_progress(done)}"
        if self.failed:
            said += f" These cells failed meanwhile: {'; '.join(self.failed)}."
        return paragraph(said)

    def _in_the_progress(self, done: Collection[str]) -> str:
        kept = ", ".join(one for one in self.shown if one in done)
        new = ", ".join(one for one in self.shown if one not in done)
        if not kept:
            return "In your progress this counts as shown."
        said = f"In your progress {kept} stays done, as you did it before"
        return f"{said}; {new} counts as shown." if new else f"{said}."


def catch_up(
    notebook: Path,
    exercise_id: str | None,
    passed: Callable[[str], bool],
    names: OwnNames = USUAL,
    begin: Callable[[str], str] = lambda wanted: "",
    seen: Callable[[str], str] = lambda wanted: "",
) -> CaughtUp:
    """Do the exercises up to and including one, by default the last, that are not done yet.

    ``passed`` tells whether an exercise's check passes. ``begin`` is asked before the lab's first
    cell runs: it makes what the lab's beginning lacks and says so, or raises LabError. ``seen``:
    what is there in words, for an exercise whose check does not pass afterwards. The cell says
    first how much will run, and then how far the run is. Raises LabError when the check does not
    pass afterwards, with the cells that failed.
    """
    if not (known := list(exercises(notebook))):
        raise LabError("This lab has no exercise.")
    wanted = exercise(notebook, exercise_id).id if exercise_id else known[-1]
    cells = until(notebook, wanted, passed, names)
    if not cells:
        return CaughtUp((), ())
    every = len(until(notebook, wanted, _never))
    if len(cells) == every and (made := begin(wanted)):
        display(paragraph(made))
    display(paragraph(_what_will_run(len(cells), every, wanted)))
    area = display(paragraph("The first cell runs ..."))
    caught = run(cells, passed, lambda said: area.update(paragraph(said)))
    if wanted not in caught.shown:
        failed = "".join(f"\n  {line}" for line in caught.failed) or " none."
        raise LabError(
            f"The check of {wanted} does not pass yet. Cells that failed:{failed}\n"
            f"{seen(wanted)}"
            "Make the lab's beginning again, and catch up from there:\n"
            f'  lab.restart()\n  lab.catch_up("{wanted}")'
        )
    return caught


def _what_will_run(some: int, every: int, wanted: str) -> str:
    which = f"All {every}" if some == every else f"{some} of the {every}"
    return (
        f"{which} cells up to the check of {wanted} run for you. What they make is made again, "
        "also what you deleted."
    )


def _never(_: str) -> bool:
    """No exercise is done."""
    return False


def until(
    notebook: Path, wanted: str, passed: Callable[[str], bool], names: OwnNames = USUAL
) -> list[Cell]:
    """The cells from the last exercise that ``passed`` up to the check of ``wanted``.

    A cell that only shows something is left out, as is the cell that starts the lab. ``wanted``
    is the id of an exercise that the notebook has.
    """
    known = exercises(notebook, names)
    ids = list(known)
    before = ids[: ids.index(wanted) + 1]
    done = next((one for one in reversed(before) if passed(one)), None)
    cells = list(_cells(notebook, known, names))
    begin = next((n + 1 for n, cell in enumerate(cells) if cell.exercise == done), 0) if done else 0
    end = next(n for n, cell in enumerate(cells) if cell.exercise == wanted)
    return cells[begin : end + 1]


def _cells(notebook: Path, known: dict[str, Exercise], names: OwnNames) -> Iterator[Cell]:
    """What there is to run of the notebook; the last cell before a check has the exercise's id."""
    solved = {exercise.cell: exercise for exercise in known.values()}
    checked = {exercise.check_cell: exercise for exercise in known.values()}
    before: Cell | None = None
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] != "code":
            continue
        found: Cell | None = None
        if (exercise := solved.get(cell["id"])) is not None:
            found = Cell(exercise.solution, False)
        elif cell["id"] in checked and before is not None:
            before = replace(before, exercise=checked[cell["id"]].id)
        elif not _SHOWS_ONLY.match(source) and not _STARTS.search(source):
            may_fail = "raises-exception" in cell["metadata"].get("tags", ())
            found = Cell(names.of(source), may_fail)
        if found is not None:
            if before is not None:
                yield before
            before = found
    if before is not None:
        yield before


def run(
    cells: list[Cell], passed: Callable[[str], bool], follow: Callable[[str], object]
) -> CaughtUp:
    """Run cells in the learner's kernel and try each exercise's check after its solution.

    ``follow`` is told before each cell which one it is, and at the end. A cell that fails does not
    end the run: the check decides. Raises LabError outside a notebook, and Interrupted.
    """
    from IPython import get_ipython

    shell: Any = get_ipython()
    if shell is None:
        raise LabError("catch_up() runs the lab's cells in a notebook's kernel. Open the notebook.")
    shown, failed = [], []
    for number, cell in enumerate(cells):
        follow(f"{number} of {len(cells)} cells are done. Now: {_first_line(cell)}")
        if fault := _run(shell, cell.source):
            if isinstance(fault, KeyboardInterrupt | Interrupted):
                raise Interrupted
            if not cell.may_fail:
                failed.append(_told(cell, fault))
        if cell.exercise and passed(cell.exercise):
            shown.append(cell.exercise)
    follow(f"{len(cells)} of {len(cells)} cells are done.")
    return CaughtUp(tuple(shown), tuple(failed))


def _run(shell: Any, source: str) -> BaseException | None:
    """Run a cell without its outputs; the exception that it ended with."""
    from IPython.utils.capture import capture_output

    with capture_output(), _without_tracebacks(shell):
        result = shell.run_cell(source, store_history=False)
    fault: BaseException | None = result.error_before_exec or result.error_in_exec
    return fault


@contextmanager
def _without_tracebacks(shell: Any) -> Iterator[None]:
    """An error in the learner's cell looks like a failure of it; ``capture_output`` has none.

    A kernel sends errors past the captured streams:
    https://github.com/ipython/ipykernel/blob/0021a6a7b82399aa318d8a5b3c6e4c617595d489/ipykernel/zmqshell.py
    """
    shell._showtraceback = lambda kind, error, trace: None
    try:
        yield
    finally:
        del shell._showtraceback  # the shell's class has the method


def _told(cell: Cell, fault: BaseException) -> str:
    said = (str(fault) or type(fault).__name__).splitlines()[0]
    return f"{_first_line(cell)}: {said}"


def _first_line(cell: Cell) -> str:
    """The first line of a cell that does something."""
    lines = [line for line in cell.source.splitlines() if line and not line.startswith(("%%", "#"))]
    return lines[0] if lines else cell.source
