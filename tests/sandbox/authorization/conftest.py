"""Who asks in the tests of who may do what."""

import pytest

from tests.sandbox.authorization.people_here import People
from tests.sandbox.sandbox_process import Running


@pytest.fixture(scope="module")
def people(sandbox: Running) -> People:
    return People(sandbox)
