"""Fixtures of ECS's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox.ecs import task_room
from tests.sandbox.ecs.task_room import Room


@pytest.fixture(scope="session")
def room() -> Iterator[Room]:
    """The labs' servers, for all tests of ECS."""
    with task_room.running() as made:
        yield made
