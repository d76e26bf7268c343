from collections.abc import Iterator

import pytest

from labs_helpers.engine.front.address import Address
from tests.clients import daemons


@pytest.fixture(scope="session")
def dockerd() -> Iterator[Address]:
    with daemons.dockerd() as address:
        yield address


@pytest.fixture(scope="session")
def containerd() -> Iterator[Address]:
    with daemons.containerd() as address:
        yield address


@pytest.fixture(scope="session")
def podman() -> Iterator[Address]:
    with daemons.podman() as address:
        yield address
