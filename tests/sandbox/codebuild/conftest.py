"""Fixtures of CodeBuild's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox.codebuild import build_room
from tests.sandbox.codebuild.build_room import Room


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """One sandbox with its runner for the tests of a module."""
    made = build_room.begin(tmp_path_factory.mktemp("labs"))
    yield made
    made.stop_runner()
    made.sandbox.stop()
