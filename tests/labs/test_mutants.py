"""The notebooks' solutions pass their checks, and one word, flag or command less does not.

`make soak` tries every mutant; `make test` a few of the labs whose beginning is quick. A line for
each mutant that passes is printed in the form of ``labNN/mutants.json``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs_helpers.curriculum import LABS
from labs_helpers.labs.exercises import exercises
from tests.labs.desk import Desk, desk
from tests.labs.mutants import Mutant, known, mutants

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
CHECKS = [check for lab in LABS.values() for check in exercises(NOTEBOOKS / lab.notebook)]
QUICK = ("00.1", "01.2", "04.1")
SAMPLE = 4


def tried(place: Desk, check_id: str, answer: str) -> str:
    """The verdict on an answer from the lab's beginning and the cells that the answer needs."""
    how = known(check_id)
    place.begin()
    place.cells(*how.cells)
    for earlier in how.after:
        place.shell(place.solution(earlier))
    place.done(how.once)
    return tried_again(place, check_id, answer) if how.again else answered(place, check_id, answer)


def tried_again(place: Desk, check_id: str, answer: str) -> str:
    """The verdict on one more answer; the beginning is made again only where that is quick."""
    how = known(check_id)
    if not how.again:
        return tried(place, check_id, answer)
    place.done(how.again)
    place.cells(*how.settled)
    return answered(place, check_id, answer)


def answered(place: Desk, check_id: str, answer: str) -> str:
    """The verdict on an answer that is given now."""
    how = known(check_id)
    if "\nPath(" in answer:  # the one solution that is Python
        today = place.lab._now().date()
        lines = [one for one in answer.splitlines() if not one.startswith("!")]
        prelude = f"from datetime import date, timedelta\ntoday = date.fromisoformat('{today}')"
        answer = "python - <<'LAST'\n" + "\n".join([prelude, *lines]) + "\nLAST"
    if not how.until:
        return place.after(check_id, answer, how.then)
    seen = place.after(check_id, answer)
    return place.after(check_id, how.go, how.then) if how.until in seen else seen


def holes(place: Desk, check_id: str, some: list[Mutant]) -> dict[str, str]:
    """The mutants that pass and are not listed as equivalent, by their change."""
    equivalent = known(check_id).equivalent
    return {
        one.change: ""
        for one in some
        if one.change not in equivalent
        and tried_again(place, check_id, one.source).startswith("passed")
    }


@pytest.fixture(scope="module")
def place(request: pytest.FixtureRequest) -> Iterator[Desk]:
    with desk(request.param) as made:
        yield made


@pytest.mark.parametrize(("place", "check_id"), [(id[:2], id) for id in QUICK], indirect=["place"])
def test_some_mutants_fail(place: Desk, check_id: str) -> None:
    assert tried(place, check_id, place.solution(check_id)).startswith("passed")
    every = mutants(place.solution(check_id))
    some = every[:: max(1, len(every) // SAMPLE)][:SAMPLE]
    assert holes(place, check_id, some) == {}


@pytest.mark.soak
@pytest.mark.parametrize(("place", "check_id"), [(id[:2], id) for id in CHECKS], indirect=["place"])
def test_every_mutant_fails_or_is_equivalent(place: Desk, check_id: str) -> None:
    assert tried(place, check_id, place.solution(check_id)).startswith("passed")
    found = holes(place, check_id, mutants(place.solution(check_id)))
    assert found == {}, json.dumps(found, indent=2)


@pytest.mark.parametrize("check_id", CHECKS)
def test_what_is_listed_as_equivalent_is_a_mutant_and_has_a_reason(check_id: str) -> None:
    notebook = NOTEBOOKS / LABS[check_id[:2]].notebook
    solution = exercises(notebook)[check_id].solution.partition("# solution\n")[2]
    changes = {one.change for one in mutants(solution)}
    for change, reason in known(check_id).equivalent.items():
        assert change in changes
        assert len(reason.split()) > 3
