"""The exercises of a lab, with their hints and solutions, as the lab's notebook has them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from labs_helpers.curriculum import UnknownPart
from labs_helpers.own_names import USUAL, OwnNames

_CHECK = re.compile(r"""\blab\.check\(\s*["'](\d\d\.\d+)["']""")
_HEADING = re.compile(r"^#{1,6} +(.+?)[ #]*$", re.MULTILINE)
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_HINT = re.compile(r"<details><summary>Hint \d+</summary>\s*(.*?)\s*</details>", re.DOTALL)
_SOLUTION = re.compile(r"```(bash|python)\n(# solution\n.*?)\n```", re.DOTALL)


@dataclass(frozen=True)
class Exercise:
    """One exercise of a notebook.

    ``id`` is the id of the exercise's check, such as "05.1". ``cell`` is the id of the cell in
    which the learner works, ``check_cell`` the id of the cell with the check. ``solution`` is the
    source of a code cell, empty when the notebook has no solution. ``heading`` is the text of the
    last heading before the cell.
    """

    id: str
    cell: str
    check_cell: str
    hints: tuple[str, ...]
    solution: str
    heading: str = ""

    def hint(self, number: int) -> str:
        """The hint of this number, counted from 1; raises :class:`UnknownPart`."""
        if not isinstance(number, int) or not 1 <= number <= len(self.hints):
            raise UnknownPart(f"{self.id} has hints 1 to {len(self.hints)}, not {number}.")
        return self.hints[number - 1]


def exercises(notebook: Path, names: OwnNames = USUAL) -> dict[str, Exercise]:
    """The exercises of a notebook file by id, with the account and the region of ``names``.

    An exercise begins at a code cell tagged ``exercise``. The next code cell that calls
    ``lab.check`` names the exercise, and the markdown cells after the exercise hold the hints and
    the solution, up to the next exercise. A cell that no ``lab.check`` follows is left out; see
    :func:`without_check`.
    """
    above = headings(notebook)
    found = (_exercise(cells, names) for cells in _groups(notebook))
    return {
        exercise.id: replace(exercise, heading=above[exercise.cell])
        for exercise in found
        if exercise is not None
    }


def without_check(notebook: Path) -> list[str]:
    """The ids of cells tagged ``exercise`` that no ``lab.check`` follows."""
    return [str(cells[0]["id"]) for cells in _groups(notebook) if _exercise(cells) is None]


def exercise(notebook: Path, exercise_id: str, names: OwnNames = USUAL) -> Exercise:
    """One exercise; raises :class:`UnknownPart` with the ids that the notebook has."""
    known = exercises(notebook, names)
    if exercise_id in known:
        return known[exercise_id]
    unknown = UnknownPart.among("exercise", exercise_id, known)
    if nameless := without_check(notebook):
        raise UnknownPart(
            f'{unknown}\nIn {notebook.name}, no lab.check("...") follows the exercise in cell '
            f"{', '.join(nameless)}, and the check names the exercise."
        )
    raise unknown


def _groups(notebook: Path) -> Iterator[list[dict[str, Any]]]:
    """The cells of each exercise: from the cell tagged ``exercise`` to the next one."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    begins = [n for n, cell in enumerate(cells) if "exercise" in cell["metadata"].get("tags", ())]
    for begin, end in pairwise([*begins, len(cells)]):
        yield cells[begin:end]


def headings(notebook: Path) -> dict[str, str]:
    """By the id of each cell, the text of the last heading before the cell."""
    found, last = {}, ""
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        found[cell.get("id", "")] = last
        if cell["cell_type"] == "markdown" and (
            here := _HEADING.findall(_FENCED.sub("", _source(cell)))
        ):
            last = here[-1]
    return found


def _exercise(cells: list[dict[str, Any]], names: OwnNames = USUAL) -> Exercise | None:
    """The exercise that these cells make; None when no cell has its check."""
    first, *rest = cells
    checks = ((cell, _CHECK.search(_source(cell))) for cell in rest if cell["cell_type"] == "code")
    check_cell, check = next((pair for pair in checks if pair[1]), (None, None))
    if check_cell is None or check is None:
        return None
    prose = "\n".join(_source(cell) for cell in rest if cell["cell_type"] == "markdown")
    code = ""
    if (solution := _SOLUTION.search(prose)) is not None:
        code = f"%%bash\n{solution[2]}" if solution[1] == "bash" else solution[2]
    hints = tuple(names.of(hint) for hint in _HINT.findall(prose))
    return Exercise(check[1], first["id"], check_cell["id"], hints, names.of(code))


def _source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])
