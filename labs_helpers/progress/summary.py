"""What follows from the journal: which exercises are done, and how many minutes each took."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from labs_helpers.progress.journal import Event

PAUSE = timedelta(minutes=5)
"""A longer gap between two events is a pause, in which the learner did something else."""

DONE, SHOWN, TRIED, OPEN = "done", "shown", "tried", "open"
"""States of an exercise: its check passed; ``catch_up`` did it; a check failed; nothing yet."""


@dataclass(frozen=True)
class Part:
    """One exercise. ``minutes`` are active minutes until it was done, None before that."""

    id: str
    state: str
    minutes: float | None
    checks: int
    hints: int


@dataclass(frozen=True)
class Answer:
    """A question's answers: the first letter chosen and the last one."""

    first: str
    last: str


@dataclass(frozen=True)
class LabSummary:
    """One lab: its exercises in order, the answers by question, and its active minutes."""

    number: str
    opened: bool
    parts: tuple[Part, ...]
    answers: Mapping[str, Answer]
    minutes: float

    @property
    def finished(self) -> bool:
        """Whether every exercise is done or shown; a lab without exercises, whether opened."""
        done = all(part.state in (DONE, SHOWN) for part in self.parts)
        return done if self.parts else self.opened


def summary(number: str, exercises: Sequence[str], events: Iterable[Event]) -> LabSummary:
    """The summary of one lab from the events of all labs, oldest first.

    The time of an exercise runs from the exercise before (or the lab's opening) to its first
    passed check. A gap of more than PAUSE between two events counts as nothing.
    """
    listed = list(events)
    own = [event for event in listed if event.lab == number]
    spans = _spans(number, listed)
    parts, begin = [], own[0].at if own else None
    for exercise in exercises:
        part = _part(exercise, own)
        ended = _ended(exercise, own)
        if ended is not None and begin is not None:
            minutes = _minutes(spans, begin, ended) if part.state == DONE else None
            part = Part(part.id, part.state, minutes, part.checks, part.hints)
            begin = max(begin, ended)
        parts.append(part)
    total = sum((length for _, length in spans), timedelta())
    opened = any(event.event == "opened" for event in own)
    return LabSummary(number, opened, tuple(parts), _answers(own), total.total_seconds() / 60)


def resume(labs: Sequence[LabSummary], events: Sequence[Event]) -> str | None:
    """The id of the exercise to go on with, or a lab's number where no exercise is open there.

    The learner's last lab comes first, then the labs after it, then the labs before it. None when
    everything is finished.
    """
    last = events[-1].lab if events else ""
    at = next((index for index, lab in enumerate(labs) if lab.number == last), 0)
    for lab in [*labs[at:], *labs[:at]]:
        if not lab.finished:
            is_open = (part.id for part in lab.parts if part.state not in (DONE, SHOWN))
            return next(is_open, lab.number)
    return None


def _part(exercise: str, events: Sequence[Event]) -> Part:
    own = [event for event in events if event.part == exercise]
    checked = [event.outcome for event in own if event.event == "check"]
    hints = {event.outcome for event in own if event.event == "hint"}
    if "passed" in checked:
        state = DONE
        if any(event.event == "shown" for event in own[: _first_passed(own)]):
            state = SHOWN
    elif any(event.event == "shown" for event in own):
        state = SHOWN
    else:
        state = TRIED if "not yet" in checked else OPEN
    return Part(exercise, state, None, len(checked), len(hints))


def _first_passed(events: Sequence[Event]) -> int:
    return next(index for index, event in enumerate(events) if event.outcome == "passed")


def _ended(exercise: str, events: Sequence[Event]) -> datetime | None:
    """When an exercise was first done or shown."""
    own = (event for event in events if event.part == exercise)
    return next((e.at for e in own if e.outcome == "passed" or e.event == "shown"), None)


def _spans(number: str, events: Sequence[Event]) -> list[tuple[datetime, timedelta]]:
    """The stretches of activity in a lab: when each began, and how long it was.

    The time between two events belongs to the lab of the first one.
    """
    pairs = ((one, other.at - one.at) for one, other in pairwise(events))
    return [(one.at, length) for one, length in pairs if one.lab == number and length <= PAUSE]


def _minutes(spans: Sequence[tuple[datetime, timedelta]], begin: datetime, end: datetime) -> float:
    inside = (length for at, length in spans if begin <= at < end)
    return sum(inside, timedelta()).total_seconds() / 60


def _answers(events: Sequence[Event]) -> dict[str, Answer]:
    found: dict[str, Answer] = {}
    for event in events:
        if event.event in ("quiz", "predict"):
            earlier = found.get(event.part)
            found[event.part] = Answer(earlier.first if earlier else event.outcome, event.outcome)
    return found
