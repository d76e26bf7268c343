"""What a workbook consists of: a folder for each lab, with the lab's notebook and files."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from labs_helpers.curriculum import LABS, Entry
from labs_helpers.files import LabsError, cannot_read
from labs_helpers.own_names import USUAL, OwnNames

IGNORED = (".ipynb_checkpoints", "__pycache__")
_LINK = re.compile(r"""(\]\(|\b(?:src|href)=["'])([^)\s"'#?]+)""")
_BY_NOTEBOOK = {entry.notebook: entry for entry in LABS.values()}


class NotANotebook(LabsError):
    """The text is not that of a notebook; the message says why, without the file's name."""


@dataclass(frozen=True)
class Part:
    """A file of the workbook as the project has the file now.

    ``path`` is relative to the workbook, ``mode`` the permissions. ``content`` is None for a
    notebook of the project that cannot be read; ``fault`` then says why.
    """

    path: str
    content: bytes | None
    mode: int = 0o644
    fault: str = ""


def parts(notebooks: Path, names: OwnNames = USUAL) -> list[Part]:
    """Every file of the workbook, lab by lab; ``notebooks`` is the project's folder.

    The texts have the account and the region of ``names``.

    A lab whose notebook the project lacks has no part. Raises WorkspaceError for a file that cannot
    be opened.
    """
    every = (part for entry in LABS.values() for part in _of_lab(notebooks, entry))
    return [_with(names, part) for part in every]


def _with(names: OwnNames, part: Part) -> Part:
    return part if part.content is None else replace(part, content=names.in_file(part.content))


def _of_lab(notebooks: Path, entry: Entry) -> Iterator[Part]:
    original = notebooks / entry.notebook
    if original.is_file():
        path = in_workbook(entry, entry.notebook)
        try:
            yield Part(path, unrun(_read(original), entry).encode())
        except NotANotebook as fault:
            yield Part(path, None, fault=f"notebooks/{entry.notebook} {fault}")
    files = notebooks / "files" / entry.number
    for file in sorted(files.rglob("*")) if files.is_dir() else ():
        inside = file.relative_to(files)
        if file.is_file() and not set(IGNORED).intersection(inside.parts):
            mode = stat.S_IMODE(file.stat().st_mode) | stat.S_IWUSR
            yield Part(in_workbook(entry, inside.as_posix()), _read(file), mode)


def in_workbook(entry: Entry, name: str) -> str:
    """The path, relative to the workbook, of a file in a lab's folder."""
    return (PurePosixPath(entry.folder) / name).as_posix()


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise cannot_read(file, error) from error


def notebook(text: bytes) -> dict[str, Any]:
    """A notebook from the bytes of its file; raises NotANotebook."""
    try:
        found: Any = json.loads(text)
    except ValueError as error:
        raise NotANotebook(f"is not readable as a notebook: {error}") from error
    if isinstance(found, dict) and isinstance(cells := found.get("cells"), list):
        if all(_is_cell(cell) for cell in cells):
            return found
        raise NotANotebook("is not readable as a notebook: a cell of it is none")
    raise NotANotebook("is not readable as a notebook: it has no list of cells")


def _is_cell(cell: Any) -> bool:
    return (
        isinstance(cell, dict)
        and isinstance(cell.get("cell_type"), str)
        and isinstance(cell.get("source"), (str, list))
        and isinstance(cell.get("metadata", {}), dict)
    )


def source(cell: dict[str, Any]) -> str:
    """The text of a cell: a file may hold the text as one string or as a list of lines."""
    return "".join(cell["source"])


def unrun(text: bytes, entry: Entry) -> str:
    """The text of a lab's notebook as nobody has run it, with links that work in the workbook.

    Raises NotANotebook.
    """
    found = notebook(text)
    for cell in found["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
        elif cell["cell_type"] == "markdown":
            moved = _LINK.sub(lambda link: link[1] + _moved(link[2], entry), source(cell))
            cell["source"] = moved.splitlines(keepends=True)
    return written(found)


def written(found: dict[str, Any]) -> str:
    """The text of a notebook's file, as JupyterLab formats it."""
    return json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _moved(target: str, entry: Entry) -> str:
    """A link from the project's notebook ``entry``, as the copy of this notebook needs it."""
    if (other := _BY_NOTEBOOK.get(target)) is not None:
        return other.link(target, entry)
    if (found := re.fullmatch(r"files/(\d\d)/(.+)", target)) and found[1] in LABS:
        return LABS[found[1]].link(found[2], entry)
    return target
