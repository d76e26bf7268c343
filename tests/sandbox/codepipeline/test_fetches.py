"""Commits that the runner packs: what a restart, a lost runner and the end of an attempt leave."""

from __future__ import annotations

from pathlib import Path

import pytest

from labs_helpers.sandbox.codepipeline.fetches import KIND, Fetches
from labs_helpers.sandbox.codepipeline.store import SCHEMA
from labs_helpers.sandbox.service import work
from labs_helpers.sandbox.service.jobs import Job
from labs_helpers.sandbox.service.store import Store


@pytest.fixture
def state(tmp_path: Path) -> Store:
    return Store(tmp_path, "CodePipeline", SCHEMA)


def fetches(state: Store) -> Fetches:
    return Fetches(state, lambda *asked: {})


def test_a_fetch_begins_again_after_a_restart(state: Store) -> None:
    first = fetches(state)
    first.submit("attempt", {"branch": "main"})
    with state.write() as db:
        db.execute("update jobs set runner = '{}'")
    again = fetches(state)
    desk = work.Desk()
    desk.serve(state, {KIND: again})
    assert again.result("attempt") is None
    again.submit("attempt", {"branch": "main"})
    assert desk.facts()["waiting"] == 1
    desk.close()


@pytest.mark.parametrize("why", [work.RUNNER_ENDED, work.GIVEN_UP, work.NO_RUNNER])
def test_a_fetch_over_which_a_runner_ended_has_failed_until_it_is_forgotten(
    state: Store, why: str
) -> None:
    one = fetches(state)
    one.lost(Job("attempt", KIND, {}), why)
    assert one.result("attempt") == {"code": "JobFailed", "error": why}
    one.forget("attempt")
    assert one.result("attempt") is None
