"""What follows from the journal: states, active minutes, the exercise to go on with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from labs_helpers.progress.journal import Event
from labs_helpers.progress.summary import LabSummary, resume, so_far, summary

EXERCISES = ("05.1", "05.2")


def at(minute: float, event: str, part: str = "", outcome: str = "", lab: str = "05") -> Event:
    begin = datetime(2026, 11, 2, 9, tzinfo=UTC)
    return Event(begin + timedelta(minutes=minute), lab, event, part, outcome)


def of(*events: Event) -> LabSummary:
    return summary("05", EXERCISES, events)


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([], "open"),
        ([at(1, "check", "05.1", "not attempted")], "open"),
        ([at(1, "check", "05.1", "could not look")], "open"),
        ([at(1, "hint", "05.1", "1")], "open"),
        ([at(1, "check", "05.1", "not yet")], "tried"),
        ([at(1, "check", "05.1", "passed")], "done"),
        ([at(1, "check", "05.1", "passed"), at(2, "check", "05.1", "not yet")], "done"),
        ([at(1, "shown", "05.1")], "shown"),
        ([at(1, "shown", "05.1"), at(2, "check", "05.1", "passed")], "shown"),
        ([at(1, "check", "05.1", "passed"), at(2, "shown", "05.1")], "done"),
    ],
)
def test_the_state_of_an_exercise(events: list[Event], state: str) -> None:
    assert of(at(0, "opened"), *events).parts[0].state == state


def test_a_lab_s_exercises_in_a_line() -> None:
    lab = of(at(0, "opened"), at(1, "check", "05.1", "passed"))
    assert so_far(lab) == "05.1 done, 05.2 not tried yet"


def test_minutes_run_from_the_exercise_before_to_the_first_pass() -> None:
    lab = of(
        at(0, "opened"),
        at(4, "active"),
        at(6, "check", "05.1", "passed"),
        at(9, "check", "05.2", "not yet"),
        at(13, "check", "05.2", "passed"),
        at(14, "check", "05.2", "passed"),
    )
    assert [part.minutes for part in lab.parts] == [6, 7]
    assert lab.minutes == 14


def test_a_pause_is_not_counted() -> None:
    lab = of(
        at(0, "opened"),
        at(2, "active"),
        at(600, "opened"),
        at(603, "check", "05.1", "passed"),
    )
    assert lab.parts[0].minutes == 5
    assert lab.minutes == 5


def test_time_in_another_lab_is_not_this_labs() -> None:
    lab = of(
        at(0, "opened"),
        at(1, "opened", lab="06"),
        at(4, "active"),
        at(6, "check", "05.1", "passed"),
    )
    assert (lab.minutes, lab.parts[0].minutes) == (3, 3)


def test_an_exercise_that_was_shown_has_no_minutes() -> None:
    lab = of(at(0, "opened"), at(3, "shown", "05.1"), at(7, "check", "05.2", "passed"))
    assert [part.minutes for part in lab.parts] == [None, 4]


def test_checks_and_hints_are_counted() -> None:
    part = of(
        at(0, "check", "05.1", "not yet"),
        at(1, "hint", "05.1", "1"),
        at(1, "hint", "05.1", "1"),
        at(2, "hint", "05.1", "2"),
        at(3, "check", "05.1", "passed"),
    ).parts[0]
    assert (part.checks, part.hints) == (2, 2)


def test_the_first_and_the_last_answer_are_kept() -> None:
    lab = of(
        at(0, "quiz", "05.q1", "a"), at(1, "quiz", "05.q1", "b"), at(2, "predict", "05.p1", "c")
    )
    assert {key: (one.first, one.last) for key, one in lab.answers.items()} == {
        "05.q1": ("a", "b"),
        "05.p1": ("c", "c"),
    }


def labs(*events: Event) -> tuple[list[LabSummary], list[Event]]:
    wanted = {"04": ("04.1",), "05": EXERCISES, "06": ("06.1",)}
    listed = list(events)
    return [summary(number, known, listed) for number, known in wanted.items()], listed


def test_who_has_done_nothing_goes_on_with_the_first_exercise() -> None:
    assert resume(*labs()) == "04.1"


def test_a_learner_goes_on_in_the_lab_that_was_last_open() -> None:
    assert resume(*labs(at(0, "opened"), at(1, "check", "05.1", "passed"))) == "05.2"


def test_after_a_finished_lab_comes_the_next_one_and_then_what_was_left_out() -> None:
    done = [at(0, "opened"), at(1, "check", "05.1", "passed"), at(2, "shown", "05.2")]
    assert resume(*labs(*done)) == "06.1"
    later = [at(3, "check", "06.1", "passed", lab="06")]
    assert resume(*labs(*done, *later)) == "04.1"


def test_who_has_done_everything_is_told_so() -> None:
    everything = [
        at(n, "check", part, "passed", lab=part[:2])
        for n, part in enumerate(("04.1", "05.1", "05.2", "06.1"))
    ]
    assert resume(*labs(*everything)) is None
