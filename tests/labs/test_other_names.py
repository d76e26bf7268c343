"""The solutions pass their checks in another account and another region, too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from labs_helpers.curriculum import LABS
from labs_helpers.defaults import ACCOUNT, REGION
from tests.labs.desk import Desk, desk
from tests.labs.test_mutants import CHECKS, tried

THEIR_ACCOUNT, THEIR_REGION = "210987654321", "eu-central-1"
LONG = ("02", "04", "06", "07", "08", "09", "10", "11", "12", "13", "14")
"""Labs whose beginning or solution takes long: `make soak` runs these."""


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Desk]:
    with desk("00", THEIR_ACCOUNT, THEIR_REGION) as made:
        yield made


def theirs(text: str) -> str:
    return text.replace(ACCOUNT, THEIR_ACCOUNT).replace(REGION, THEIR_REGION)


@pytest.mark.parametrize(
    "check_id",
    [
        pytest.param(one, marks=[pytest.mark.soak] if one[:2] in LONG else [])
        for one in CHECKS
        if one[:2] in LABS
    ],
)
def test_the_solution_passes_elsewhere(elsewhere: Desk, check_id: str) -> None:
    place = Desk(check_id[:2], elsewhere.place, theirs)
    assert tried(place, check_id, theirs(place.solution(check_id))).startswith("passed")
