"""A learner who has done all labs, the solutions filled in, holds little: server and kernel too."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from labs_helpers.curriculum import LABS
from tests.bench import finished_learner

pytestmark = [pytest.mark.bench, pytest.mark.soak]

LIMIT = 350
"""MB of all processes of a learner, of pages that they share a part each."""
WANTED = os.environ.get("LABS_BENCH_LABS", "").split() or [*LABS]
"""The labs that are done; LABS_BENCH_LABS="07 10" makes the run shorter."""


def test_a_learner_who_finished_all_labs_holds_little() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="labs-", dir="/tmp") as folder,
        finished_learner.learner(Path(folder)) as one,
    ):
        for number in WANTED:
            one.do(number)
            print(f"\n{number}: {finished_learner.shown(one.memory())}")
        assert sum(one.memory().values()) < LIMIT, finished_learner.shown(one.memory())
