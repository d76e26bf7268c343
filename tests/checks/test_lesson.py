"""Hints and solutions are read where they are written."""

import json
from pathlib import Path

import pytest

from labs_helpers.checks.lesson import NoSuchPart, exercise, exercises


def cell(tag: str, source: str) -> dict[str, object]:
    return {"source": source, "metadata": {"tags": [tag], "labs": {"check": "05.1"}}}


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    hints = "\n\n".join(
        f"<details><summary>Hint {n}</summary>\n\nhint {n}\n\n</details>" for n in (1, 2)
    )
    solution = (
        "<details><summary>Solution</summary>\n\n```bash\n# solution\naws x | docker y\n```\n\n"
        "</details>"
    )
    cells = [cell("exercise", "%%bash"), cell("hints", hints), cell("solution", solution)]
    path = tmp_path / "lab.ipynb"
    path.write_text(json.dumps({"cells": cells}))
    return path


def test_an_exercise_has_its_hints_and_its_solution(notebook: Path) -> None:
    found = exercise(notebook, "05.1")
    assert found.hints == ("hint 1", "hint 2")
    assert found.cell == "%%bash\n# solution\naws x | docker y"


@pytest.mark.parametrize("number", [0, 3, -1])
def test_there_are_no_other_hints(notebook: Path, number: int) -> None:
    with pytest.raises(NoSuchPart, match="hints 1 to 2"):
        exercise(notebook, "05.1").hint(number)


def test_an_unknown_exercise_lists_what_there_is(notebook: Path) -> None:
    with pytest.raises(NoSuchPart, match=r"05\.1"):
        exercise(notebook, "05.7")


def test_a_notebook_without_exercises_has_none(tmp_path: Path) -> None:
    path = tmp_path / "empty.ipynb"
    path.write_text('{"cells": []}')
    assert exercises(path) == {}
