"""A sandbox of its own for each module."""

from collections.abc import Iterator

import pytest

from tests.sandbox import sandbox_process
from tests.sandbox.authorization.people_here import People
from tests.sandbox.sandbox_process import Running


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = sandbox_process.start(tmp_path_factory.mktemp("labs"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def people(sandbox: Running) -> People:
    return People(sandbox)
