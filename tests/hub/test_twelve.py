"""A learner for each lab on a real JupyterHub, one of whom comes late, all at once."""

from __future__ import annotations

import os
from typing import Any

import pytest

from labs_helpers.curriculum import LABS
from tests.hub.mistakes import work
from tests.hub.played import play

pytestmark = pytest.mark.soak  # three starts of a server for each lab, and its cells

STUCK = "05"
NUMBERS = os.environ.get("LABS_TEST_ROOM", ",".join(LABS)).split(",")
"""The labs, a learner each, the last of whom comes late; fewer for a small machine."""

Found = dict[str, Any]


@pytest.fixture(scope="module")
def found() -> Found:
    return play("tests.hub.twelve", STUCK, *NUMBERS, seconds=9000.0)


def test_nobody_s_cells_fail(found: Found) -> None:
    parts = [found["tries"], found["goes_on"], {NUMBERS[-1]: found["late"]}, found["comes_back"]]
    failed = [(number, one["failed"]) for part in parts for number, one in part.items()
              if "failed" in one]  # fmt: skip
    assert failed == []


@pytest.mark.parametrize("number", NUMBERS)
def test_a_wrong_answer_is_refused_and_the_right_one_passes(number: str, found: Found) -> None:
    at_first = found["late"] if number == NUMBERS[-1] else found["tries"][number]
    then = found["late"] if number == NUMBERS[-1] else found["goes_on"][number]
    exercise = work(number).exercise
    assert f" {exercise} " in at_first["refused"]
    assert "✓" not in at_first["refused"]
    assert "could not look" not in at_first["refused"]
    if number != STUCK:
        assert then["then"].startswith(f"✓ {exercise}")


@pytest.mark.parametrize("number", NUMBERS[:-1])
def test_after_the_restart_each_goes_on_where_they_were(number: str, found: Found) -> None:
    again = found["goes_on"][number]
    assert "begun earlier: nothing that you made was changed" in again["card"]
    assert again["said"] == found["tries"][number]["refused"]
    assert f"of-{found['names'][number]}" in again["repositories"]
    assert again["file"] == found["names"][number]


@pytest.mark.parametrize("number", NUMBERS)
def test_after_the_cull_nothing_is_lost(number: str, found: Found) -> None:
    again = found["comes_back"][number]
    assert "begun earlier: nothing that you made was changed" in again["card"]
    assert again["said"].startswith(f"✓ {work(number).exercise}")
    assert f"of-{found['names'][number]}" in again["repositories"]
    assert again["file"] == found["names"][number]


def test_the_servers_outlive_the_killed_hub(found: Found) -> None:
    assert set(found["outlive"]) == set(found["names"].values())


def test_the_stuck_one_is_caught_up_as_that_person(found: Found) -> None:
    assert found["caught_up"].startswith(f"Done for you: {work(STUCK).exercise}.")
    assert found["of_root"] == ""


def test_the_instructor_s_command_tells_the_truth_of_all(found: Found) -> None:
    rows = {row["name"]: row for row in found["seen"]["learners"]}
    before = {row["name"]: row for row in found["seen_before"]["learners"]}
    assert set(rows) == set(found["names"].values())
    for number, name in found["names"].items():
        exercise = work(number).exercise
        expected = {number: {exercise: "shown" if number == STUCK else "done"}}
        assert reached(rows[name]) == expected
        assert rows[name]["labs"][number]["opened"]
        if number != NUMBERS[-1]:
            assert reached(before[name]) == {number: {exercise: "tried"}}
            assert before[name]["exercise"] == exercise
            assert before[name]["tries"] == 1


def reached(row: Found) -> dict[str, dict[str, str]]:
    """The exercises that are not open any more, by lab, as the instructor's command says."""
    labs = {
        number: {key: state for key, state in lab["exercises"].items() if state != "open"}
        for number, lab in row["labs"].items()
    }
    return {number: states for number, states in labs.items() if states}
