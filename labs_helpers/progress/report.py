"""The learner's progress over all labs: as a drawing, and as data for `labs progress --json`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from labs_helpers.curriculum import FIRST, LABS
from labs_helpers.display.overview import Row, overview
from labs_helpers.display.rendering import Rendering
from labs_helpers.labs.exercises import exercises
from labs_helpers.progress.journal import Event
from labs_helpers.progress.summary import LabSummary, resume, summary
from labs_helpers.workspace import Workspace


def summaries(workspace: Workspace, events: Sequence[Event]) -> list[LabSummary]:
    """A summary of each lab. Raises WorkspaceError where there are no notebooks."""
    return [
        summary(number, list(exercises(workspace.notebooks / lab.notebook)), events)
        for number, lab in LABS.items()
    ]


def report(workspace: Workspace, events: Sequence[Event], here: str = FIRST) -> Rendering:
    """The list of labs with the learner's exercises, minutes, and the next one to do.

    ``here``: the lab whose notebook shows the list, from which the links lead.
    """
    labs = summaries(workspace, events)

    def link(number: str) -> str:
        lab = LABS[number]
        return lab.link(lab.notebook, LABS[here]) if workspace.workbook else lab.notebook

    rows = [
        Row(
            f"{lab.number} {LABS[lab.number].name}",
            link(lab.number),
            lab.finished,
            tuple((part.id, part.state) for part in lab.parts),
            lab.minutes,
        )
        for lab in labs
    ]
    return overview(rows, _go_on(workspace, resume(labs, events), link))


def _go_on(
    workspace: Workspace, part: str | None, link: Callable[[str], str]
) -> tuple[str, str, str] | None:
    """What is next, its notebook, and the heading of the exercise."""
    if part is None:
        return None
    number, _, exercise = part.partition(".")
    if not exercise:
        return f"lab {number}", link(number), ""
    heading = exercises(workspace.notebooks / LABS[number].notebook)[part].heading
    return f"exercise {part}", link(number), heading


def document(workspace: Workspace, events: Sequence[Event]) -> dict[str, Any]:
    """What `labs progress --json` prints. Minutes are active ones, to a tenth."""
    labs = summaries(workspace, events)
    return {
        "labs": [
            {
                "lab": lab.number,
                "opened": lab.opened,
                "finished": lab.finished,
                "minutes": round(lab.minutes, 1),
                "exercises": [
                    {
                        "id": part.id,
                        "state": part.state,
                        "minutes": None if part.minutes is None else round(part.minutes, 1),
                        "checks": part.checks,
                        "hints": part.hints,
                    }
                    for part in lab.parts
                ],
                "answers": {
                    key: {"first": answer.first, "last": answer.last}
                    for key, answer in lab.answers.items()
                },
            }
            for lab in labs
        ],
        "next": resume(labs, events),
    }
