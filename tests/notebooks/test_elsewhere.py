"""The labs in another account and another region: the same outputs, with the learner's names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from labs_helpers.own_names import OwnNames
from tests.labs.commands import Commands
from tests.notebooks import workbook

ELSEWHERE = OwnNames("210987654321", "eu-central-1")
QUICK = ("00", "05")
"""The labs that `make test` runs; `make soak` runs them all."""


@pytest.fixture(scope="module")
def learner(commands: Commands) -> Iterator[workbook.Desk]:
    with workbook.desk(ELSEWHERE) as made:
        yield workbook.Desk(commands.for_bash(made.environment))


@pytest.mark.parametrize(
    "notebook",
    [
        pytest.param(one, marks=[] if one.name[:2] in QUICK else [pytest.mark.soak], id=one.stem)
        for one in workbook.NOTEBOOKS
    ],
)
def test_outputs_are_those_committed_with_the_learner_s_names(
    notebook: Path, learner: workbook.Desk, tmp_path: Path
) -> None:
    theirs = tmp_path / notebook.name
    theirs.write_text(ELSEWHERE.of(notebook.read_text(encoding="utf-8")), encoding="utf-8")
    ran = learner.compare(theirs)
    assert ran.returncode == 0, ran.stdout
