"""Fixtures of CodeDeploy's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.labs.commands import Commands
from tests.sandbox.codedeploy.deploy_room import ROLE, SERVICE_ROLE, TRUST, Aws
from tests.sandbox.ecs import task_room
from tests.sandbox.ecs.task_room import Room


@pytest.fixture(scope="session")
def room() -> Iterator[Room]:
    """The labs' servers with pages "one" and "two", and a service role for CodeDeploy."""
    with task_room.running() as made:
        made.push_page("two")
        made.role(ROLE, SERVICE_ROLE, trust=TRUST)
        yield made


@pytest.fixture
def aws(room: Room, commands: Commands) -> Aws:
    """The real aws command with the learner's key."""
    return Aws(room, Path(commands.folder))
