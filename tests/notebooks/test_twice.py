"""Cells that people run twice work twice: each cell twice in a row, and the whole notebook twice.

The learner's own cells, the exercises, are filled with the solutions. What a learner wrote there
stands for itself: a second run may tell the learner, in AWS's words, that the thing exists.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import nbformat
import pytest

from labs_helpers.defaults import FRESH_START
from labs_helpers.labs.exercises import exercises
from tests.labs.commands import Commands
from tests.notebooks import workbook

AFTER_ITS_CLEAN_UP = {"09": "lab.bring_back()", "11": "lab.restart()", "13": "lab.restart()"}
"""What a learner runs after the first cell once a lab's own clean-up took what the lab begins with,
as the card says, and a cell that fails (tests/test_left_out.py)."""


def every(*quick: str) -> pytest.MarkDecorator:
    """All notebooks, of which `make test` runs those of the ``quick`` labs and `make soak` all."""
    soak = [pytest.mark.soak]
    notebooks = [
        pytest.param(one, marks=[] if one.name[:2] in quick else soak, id=one.stem)
        for one in workbook.NOTEBOOKS
    ]
    return pytest.mark.parametrize("notebook", notebooks)


def solved(notebook: Path) -> list[Any]:
    """The code cells of a notebook, with the solutions in the learner's cells."""
    solutions = {one.cell: one.solution for one in exercises(notebook).values()}
    cells = [one for one in workbook.read(notebook).cells if one.cell_type == "code"]
    for cell in cells:
        cell.source = solutions.get(cell.id, cell.source)
        if cell.id in solutions:
            cell.metadata["tags"] = ["raises-exception"]
    return cells


def again(cell: Any) -> Any:
    other = copy.deepcopy(cell)
    other.id = f"{cell.id}-again"
    return other


def run(notebook: Path, cells: list[Any], folder: Path, commands: Commands) -> dict[str, Any]:
    """The cells by id after a run by a person; fails when a cell does that may not."""
    book = workbook.read(notebook)
    book.cells = cells
    path = folder / notebook.name
    nbformat.write(book, path)
    with workbook.desk() as learner:
        environ = commands.for_bash(learner.environment)
        person = workbook.Desk({key: environ[key] for key in environ if key not in FRESH_START})
        return {cell.id: cell for cell in person.execute(path).cells}


@every("04")
def test_each_cell_works_twice_in_a_row(notebook: Path, tmp_path: Path, commands: Commands) -> None:
    cells = solved(notebook)
    twice = [one for cell in cells for one in (cell, again(cell))]
    ran = run(notebook, twice, tmp_path, commands)
    for exercise in exercises(notebook).values():
        for cell in (exercise.check_cell, f"{exercise.check_cell}-again"):
            shown = "".join(map(workbook.text_of, ran[cell].outputs))
            assert shown.startswith("✓"), shown


@every("00")
def test_run_all_works_twice(notebook: Path, tmp_path: Path, commands: Commands) -> None:
    cells = solved(notebook)
    once_more = [again(one) for one in cells]
    if source := AFTER_ITS_CLEAN_UP.get(notebook.name[:2]):
        once_more.insert(1, nbformat.v4.new_code_cell(source, id="as-the-card-says"))
    run(notebook, [*cells, *once_more], tmp_path, commands)
