"""Labs in any order and more than once: slow, so `make soak` runs it."""

import random

import pytest

from tests.notebooks import workbook

pytestmark = pytest.mark.soak


@pytest.mark.parametrize("order", ["twice", "reversed", "shuffled"])
def test_outputs_do_not_depend_on_the_order(order: str) -> None:
    notebooks = {
        "twice": [one for one in workbook.NOTEBOOKS for _ in range(2)],
        "reversed": workbook.NOTEBOOKS[::-1],
        "shuffled": random.Random(20261102).sample(workbook.NOTEBOOKS, len(workbook.NOTEBOOKS)),
    }[order]
    with workbook.desk() as learner:
        for notebook in notebooks:
            run = learner.compare(notebook)
            assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("notebook", workbook.NOTEBOOKS, ids=lambda path: path.stem)
def test_a_lab_runs_alone(notebook: workbook.Path) -> None:
    with workbook.desk() as learner:
        run = learner.compare(notebook)

    assert run.returncode == 0, run.stdout


def test_the_laptop_may_be_closed_after_every_lab() -> None:
    """Each lab finds what the labs before have left, in processes that have just been started."""
    with workbook.desk() as learner:
        for notebook in workbook.NOTEBOOKS:
            run = learner.compare(notebook)
            assert run.returncode == 0, run.stdout
            learner.close()
