"""Opening the learner's workbook: laid out the first time, and brought up to date after that."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from pathlib import Path

from labs_helpers.files import LabsError
from labs_helpers.jupyter import running
from labs_helpers.learners_copy import files, place, report
from labs_helpers.learners_copy.base import Base
from labs_helpers.learners_copy.layout import parts
from labs_helpers.learners_copy.trust import Trust
from labs_helpers.learners_copy.update import Change, Update
from labs_helpers.runtime.background_process import only_one
from labs_helpers.workspace import WORKBOOK_RECORD, Workspace


def up_to_date(
    workspace: Workspace,
    say: Callable[[str], None],
    environ: Mapping[str, str] | None = None,
    in_use: Callable[[Path, Workspace], Collection[str]] = running.open_files,
) -> Path:
    """Lay out the workbook, or bring the workbook up to date, and return its folder.

    ``say`` gets what changed, a line at a time. Two calls at once follow each other. ``in_use``
    tells which files of the workbook are open; they stay as they are. Raises LabsError.
    """
    environ = os.environ if environ is None else environ
    workbook = place.folder(workspace, environ)
    _refuse_the_project(workbook, workspace)
    wanted = parts(workspace.notebooks, workspace.own_names)
    record = workbook / WORKBOOK_RECORD
    try:
        record.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise files.cannot("write", record, error) from error
    if not os.access(record, os.W_OK):
        raise files.cannot("write", record, PermissionError(13, os.strerror(13)))
    now = datetime.now()
    with only_one(record / "lock", say), Trust(workspace) as trust:
        _ignore(workbook, workspace)
        update = Update(workbook, Base(workbook), trust, now, in_use(workbook, workspace))
        changes: list[Change] = update.run(wanted)
        report.keep(workbook, changes, now)
    for line in report.lines(changes):
        say(line)
    return workbook


def _refuse_the_project(workbook: Path, workspace: Workspace) -> None:
    """Raise LabsError for a LABS_WORKBOOK in which the project's own files would be mixed up."""
    project, wanted = workspace.notebooks.parent.resolve(), workbook.resolve()
    if project.is_relative_to(wanted) or wanted.is_relative_to(workspace.notebooks.resolve()):
        raise LabsError(
            f"LABS_WORKBOOK is {workbook}, which holds the project or is a part of it.\n"
            "Name a folder of its own, such as:  export LABS_WORKBOOK=~/my-labs"
        )


def _ignore(workbook: Path, workspace: Workspace) -> None:
    """Keep a workbook out of the project's repository, which itself ignores ``my-labs`` only."""
    project = workspace.notebooks.parent
    usual = workbook == project / place.NAME
    rules = workbook / ".gitignore"
    if workbook.is_relative_to(project) and not usual and not rules.exists():
        files.replace(rules, b"*\n")
