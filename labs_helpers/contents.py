"""The tables of labs in README and in notebook 00, and the foot of every notebook.

``python -m labs_helpers.contents`` is ``make contents``. A table takes the place of what stands
between two HTML comments, which a reader of README or of the notebook does not see. The foot is
the last cell of a notebook.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import nbformat

from labs_helpers.curriculum import LABS
from labs_helpers.files import LabsError
from labs_helpers.labs.exercises import exercises
from labs_helpers.workspace import Workspace

BEGIN = '<!-- The labs. "make contents" writes this table from labs_helpers/curriculum.py. -->'
END = "<!-- The end of the labs. -->"
MAP = "00"
"""The number of the lab whose notebook has the map of all other labs."""

Row = Sequence[str]
Notebook: TypeAlias = Any  # nbformat's NotebookNode, which has no types

FOOT = """\
<details><summary>Stuck?</summary>

| you want | run |
| --- | --- |
| `lab` back, after a restart of the kernel | the first cell: it changes nothing that you made |
| a hint | `lab.hint("{exercise}")`, `lab.hint("{exercise}", 2)` |
| the solution | `lab.solution("{exercise}")` |
| an exercise done for you | `lab.catch_up("{exercise}")` runs the lab's cells and the solution |
| to see each exercise ticked as soon as it is done | `lab.follow()` |
| what another lab has removed of this one | `lab.bring_back()` changes nothing else |
| to start this lab over | `lab.restart()` names what it removes |
| to know what works and what does not | `labs status` and `labs doctor`, in a terminal |
| to see how far you are | `lab.progress()` |

</details>"""
"""The last cell of a notebook; ``{exercise}`` is the lab's first exercise."""


def readme_table() -> str:
    """README's table: every lab, how long it takes, and what it does in the sandbox and on AWS."""
    head = ("lab", "minutes", "you will", "sandbox", "AWS")
    return _table(
        head,
        (
            (
                f"[{lab.number} {lab.name}](notebooks/{lab.notebook})",
                str(lab.minutes),
                lab.goal,
                lab.sandbox,
                lab.aws,
            )
            for lab in LABS.values()
        ),
    )


def map_table() -> str:
    """The map in notebook 00: every other lab, with a link to the notebook beside this one."""
    return _table(
        ("lab", "you will", "minutes"),
        (
            (f"[{lab.number} {lab.name}]({lab.notebook})", lab.goal, str(lab.minutes))
            for lab in LABS.values()
            if lab.number != MAP
        ),
    )


def outdated(project: Path) -> dict[Path, str]:
    """The files whose table or foot differs, and the text that they should have.

    Raises LabsError for a file without the two comments.
    """
    files: dict[Path, Callable[[Path], str]] = {project / "README.md": _readme}
    for lab in LABS.values():
        if (path := project / "notebooks" / lab.notebook).exists():
            files[path] = _map if lab.number == MAP else _notebook
    texts = {path: render(path) for path, render in files.items()}
    return {path: text for path, text in texts.items() if path.read_text(encoding="utf-8") != text}


def main() -> int:
    """Write the tables that are out of date and print the files' names."""
    project = Workspace.find().notebooks.parent
    for path, text in outdated(project).items():
        path.write_text(text, encoding="utf-8")
        print(f"{path.name}: the table of labs or the foot is new")
    return 0


def _readme(path: Path) -> str:
    return _replaced(path.read_text(encoding="utf-8"), readme_table(), path)


def _map(path: Path) -> str:
    notebook = _read(path)
    cells = [cell for cell in notebook.cells if BEGIN in cell.source]
    if not cells:
        raise _without_comments(path)
    cells[0].source = _replaced(cells[0].source, map_table(), path)
    return _with_foot(notebook, path)


def _notebook(path: Path) -> str:
    return _with_foot(_read(path), path)


def _read(path: Path) -> Notebook:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def _with_foot(notebook: Notebook, path: Path) -> str:
    """The text of the notebook with its foot; a lab without exercises has none."""
    if known := list(exercises(path)):
        name = f"{known[0].partition('.')[0]}-stuck"
        foot = next((cell for cell in notebook.cells if cell.id == name), None)
        if foot is None:
            foot = nbformat.v4.new_markdown_cell(id=name)  # type: ignore[no-untyped-call]
            notebook.cells.append(foot)
        foot.source = FOOT.format(exercise=known[0])
    return str(nbformat.writes(notebook)).rstrip("\n") + "\n"  # type: ignore[no-untyped-call]


def _replaced(text: str, table: str, path: Path) -> str:
    """The text with ``table`` between the two comments; raises LabsError without them."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise _without_comments(path)
    # a table in Markdown begins and ends with an empty line
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"


def _without_comments(path: Path) -> LabsError:
    return LabsError(
        f"{path.name} has no place for the table of labs. Put these two lines where the table "
        f"belongs:\n{BEGIN}\n{END}"
    )


def _table(head: Row, rows: Iterator[Row]) -> str:
    """A table in Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabsError as error:
        sys.exit(str(error))
