"""A fresh ECR for each test, its clock standing at a known instant."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.ecr.store import Store
from tests.sandbox.ecr.operations.ecr_api import Ecr


@pytest.fixture
def ecr(tmp_path: Path) -> Iterator[Ecr]:
    """ECR without repositories, at 9 o'clock on 2 November 2026."""
    clock = Clock(frozen_at=datetime(2026, 11, 2, 9, tzinfo=UTC))
    store = Store(tmp_path / "ecr", clock)
    yield Ecr(store, clock)
    store.close()


@pytest.fixture
def demo(ecr: Ecr) -> Ecr:
    """ECR with an empty repository ``demo``."""
    ecr("CreateRepository", repositoryName="demo")
    return ecr
