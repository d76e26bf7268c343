"""Homes of learners with journals, written by the labs' own journal at times of the past."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from labs_helpers.progress.journal import Journal
from labs_helpers.workspace import Workspace

Step = tuple[float, str, str, str, str]
"""Minutes ago, lab, event, part, outcome."""

OPENED = "opened"


def journal(labs_home: Path, steps: Sequence[Step]) -> Path:
    """Write the steps with the labs' own journal, and give each line its time of the past."""
    workspace = Workspace(labs_home)
    for _, lab, event, part, outcome in steps:
        Journal(workspace).add(event, lab, part, outcome)
    lines = workspace.progress.read_text().splitlines() if steps else []
    now = datetime.now(UTC)
    dated = []
    for line, (ago, *_) in zip(lines, steps, strict=True):
        at = (now - timedelta(minutes=ago)).isoformat().replace("+00:00", "Z")
        dated.append(json.dumps({**json.loads(line), "__timestamp__": at}))
    if steps:
        workspace.progress.write_text("".join(f"{line}\n" for line in dated))
    return workspace.progress


def stuck(minutes: float = 25) -> list[Step]:
    """A learner of lab 05 who did 05.1, tries 05.2 in vain, and is still at it."""
    began = minutes + 8
    return [
        (began, "05", OPENED, "", ""),
        (began - 4, "05", "active", "", ""),
        (minutes, "05", "check", "05.1", "passed"),
        *((minutes - each, "05", "active", "", "") for each in (4, 8, 12)),
        (minutes - 14, "05", "check", "05.2", "not yet"),
        (minutes - 16, "05", "hint", "05.2", "1"),
        (2, "05", "check", "05.2", "not yet"),
    ]


def quick() -> list[Step]:
    """A learner who has just done all of lab 05, in six minutes."""
    return [
        (7, "05", OPENED, "", ""),
        (4, "05", "check", "05.1", "passed"),
        (1, "05", "check", "05.2", "passed"),
    ]


def quiet() -> list[Step]:
    """A learner who did the first exercise of lab 05 and has run nothing for twenty minutes."""
    return [(24, "05", OPENED, "", ""), (20, "05", "check", "05.1", "passed")]


def class_of(folder: Path) -> Path:
    """Four homes: ada is stuck, ben is quick, cem is quiet, dee has not begun."""
    journal(folder / "ada" / ".labs", stuck())
    journal(folder / "ben" / ".labs", quick())
    journal(folder / "cem" / "project" / ".labs", quiet())
    (folder / "dee" / ".labs").mkdir(parents=True)
    (folder / "nobody").mkdir()
    return folder
