"""Fixtures of CodePipeline's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox.codepipeline import pipeline_room
from tests.sandbox.codepipeline.pipeline_room import PipelineRoom


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipelineRoom]:
    """One sandbox without a runner for the tests of a module."""
    made = pipeline_room.begin(tmp_path_factory.mktemp("labs"), runner=False)
    yield made
    made.builds.sandbox.stop()
