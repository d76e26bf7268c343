"""Every notebook prints what it says it prints, and every solution solves its exercise."""

from pathlib import Path

import nbformat
import pytest

from labs_helpers.labs.exercises import exercises
from tests.notebooks import workbook


@pytest.mark.parametrize("notebook", workbook.NOTEBOOKS, ids=lambda path: path.stem)
def test_committed_outputs_are_true(notebook: Path, learner: workbook.Desk) -> None:
    run = learner.compare(notebook)

    assert run.returncode == 0, run.stdout


DELIVERIES = ("09", "11", "13")
"""Labs whose solutions deploy for a minute: `make soak` runs these notebooks with the solutions.

In `make test`, tests/labs/lab09, lab11 and lab13 run each solution and the check.
"""


@pytest.mark.parametrize(
    "notebook",
    [
        pytest.param(
            one, marks=[pytest.mark.soak] if one.name[:2] in DELIVERIES else [], id=one.stem
        )
        for one in workbook.NOTEBOOKS
    ],
)
def test_solutions_pass_their_checks(
    notebook: Path, learner: workbook.Desk, tmp_path: Path
) -> None:
    found = exercises(notebook).values()
    solutions = {exercise.cell: exercise.solution for exercise in found}
    book = workbook.read(notebook)
    for cell in book.cells:
        cell.source = solutions.get(cell.id, cell.source)

    filled = tmp_path / notebook.name
    nbformat.write(book, filled)
    solved = learner.execute(filled)

    # a solution may call a program that talks on stderr; whether it solved anything the check says
    wrong = [
        fault
        for cell in solved.cells
        if cell.id not in solutions
        for fault in workbook.faults(cell)
    ]
    assert wrong == []
    cells = {cell.id: cell for cell in solved.cells}
    verdicts = {
        exercise.id: "".join(map(workbook.text_of, cells[exercise.check_cell].outputs))
        for exercise in found
    }
    assert verdicts
    assert {check: text for check, text in verdicts.items() if not text.startswith("✓")} == {}
