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


@pytest.mark.parametrize("notebook", workbook.NOTEBOOKS, ids=lambda path: path.stem)
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
