"""The workbook of this very project: the labs in order, and every link in them leads somewhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from labs_helpers.curriculum import LABS
from labs_helpers.learners_copy.layout import NotANotebook, Part, notebook, parts, source, unrun

ROOT = Path(__file__).parents[2]
PARTS = parts(ROOT / "notebooks")


def read(part: Part) -> list[dict[str, object]]:
    assert part.content is not None
    cells: list[dict[str, object]] = notebook(part.content)["cells"]
    return cells


def test_the_file_browser_lists_the_labs_in_order_with_the_first_at_hand() -> None:
    tops = {part.path.partition("/")[0] for part in PARTS}
    assert sorted(tops) == sorted(
        "00-start-here.ipynb" if number == "00" else f"{number}-{entry.slug}"
        for number, entry in LABS.items()
    )


def test_every_file_of_a_lab_is_beside_its_notebook() -> None:
    files = ROOT / "notebooks" / "files"
    for file in (path for path in files.rglob("*") if path.is_file()):
        number, _, name = file.relative_to(files).as_posix().partition("/")
        (part,) = (part for part in PARTS if part.path == f"{LABS[number].folder}/{name}")
        assert part.content == file.read_bytes()


@pytest.mark.parametrize("part", [p for p in PARTS if p.path.endswith(".ipynb")], ids=str)
def test_links_lead_to_files_of_the_workbook(part: Part) -> None:
    paths = {one.path for one in PARTS}
    links = [
        link
        for cell in read(part)
        if cell["cell_type"] == "markdown"
        for link in re.findall(r"\]\(([^)#]+)\)", source(cell))
        if "://" not in link
    ]
    here = Path("/") / Path(part.path).parent
    reached = [(here / link).resolve().relative_to("/").as_posix() for link in links]
    assert [link for link in reached if link not in paths] == []


def test_the_map_in_00_leads_to_every_other_lab() -> None:
    (first,) = (part for part in PARTS if part.path == "00-start-here.ipynb")
    text = "".join(source(cell) for cell in read(first))
    for entry in LABS.values():
        if entry.number != "00":
            assert f"]({entry.folder}/{entry.notebook})" in text


@pytest.mark.parametrize(
    ("written", "moved"),
    [
        ("[next](06-build.ipynb)", "[next](../06-build/06-build.ipynb)"),
        ("[map](00-start-here.ipynb#the-map)", "[map](../00-start-here.ipynb#the-map)"),
        ("[this](05-log-in.ipynb)", "[this](05-log-in.ipynb)"),
        ("![drawing](files/05/a.png)", "![drawing](a.png)"),
        ('<img src="files/06/site/a.png">', '<img src="../06-build/site/a.png">'),
        ("[web](https://example.com/06-build.ipynb)", "[web](https://example.com/06-build.ipynb)"),
        ("[other](other.md)", "[other](other.md)"),
        ("06-build.ipynb", "06-build.ipynb"),
    ],
)
def test_links_between_notebooks_and_to_files_move_with_them(written: str, moved: str) -> None:
    cell = {"cell_type": "markdown", "metadata": {}, "source": [written], "id": "a"}
    text = unrun(json.dumps({"cells": [cell], "metadata": {}}).encode(), LABS["05"])
    assert source(notebook(text.encode())["cells"][0]) == moved


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"cells": [1]}', '{"cells": [{}]}', "\xff"])
def test_what_is_no_notebook_says_so(text: str) -> None:
    with pytest.raises(NotANotebook, match="is not readable as a notebook"):
        notebook(text.encode("latin-1"))
