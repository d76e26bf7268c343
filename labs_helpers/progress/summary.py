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
        mine = [event for event in own if event.part == exercise]
        end, minutes = _end(mine), None
        if end is not None and begin is not None:
            if end.event != "shown":
                minutes = _minutes(spans, begin, end.at)
            begin = max(begin, end.at)
        parts.append(Part(exercise, _state(mine, end), minutes, *_counts(mine)))
    total = sum((length for _, length in spans), timedelta())
    opened = any(event.event == "opened" for event in own)
    return LabSummary(number, opened, tuple(parts), _answers(own), total.total_seconds() / 60)


_SAID = {DONE: "done", SHOWN: "shown", TRIED: "tried", OPEN: "not tried yet"}


def so_far(found: LabSummary) -> str:
    """A lab's exercises and their states in a line: "05.1 done, 05.2 not tried yet"."""
    return ", ".join(f"{part.id} {_SAID[part.state]}" for part in found.parts)


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


def _end(events: Sequence[Event]) -> Event | None:
    """The event with which an exercise was first done or shown."""
    return next((e for e in events if e.event == "shown" or e.outcome == "passed"), None)


def _state(events: Sequence[Event], end: Event | None) -> str:
    if end is not None:
        return SHOWN if end.event == "shown" else DONE
    return TRIED if any(event.outcome == "not yet" for event in events) else OPEN


def _counts(events: Sequence[Event]) -> tuple[int, int]:
    """How often an exercise was checked, and how many different hints were read."""
    hints = {event.outcome for event in events if event.event == "hint"}
    return sum(event.event == "check" for event in events), len(hints)


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
