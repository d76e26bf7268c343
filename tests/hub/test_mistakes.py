"""The mistakes of the learners of test_twelve.py are mistakes in what the notebooks say now."""

from __future__ import annotations

import pytest

from labs_helpers.curriculum import LABS
from tests.hub.mistakes import MISTAKES, work


def test_every_lab_has_a_mistake() -> None:
    assert list(MISTAKES) == list(LABS)


@pytest.mark.parametrize("number", LABS)
def test_a_mistake_changes_the_solution_and_the_rest_of_the_work_is_the_lab_s(number: str) -> None:
    at = work(number)
    assert at.wrong.source != at.right.source
    assert at.right not in at.before
    assert not any("lab.check(" in cell.source for cell in (*at.before, *at.after))
