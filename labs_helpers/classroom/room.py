"""A room of learners now: how far each is, who does not move, and how long things take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from labs_helpers.classroom.journals import Found
from labs_helpers.curriculum import LABS
from labs_helpers.labs.exercises import exercises
from labs_helpers.progress.journal import Event
from labs_helpers.progress.summary import DONE, OPEN, SHOWN, LabSummary, resume, summary
from labs_helpers.workspace import Workspace

STILL = timedelta(minutes=10)
AWAY = timedelta(hours=1)
NOT_BEGUN, WORKS, DOES_NOT_MOVE, QUIET, IS_AWAY, FINISHED = (
    "not begun",
    "works",
    "does not move",
    "quiet",
    "away",
    "finished",
)
"""States of a learner. Who runs cells and for STILL has reached nothing new does not move; who has
run nothing for STILL is quiet, and for AWAY away."""


@dataclass(frozen=True)
class Learner:
    """One learner. ``part`` is the exercise that is next; ``moved`` when something new was reached.

    ``active`` is when the learner last ran anything. ``tries`` and ``hints`` are of ``part``.
    """

    name: str
    labs: tuple[LabSummary, ...]
    state: str
    part: str | None
    moved: datetime | None
    active: datetime | None
    tries: int
    hints: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Minutes:
    """Active minutes of those who did something: how many did, their median and the longest."""

    count: int
    median: float | None
    longest: float | None

    @classmethod
    def of(cls, minutes: Iterable[float]) -> Minutes:
        listed = list(minutes)
        return cls(len(listed), median(listed) if listed else None, max(listed, default=None))


@dataclass(frozen=True)
class Room:
    """The room at ``now``. ``exercises`` and ``labs`` have the minutes, by id and by number."""

    now: datetime
    learners: tuple[Learner, ...]
    exercises: Mapping[str, Minutes]
    labs: Mapping[str, Minutes]

    @property
    def still(self) -> list[Learner]:
        """Those who have not moved for ten minutes, the longest first."""
        here = [one for one in self.learners if one.state in (DOES_NOT_MOVE, QUIET)]
        return sorted(here, key=lambda one: one.moved or self.now)

    def document(self) -> dict[str, Any]:
        """What `labs class --json` prints. Minutes are to a tenth."""
        return {
            "now": self.now.isoformat(),
            "learners": [
                {
                    "name": one.name,
                    "state": one.state,
                    "exercise": one.part,
                    "minutes_not_moved": self._since(one.moved),
                    "minutes_not_active": self._since(one.active),
                    "tries": one.tries,
                    "hints": one.hints,
                    "labs": {
                        lab.number: {
                            "opened": lab.opened,
                            "finished": lab.finished and lab.opened,
                            "minutes": round(lab.minutes, 1),
                            "exercises": {part.id: part.state for part in lab.parts},
                        }
                        for lab in one.labs
                    },
                    "notes": list(one.notes),
                }
                for one in self.learners
            ],
            "exercises": {key: _document(found) for key, found in self.exercises.items()},
            "labs": {
                key: {"printed": LABS[key].minutes, **_document(found)}
                for key, found in self.labs.items()
            },
        }

    def _since(self, at: datetime | None) -> float | None:
        return None if at is None else round((self.now - at).total_seconds() / 60, 1)


def room(workspace: Workspace, found: Sequence[Found], now: datetime) -> Room:
    """The room of these learners. Raises WorkspaceError where there are no notebooks."""
    ids = {
        number: list(exercises(workspace.notebooks / lab.notebook)) for number, lab in LABS.items()
    }
    learners = tuple(_learner(one, ids, now) for one in found)
    parts = [part for one in learners for lab in one.labs for part in lab.parts]
    return Room(
        now,
        learners,
        {
            key: Minutes.of(
                part.minutes for part in parts if part.id == key and part.minutes is not None
            )
            for listed in ids.values()
            for key in listed
        },
        {
            number: Minutes.of(
                lab.minutes
                for one in learners
                for lab in one.labs
                if lab.number == number and _did_all(lab)
            )
            for number in ids
        },
    )


def _learner(found: Found, ids: Mapping[str, Sequence[str]], now: datetime) -> Learner:
    labs = tuple(summary(number, listed, found.events) for number, listed in ids.items())
    steps = [event for event in found.events if _is_a_step(event)]
    moved = _last(_firsts(steps))
    active = _last(found.events)
    at = resume(labs, found.events)
    part = next((one for lab in labs for one in lab.parts if one.id == at), None)
    return Learner(
        found.name,
        labs,
        _state(at, moved, active, now),
        at if found.events else None,
        moved,
        active,
        part.checks if part else 0,
        part.hints if part else 0,
        found.notes,
    )


def _state(at: str | None, moved: datetime | None, active: datetime | None, now: datetime) -> str:
    if active is None or moved is None:
        return NOT_BEGUN
    if at is None:
        return FINISHED
    if now - active >= AWAY:
        return IS_AWAY
    if now - active >= STILL:
        return QUIET
    return DOES_NOT_MOVE if now - moved >= STILL else WORKS


def _is_a_step(event: Event) -> bool:
    """Whether an event may be a step forward: a lab opened, a check passed, a question answered."""
    return event.outcome == "passed" or event.event in ("opened", "shown", "quiz", "predict")


def _firsts(steps: Iterable[Event]) -> list[Event]:
    """The first of each kind of step: to open a lab again, or to pass a check again, is none."""
    seen: dict[tuple[str, str, str], Event] = {}
    for step in steps:
        kind = "done" if step.part else step.event
        seen.setdefault((step.lab, step.part, kind), step)
    return list(seen.values())


def _last(events: Sequence[Event]) -> datetime | None:
    return max((event.at for event in events), default=None)


def _did_all(lab: LabSummary) -> bool:
    """Whether the learner did a whole lab alone, so that its minutes say how long it takes."""
    return lab.opened and bool(lab.parts) and all(part.state == DONE for part in lab.parts)


def level(lab: LabSummary) -> tuple[int, str]:
    """A cell of the heat map: 0 (not opened) to 4 (finished), and what it says in words."""
    if not lab.opened and all(part.state == OPEN for part in lab.parts):
        return 0, ""
    done = sum(part.state in (DONE, SHOWN) for part in lab.parts)
    if lab.finished:
        return 4, "done"
    if not done:
        return (1, "open") if all(part.state == OPEN for part in lab.parts) else (2, "tried")
    return 3, f"{done}/{len(lab.parts)}"


def _document(found: Minutes) -> dict[str, Any]:
    def rounded(minutes: float | None) -> float | None:
        return None if minutes is None else round(minutes, 1)

    return {
        "learners": found.count,
        "median": rounded(found.median),
        "longest": rounded(found.longest),
    }
