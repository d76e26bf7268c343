"""A learner who has not tried an exercise yet is told where the check looks, and nothing else."""

from collections.abc import Iterator

import pytest

from labs_helpers.checks import NotAttempted, NotYet
from labs_helpers.checks.run import goal
from labs_helpers.checks.verdict import verdict
from labs_helpers.curriculum import LABS, UnknownPart
from labs_helpers.labs.exercises import exercises
from labs_helpers.workspace import Workspace
from tests.labs.desk import Desk, desk, given_away, text_of, words


@pytest.fixture(scope="module")
def first() -> Iterator[Desk]:
    with desk("00") as made:
        yield made


@pytest.mark.parametrize("number", LABS)
def test_a_fresh_lab_s_exercises_are_not_tried_yet(first: Desk, number: str) -> None:
    lab = Desk(number, first.place)
    lab.begin()
    if number == "01":  # whose first half is about configuring AWS, without which no check can look
        lab.cells("15")
    for check_id, exercise in lab.exercises.items():
        outcome = lab.check(check_id)
        assert isinstance(outcome, NotAttempted), outcome
        shown = verdict(check_id, outcome)
        assert repr(shown).startswith(f"○ {check_id}  not tried yet\n  looks at  ")
        assert outcome.looks_at in repr(shown)
        known = {*words(text_of(lab.notebook, exercise)), lab.lab.repository}
        assert words(exercise.solution) & words(repr(shown)) <= known


@pytest.mark.parametrize("number", LABS)
def test_each_check_has_a_goal_in_words_that_give_nothing_away(number: str) -> None:
    notebook = Workspace.find().notebooks / LABS[number].notebook
    for check_id in exercises(notebook):
        assert goal(check_id)
        for says in goal(check_id):
            assert given_away(notebook, check_id, NotYet("", "", says, "")) == set()


def test_an_unknown_check_has_no_goal() -> None:
    with pytest.raises(UnknownPart):
        goal("05.9")
