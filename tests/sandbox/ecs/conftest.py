"""Fixtures of ECS's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engine.engine_room import require
from tests.sandbox.ecs import task_room
from tests.sandbox.ecs.task_room import Room


@pytest.fixture(scope="session")
def room() -> Iterator[Room]:
    """The labs' servers, with an image "web:1" that serves a page."""
    require("busybox")
    made = task_room.begin()
    try:
        made.push_page("one")
        yield made
    finally:
        task_room.end(made)
