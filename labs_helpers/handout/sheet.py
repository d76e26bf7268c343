"""A notebook as a sheet: what is on it, where its solutions go, and its HTML."""

from __future__ import annotations

import base64
import mimetypes
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape, unescape
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import unquote

import nbformat

from labs_helpers.curriculum import Entry
from labs_helpers.handout.style import CSS
from labs_helpers.labs.exercises import exercise, exercises
from labs_helpers.own_names import OwnNames

Notebook: TypeAlias = Any  # nbformat's NotebookNode, which has no types

_SOLUTION = re.compile(
    r"<details>\s*<summary>Solution[^<]*</summary>\s*(.*?)\s*</details>", re.DOTALL
)
_DETAILS = re.compile(
    r"<details\b[^>]*>\s*<summary\b[^>]*>(.*?)</summary>\s*(.*?)\s*</details>", re.DOTALL
)
_HOW_TO_ANSWER = re.compile(
    r'<p><span data-labs-answered="">.*?</p>|To keep this answer, run <code>[^<]*</code>', re.DOTALL
)
"""What `display/lesson.py` says below a question and below the answers of a prediction."""
_DIAGRAM = re.compile(r"```mermaid\n(.*?)```", re.DOTALL)
_TITLE = re.compile(r"^ *accTitle: *(.+)$", re.MULTILINE)
_MARK = "diagram-of-the-labs-"
_TURN = re.compile(r"^#+ .*", re.MULTILINE)
_PICTURE = re.compile(r"""(<img\b[^>]*?\bsrc=)(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'"
)
"""Of the file itself, for any browser: https://www.w3.org/TR/CSP3/"""


@dataclass(frozen=True)
class Sheet:
    """The cells of a sheet, and the solutions that stand after them: (exercise, Markdown).

    ``diagrams`` are the texts of the Mermaid diagrams; in the cells, a mark stands for each.
    """

    title: str
    cells: tuple[Notebook, ...]
    solutions: tuple[tuple[str, str], ...]
    diagrams: tuple[str, ...]


def sheet(
    path: Path, lab: Entry, names: OwnNames, solutions: bool = False, only: str | None = None
) -> Sheet:
    """A lab's sheet, or that of one exercise, ``only``, such as "05.1".

    What a closed ``<details>`` hides on a screen stands in the text. A solution, and what a cell
    tagged ``solution`` says, stands at the end where ``solutions`` asks for it, and nowhere else.
    Raises UnknownPart for an exercise that the lab does not have.
    """
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    cells = list(notebook.cells)
    known = exercises(path)
    if only is not None:
        cells = _of_exercise(cells, exercise(path, only).cell, exercise(path, only).check_cell)
    owner: str | None = None
    kept, found, diagrams = [], [], []

    def mark(diagram: re.Match[str]) -> str:
        diagrams.append(diagram[1])
        return f"\n{_MARK}{len(diagrams) - 1}\n"

    cell_of = {one.cell: key for key, one in known.items()}
    for cell in cells:
        owner = cell_of.get(cell.id, owner)
        if "solution" in cell.metadata.get("tags", ()):
            found.append((owner or "", str(cell.source)))
            continue
        if cell.cell_type != "markdown":
            kept.append(_with(cell, names.of(cell.source)))
            continue
        text = names.of(str(cell.source))
        found += [(owner or "", one) for one in _SOLUTION.findall(text)]
        rest = _DETAILS.sub(r"**\1**\n\n\2\n", _SOLUTION.sub("", text)).strip()
        if rest:
            kept.append(_with(cell, _DIAGRAM.sub(mark, rest)))
    title = f"Lab {lab.number}: {lab.name}" if only is None else f"Exercise {only}"
    return Sheet(title, tuple(kept), tuple(found) if solutions else (), tuple(diagrams))


def html(made: Sheet, folder: Path, drawn: Sequence[str] | None = None) -> str:
    """The sheet as one HTML file, which needs no other file, no script and no network.

    A browser gives the file none of these either, whoever wrote the notebook. ``folder`` is where
    the notebook's pictures are, which become part of the file; no other file does. ``drawn`` is an
    SVG for each diagram; without it, the diagrams are their titles and texts.
    """
    from nbconvert import HTMLExporter
    from pygments.formatters import HtmlFormatter

    # nbconvert's embed_images takes any file of the machine that a notebook names
    exporter = HTMLExporter(template_name="basic", anchor_link_text="")  # type: ignore[no-untyped-call]
    notebook = nbformat.v4.new_notebook(cells=[*made.cells, *_at_the_end(made)])  # type: ignore[no-untyped-call]
    resources = {"metadata": {"path": str(folder)}}
    body, _ = exporter.from_notebook_node(notebook, resources=resources)
    body = _PICTURE.sub(partial(_with_picture, folder.resolve()), body)
    for number, text in enumerate(made.diagrams):
        figure = _figure(text, drawn[number] if drawn else None)
        body = body.replace(f"<p>{_MARK}{number}</p>", figure)
    colours = HtmlFormatter(style="default").get_style_defs(".highlight")
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(made.title)}</title><style>{colours}\n{CSS}</style></head>"
        f"<body><main>{_for_paper(body, bool(made.solutions))}</main></body></html>\n"
    )


def _at_the_end(made: Sheet) -> Iterator[Notebook]:
    new = nbformat.v4.new_markdown_cell
    if made.solutions:
        yield new("# Solutions", metadata={})  # type: ignore[no-untyped-call]
    for key, text in made.solutions:
        yield new(f"## {key}\n\n{text}")  # type: ignore[no-untyped-call]


def _of_exercise(cells: Sequence[Notebook], first: str, check: str) -> list[Notebook]:
    """The cells of one exercise: from the heading above it up to its hints and solution."""
    ids = [cell.id for cell in cells]
    begin, end = ids.index(first), ids.index(check) + 1
    while begin and not (
        cells[begin].cell_type == "markdown" and _TURN.search(str(cells[begin].source))
    ):
        begin -= 1
    while (
        end < len(cells)
        and "<details>" in str(cells[end].source)
        and "Stuck?" not in str(cells[end].source)
    ):
        end += 1
    return list(cells[begin:end])


def _with(cell: Notebook, source: str) -> Notebook:
    made = nbformat.from_dict(dict(cell))  # type: ignore[no-untyped-call]
    made.source = source
    return made


def _figure(text: str, svg: str | None) -> str:
    """A diagram with its title; its text where it could not be drawn."""
    title = _TITLE.search(text)
    lines = [line for line in text.splitlines() if "accTitle:" not in line]
    shown = svg or f"<pre>{escape(chr(10).join(lines))}</pre>"
    said = f"<figcaption>{escape(title[1].strip())}</figcaption>" if title else ""
    return f"<figure>{shown}{said}</figure>"


def _with_picture(folder: Path, found: re.Match[str]) -> str:
    """A picture of the notebook's folder as a part of the file; others stay as they are."""
    name = unquote(unescape(found[2] or found[3] or ""))
    place = (folder / name).resolve() if name and "\0" not in name else folder
    kind = mimetypes.guess_type(place.name)[0] or ""
    if ":" in name or not place.is_relative_to(folder) or not kind.startswith("image/"):
        return found[0]
    try:
        content = base64.b64encode(place.read_bytes()).decode()
    except OSError:
        return found[0]
    return f'{found[1]}"data:{kind};base64,{content}"'


def _for_paper(body: str, solutions: bool) -> str:
    """Without scripts, redirections and other pages.

    What opens below a question's answer is a part of the solutions. How to answer in a notebook is
    left out.
    """
    body = _HOW_TO_ANSWER.sub("", body)
    body = re.sub(r"<script\b.*?</script>", "", body, flags=re.DOTALL | re.IGNORECASE)
    body = re.sub(
        r"</?(?:meta|link|base|iframe|object|embed)\b[^>]*>", "", body, flags=re.IGNORECASE
    )
    return _DETAILS.sub(r"<p>\1</p>\2" if solutions else r"<p>\1</p>", body)
