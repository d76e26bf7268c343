"""Builds whose environment is an image: the commands run in a container of the image."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.policies import allow, policy
from tests.sandbox.codebuild import image_room
from tests.sandbox.codebuild.build_room import LOGS, context, phases
from tests.sandbox.codebuild.image_room import IMAGE, PULL, ImageRoom
from tests.sandbox.ecs.task_room import REGISTRY


@pytest.fixture(scope="module")
def room() -> Iterator[ImageRoom]:
    with image_room.running() as made:
        yield made


def test_commands_run_as_root_in_an_image_of_the_learners_own(room: ImageRoom) -> None:
    room.project(
        "own",
        "cat /etc/os-release",
        "echo user $(id -u) variable $OF_THE_IMAGE home $HOME",
        "cd /bin && export MADE=here",
        "pwd; echo $MADE $CODEBUILD_BUILD_IMAGE",
        "cd $CODEBUILD_SRC_DIR; (sleep 0.2; echo from the background) & echo begun",
        "sleep 1",
        environment=room.environment(),
    )
    build = room.run("own")
    log = room.log(build["id"])
    assert build["buildStatus"] == "SUCCEEDED", log
    assert 'NAME="the box of the tests"' in log
    assert "user 0 variable yes home /root" in log
    assert f"/bin\nhere {IMAGE}\n" in log
    assert "from the background" in log
    assert "programs of this machine" not in log
    assert not [each for each in room.tasks.containers() if each.startswith("codebuild-")]
