"""The tables of labs in README and in notebook 00, written from the curriculum.

``python -m labs_helpers.contents`` is ``make contents``. It replaces what stands between two HTML
comments, which a reader of README or of the notebook does not see.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import nbformat

from labs_helpers.curriculum import LABS
from labs_helpers.workspace import LabsError, Workspace

BEGIN = '<!-- The labs. "make contents" writes this table from labs_helpers/curriculum.py. -->'
END = "<!-- The end of the labs. -->"
MAP = "00"
"""The number of the lab whose notebook has the map of all other labs."""

Row = Sequence[str]


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
    """The files whose table differs from the curriculum, and the text that they should have.

    Raises LabsError for a file without the two comments.
    """
    files: dict[Path, Callable[[Path], str]] = {
        project / "README.md": _readme,
        project / "notebooks" / LABS[MAP].notebook: _notebook,
    }
    texts = {path: render(path) for path, render in files.items()}
    return {path: text for path, text in texts.items() if path.read_text(encoding="utf-8") != text}


def main() -> int:
    """Write the tables that are out of date and print the files' names."""
    project = Workspace.find().notebooks.parent
    for path, text in outdated(project).items():
        path.write_text(text, encoding="utf-8")
        print(f"{path.name}: the table of labs is new")
    return 0


def _readme(path: Path) -> str:
    return _replaced(path.read_text(encoding="utf-8"), readme_table(), path)


def _notebook(path: Path) -> str:
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    cells = [cell for cell in notebook.cells if BEGIN in cell.source]
    if not cells:
        raise _without_comments(path)
    cells[0].source = _replaced(cells[0].source, map_table(), path)
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
