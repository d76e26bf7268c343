"""A builder on an empty store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from labs_helpers.engine.store import ImageStore
from tests.engine.build.building import Builder


@pytest.fixture
def builder(tmp_path: Path) -> Iterator[Builder]:
    store = ImageStore(tmp_path / "store")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    yield Builder(store, scratch)
    store.close()
