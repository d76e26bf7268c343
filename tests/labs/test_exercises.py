"""Hints and solutions are read where they are written: in the notebook."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from labs_helpers.curriculum import UnknownPart
from labs_helpers.labs.exercises import exercise, exercises, without_check

Cell = dict[str, object]
HINTS = "\n\n".join(
    f"<details><summary>Hint {n}</summary>\n\nhint {n}\n\n</details>" for n in (1, 2)
)


def code(cell: str, source: str, *tags: str) -> Cell:
    return {"id": cell, "cell_type": "code", "source": source, "metadata": {"tags": list(tags)}}


def prose(source: str) -> Cell:
    return {"id": "prose", "cell_type": "markdown", "source": source, "metadata": {}}


def solution(language: str, source: str) -> Cell:
    return prose(
        "<details><summary>Solution</summary>\n\n"
        f"```{language}\n# solution\n{source}\n```\n\n</details>"
    )


def written(folder: Path, cells: Sequence[Cell]) -> Path:
    path = folder / "05-log-in.ipynb"
    path.write_text(json.dumps({"cells": cells}))
    return path


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    cells = [
        code("a", 'lab.check("05.9")'),
        code("b", "%%bash", "exercise"),
        code("c", "a cell of the learner's own"),
        code("d", "# now look\nlab.check( '05.1' )"),
        prose(HINTS),
        solution("bash", "aws x | docker y"),
        code("e", "", "exercise"),
        code("f", 'lab.check("05.2")'),
        solution("python", "lab.docker"),
    ]
    return written(tmp_path, cells)


def test_an_exercise_has_its_hints_and_its_solution(notebook: Path) -> None:
    found = exercise(notebook, "05.1")
    assert found.hints == ("hint 1", "hint 2")
    assert found.solution == "%%bash\n# solution\naws x | docker y"
    assert exercise(notebook, "05.2").solution == "# solution\nlab.docker"


def test_the_check_after_a_cell_names_the_exercise(notebook: Path) -> None:
    found = {one.id: (one.cell, one.check_cell) for one in exercises(notebook).values()}
    assert found == {"05.1": ("b", "d"), "05.2": ("e", "f")}
    assert without_check(notebook) == []


@pytest.mark.parametrize("number", [0, 3, -1])
def test_there_are_no_other_hints(notebook: Path, number: int) -> None:
    with pytest.raises(UnknownPart, match="hints 1 to 2"):
        exercise(notebook, "05.1").hint(number)


def test_an_unknown_exercise_lists_what_there_is(notebook: Path) -> None:
    with pytest.raises(UnknownPart, match=r"This lab has: 05\.1, 05\.2\.$"):
        exercise(notebook, "05.7")


def test_an_exercise_without_a_check_is_named_by_its_cell(tmp_path: Path) -> None:
    cells = [
        code("05-30", "", "exercise"),
        code("05-31", "lab.differences()"),
        code("05-37", "", "exercise"),
        code("05-38", 'lab.check("05.2")'),
    ]
    notebook = written(tmp_path, cells)
    assert without_check(notebook) == ["05-30"]
    assert exercise(notebook, "05.2").cell == "05-37"
    with pytest.raises(UnknownPart, match=r"In 05-log-in\.ipynb, no lab\.check.* in cell 05-30"):
        exercise(notebook, "05.1")


def test_a_notebook_without_exercises_has_none(tmp_path: Path) -> None:
    assert exercises(written(tmp_path, [])) == {}
