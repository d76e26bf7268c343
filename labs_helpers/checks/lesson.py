"""Hints and solutions, read where they are written: in the lab's notebook."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_HINT = re.compile(r"<details><summary>Hint \d+</summary>\s*(.*?)\s*</details>", re.DOTALL)
_SOLUTION = re.compile(r"```(bash|python)\n(# solution\n.*?)\n```", re.DOTALL)


class NoSuchPart(Exception):
    """The notebook has no such exercise, hint or solution; the message says what it has."""


@dataclass(frozen=True)
class Exercise:
    """An exercise's hints, in order, and its solution; ``language`` is "bash" or "python"."""

    id: str
    hints: tuple[str, ...]
    language: str
    solution: str

    @property
    def cell(self) -> str:
        """The solution as the source of a code cell."""
        return f"%%bash\n{self.solution}" if self.language == "bash" else self.solution

    def hint(self, number: int) -> str:
        """The hint of this number, counted from 1; raises :class:`NoSuchPart`."""
        if not 1 <= number <= len(self.hints):
            raise NoSuchPart(f"{self.id} has hints 1 to {len(self.hints)}, not {number}.")
        return self.hints[number - 1]


def exercises(notebook: Path) -> dict[str, Exercise]:
    """The exercises of a notebook file by id; an exercise without hints or solution has none."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    hints = {check: _HINT.findall(text) for check, text in _tagged(cells, "hints")}
    solutions = {check: _SOLUTION.search(text) for check, text in _tagged(cells, "solution")}
    found = {}
    for check, _ in _tagged(cells, "exercise"):
        solution = solutions.get(check)
        language, code = (solution[1], solution[2]) if solution else ("bash", "")
        found[check] = Exercise(check, tuple(hints.get(check, ())), language, code)
    return found


def exercise(notebook: Path, check_id: str) -> Exercise:
    """One exercise; raises :class:`NoSuchPart` with the ids there are."""
    known = exercises(notebook)
    if check_id not in known:
        listed = ", ".join(known) or "none"
        raise NoSuchPart(f"There is no exercise {check_id!r}. This lab has: {listed}.")
    return known[check_id]


def _tagged(cells: list[dict[str, Any]], tag: str) -> list[tuple[str, str]]:
    """(check id, source) of the cells with a tag."""
    return [
        (cell["metadata"]["labs"]["check"], "".join(cell["source"]))
        for cell in cells
        if tag in cell["metadata"].get("tags", ())
    ]
