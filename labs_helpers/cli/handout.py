"""Write labs for paper: an HTML file for each, and a PDF where there is a Chromium.

A file needs no network and no other file. Hints are open. Diagrams are drawn where there is a
Chromium, and are their texts elsewhere. Solutions are left out; --solutions puts
them at the end, and with --exercise the file has one exercise only."""

from __future__ import annotations

import argparse
from pathlib import Path

from labs_helpers.cli.terminal import say
from labs_helpers.curriculum import LABS, UnknownPart, chosen
from labs_helpers.files import cannot_write, write_text
from labs_helpers.workspace import Workspace

EXAMPLES = (
    "labs handout 05",
    "labs handout --solutions",
    "labs handout --exercise 05.1 --solutions",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """NN ..., --solutions, --exercise, --folder, --no-pdf."""
    parser.add_argument("labs", nargs="*", metavar="NN", help="labs by number (default: all)")
    parser.add_argument("--solutions", action="store_true", help="with the solutions at the end")
    parser.add_argument("--exercise", metavar="05.1", help="one exercise only")
    parser.add_argument("--folder", type=Path, help="where to write (default: .labs/handouts)")
    parser.add_argument("--no-pdf", action="store_true", help="HTML only")


def run(arguments: argparse.Namespace) -> int:
    """Write the files and print their names. Raises LabsError and UnknownPart."""
    from labs_helpers.handout import diagrams, pdf, sheet  # nbconvert takes a second

    workspace = Workspace.find()
    only = arguments.exercise
    if only is not None and only.split(".")[0] not in LABS:
        raise UnknownPart(f"There is no exercise {only!r}. An id looks like 05.1")
    numbers = chosen([only.split(".")[0]] if only else arguments.labs)
    folder = arguments.folder or workspace.home / "handouts"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    chromium = None if arguments.no_pdf else pdf.browser()
    for number in numbers:
        lab = LABS[number]
        notebook = workspace.notebooks / lab.notebook
        made = sheet.sheet(notebook, lab, workspace.own_names, arguments.solutions, only)
        stem = Path(lab.notebook).stem if only is None else only
        page = folder / f"{stem}{'-solutions' * arguments.solutions}.html"
        drawn = diagrams.draw(made.diagrams, pdf.browser())
        if made.diagrams and drawn is None:
            say(f"The diagrams of lab {number} are texts: no chromium could draw them.")
        write_text(page, sheet.html(made, notebook.parent, drawn), mode=0o644)
        print(page)
        if chromium:
            pdf.write(chromium, page, page.with_suffix(".pdf"))
            print(page.with_suffix(".pdf"))
    if chromium is None and not arguments.no_pdf:
        say("No PDF: there is no chromium on this machine. Print the HTML from any browser.")
    return 0
