"""What `labs class --catch-up` runs as the learner, in a kernel that nobody looks at."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import nbformat

from labs_helpers import servers, workbook
from labs_helpers.files import LabsError
from labs_helpers.jupyter import folders
from labs_helpers.learners_copy import place
from labs_helpers.modes import AWS, environment, mode
from labs_helpers.sandbox import process
from labs_helpers.workspace import WORKS_IN, Workspace, is_workbook


def catch_up(workspace: Workspace, part: str) -> int:
    """Start the lab and do its exercises up to ``part``, as ``lab.catch_up`` does; 0 when done.

    The servers are stopped again where they did not run. Raises LabsError.
    """
    if mode(workspace) == AWS:
        raise LabsError("This learner works in an AWS account: nobody else acts there.")
    ran = process.running(workspace) is not None
    found = servers.start(workspace)
    try:
        print(_in_a_kernel(workspace, found.sandbox.port, part))
    finally:
        if not ran:
            servers.stop(workspace)
    return 0


def _in_a_kernel(workspace: Workspace, port: int, part: str) -> str:
    folders.place(workspace)
    given = environment(workspace, port).applied(os.environ) | folders.environment(workspace)
    if is_workbook(theirs := place.folder(workspace)):
        given[WORKS_IN] = str(theirs)
    lines = (
        f'from labs_helpers import start\nlab = start("{part[:2]}")',
        f'print(lab.catch_up("{part}"))',
    )
    new = nbformat.v4
    cells = [new.new_code_cell(line) for line in lines]  # type: ignore[no-untyped-call]
    with tempfile.TemporaryDirectory(prefix="labs-") as folder:
        path = Path(folder) / "catch-up.ipynb"
        nbformat.write(new.new_notebook(cells=cells), path)  # type: ignore[no-untyped-call]
        try:
            notebook = workbook.execute(path, given)
        except workbook.CellFailed as error:
            raise LabsError(error.error.partition(": ")[2] or error.error) from error
    printed = (one for one in notebook.cells[-1].outputs if one.output_type == "stream")
    return "".join(map(workbook.text_of, printed)).strip()
