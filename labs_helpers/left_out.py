"""What a lab's cell misses that has failed: a file of an earlier cell, or the lab's beginning."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from labs_helpers.labs.exercises import headings

_WRITTEN = re.compile(r">\s*([\w.-]+\.(?:json|ya?ml|txt))\b")
"""A file that a shell writes in the lab's folder."""
_SCRIPT = re.compile(r"\b(?:ba)?sh ([\w.-]+\.sh)\b")
_NAMED = re.compile(r"(?<![\w./-])(?:file://)?([\w.-]+\.(?:json|ya?ml|txt))\b")
_MEANT = ("exercise", "raises-exception")
"""The tags of cells whose failure is the learner's to understand."""


@dataclass(frozen=True)
class Cell:
    """A code cell of the lab, with the text of the scripts that the cell runs.

    heading: of the section in the notebook.
    """

    id: str
    source: str
    heading: str

    @property
    def writes(self) -> list[str]:
        return _WRITTEN.findall(self.source)

    @property
    def names(self) -> list[str]:
        return list(dict.fromkeys(_NAMED.findall(self.source)))


def cells_of_the_lab(notebook: Path, files: Path) -> list[Cell]:
    """The code cells of a notebook in their order, but for those that may fail; files: the lab's.

    Raises OSError for a notebook that cannot be read.
    """
    found = headings(notebook)
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [
        Cell(cell["id"], _with_scripts("".join(cell["source"]), files), found[cell["id"]])
        for cell in cells
        if cell["cell_type"] == "code" and not set(_MEANT) & {*cell["metadata"].get("tags", ())}
    ]


def files_left_out(cell: str, cells: Sequence[Cell], folder: Path) -> Iterator[str]:
    """In a line each, the files that a cell names, an earlier cell writes, and nobody has written.

    cell: the id; folder: the lab's, in which cells run.
    """
    order = [one.id for one in cells]
    if cell not in order:
        return
    this, before = cells[order.index(cell)], cells[: order.index(cell)]
    for name in this.names:
        writer = next((one for one in reversed(before) if name in one.writes), None)
        if writer is not None and name not in this.writes and not (folder / name).exists():
            yield (
                f"{name} is not there. A cell further up, below the heading "
                f'"{writer.heading}", writes the file: run that cell first, then this one.'
            )


def _with_scripts(source: str, files: Path) -> str:
    scripts = (files / name for name in _SCRIPT.findall(source))
    return "\n".join((source, *(one.read_text("utf-8") for one in scripts if one.is_file())))
