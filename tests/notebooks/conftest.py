from collections.abc import Iterator

import pytest

from tests.labs.commands import Commands
from tests.notebooks import workbook


@pytest.fixture(scope="session")
def learner(commands: Commands) -> Iterator[workbook.Desk]:
    """One place for all notebooks of a run: labs do not depend on what ran before them.

    `make soak` runs the notebooks with the programs as installed (test_orders.py).
    """
    with workbook.desk() as made:
        yield workbook.Desk(commands.for_bash(made.environment))
