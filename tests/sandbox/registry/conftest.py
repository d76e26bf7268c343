"""One server for all tests of the data plane, and a new store for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from labs_helpers.sandbox.registry.rules import OCI
from tests.sandbox.registry.registry_server import RegistryUnderTest, Server


@pytest.fixture(scope="session")
def registry_server() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def registry(tmp_path: Path, registry_server: Server) -> Iterator[RegistryUnderTest]:
    under_test = RegistryUnderTest(tmp_path / "ecr", registry_server)
    yield under_test
    under_test.store.close()


@pytest.fixture
def strict_registry(tmp_path: Path, registry_server: Server) -> Iterator[RegistryUnderTest]:
    """A registry in the strict OCI mode."""
    under_test = RegistryUnderTest(tmp_path / "oci", registry_server, OCI)
    yield under_test
    under_test.store.close()
