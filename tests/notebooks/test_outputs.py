"""Every notebook prints what it says it prints, and every solution solves its exercise."""

from pathlib import Path

import nbformat
import pytest

from labs_helpers.checks.lesson import exercises
from tests.notebooks import workbook


@pytest.mark.parametrize("notebook", workbook.NOTEBOOKS, ids=lambda path: path.stem)
def test_committed_outputs_are_true(notebook: Path, learner: workbook.Desk) -> None:
    run = learner.compare(notebook)

    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("notebook", workbook.NOTEBOOKS, ids=lambda path: path.stem)
def test_solutions_pass_their_checks(
    notebook: Path, learner: workbook.Desk, tmp_path: Path
) -> None:
    solutions = exercises(notebook)
    book = workbook.read(notebook)
    for cell in book.cells:
        if "exercise" in workbook.tags(cell):
            cell.source = solutions[cell.metadata["labs"]["check"]].cell

    filled = tmp_path / notebook.name
    nbformat.write(book, filled)
    solved = learner.execute(filled)

    # a solution may call a program that talks on stderr; whether it solved anything the check says
    wrong = [
        fault
        for cell in solved.cells
        if "exercise" not in workbook.tags(cell)
        for fault in workbook.faults(cell)
    ]
    assert wrong == []
    verdicts = {
        cell.metadata["labs"]["check"]: "".join(map(workbook.text_of, cell.outputs))
        for cell in solved.cells
        if "check" in workbook.tags(cell)
    }
    assert {check: text for check, text in verdicts.items() if not text.startswith("✓")} == {}
    assert set(verdicts) == set(solutions)
