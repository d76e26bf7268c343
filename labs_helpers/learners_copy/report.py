"""What an update of the workbook says: in the terminal, and in the workbook for later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from labs_helpers.learners_copy import files
from labs_helpers.learners_copy.update import Change

NOTE = "what-changed.md"
"""The file of a workbook that tells what updates did to files that the learner had changed."""

SAID = {
    "merged": "has what is new, and all that you wrote. Your version until now: {other}",
    "beside": "is as you left it. The new version is beside it: {other}",
    "set aside": "is as it came. Yours, which was damaged, is kept: {other}",
    "withdrawn": "is as you left it",
    "waiting": "is as it was",
}


def lines(changes: Sequence[Change]) -> list[str]:
    """What to say in the terminal: one line for what is plain, and the rest file by file."""
    said = []
    if new := [one for one in changes if one.kind == "new"]:
        said.append(f"{_count(new)} laid out.")
    if replaced := [one for one in changes if one.kind == "replaced"]:
        said.append(f"{_count(replaced)} that you had not changed: now the new version.")
    for change in changes:
        if change.kind in SAID:
            said.append(f"{change.path} {_told(change)}.")
            said += [f"  {note}" for note in change.notes]
    return said


def keep(workbook: Path, changes: Sequence[Change], now: datetime) -> None:
    """Add to the workbook's note what an update did to the learner's files; raises WorkspaceError.

    A file that waits is not in the note: every update until then would add the same line.
    """
    told = [change for change in changes if change.kind in SAID and change.kind != "waiting"]
    if not told:
        return
    path = workbook / NOTE
    before = files.read(path) or b"# What updates of the labs changed\n"
    text = ["", f"## {now:%Y-%m-%d %H:%M}", ""]
    for change in told:
        text.append(f"- `{change.path}` {_told(change)}.")
        text += [f"  - {note}" for note in change.notes]
    files.replace(path, before + ("\n".join(text) + "\n").encode())


def _told(change: Change) -> str:
    return SAID[change.kind].replace("{other}", change.other)


def _count(changes: Sequence[Change]) -> str:
    return f"{len(changes)} file{'' if len(changes) == 1 else 's'}"
