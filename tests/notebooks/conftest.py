from collections.abc import Iterator

import pytest

from tests.notebooks import workbook


@pytest.fixture(scope="session")
def learner() -> Iterator[workbook.Desk]:
    """One place for all notebooks of a run: labs do not depend on what ran before them."""
    with workbook.quick_desk() as made:
        yield made
