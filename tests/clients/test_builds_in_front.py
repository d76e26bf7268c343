"""CodeBuild's builds in an image of ECR, and ECS's tasks, where a real Docker or Podman runs.

They run in containers of the daemon, which pulls through the front with the role's login.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from labs_helpers.engine.front.address import Address
from tests.clients import daemons
from tests.sandbox.codebuild import image_room
from tests.sandbox.codebuild.build_room import LOGS, context, phases
from tests.sandbox.codebuild.image_room import IMAGE, ImageRoom
from tests.sandbox.ecs.task_room import REGISTRY, logs_to

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module", params=["dockerd", "podman"])
def room(request: pytest.FixtureRequest) -> Iterator[ImageRoom]:
    daemon: Address = request.getfixturevalue(request.param)
    daemons.empty(daemon)
    kind = "docker" if request.param == "dockerd" else "podman"
    with image_room.running(LABS_ENGINE=kind, DOCKER_HOST=str(daemon)) as made:
        yield made
    daemons.empty(daemon)


def test_the_commands_run_in_a_container_of_the_daemon(room: ImageRoom) -> None:
    commands = ["cat /etc/os-release", "unset OF_THE_IMAGE", 'echo "<${OF_THE_IMAGE-gone}>"']
    room.project("own", *commands, "id -u; exit 3", environment=room.environment())
    build = room.run("own")
    log = room.log(build["id"])
    assert phases(build)["PROVISIONING"] == "SUCCEEDED", context(build, "PROVISIONING")
    assert 'NAME="the box of the tests"' in log
    assert "\n<gone>\n" in log
    assert "\n0\n" in log
    assert context(build, "BUILD")[1].endswith("Reason: exit status 3")
    assert not [each for each in room.tasks.containers() if each.startswith("codebuild-")]


def test_a_role_without_rights_pulls_nothing(room: ImageRoom) -> None:
    room.role("pulls-nothing", LOGS)
    role = "arn:aws:iam::123456789012:role/pulls-nothing"
    room.project("refused", "true", environment=room.environment(IMAGE), serviceRole=role)
    build = room.run("refused")
    code, message = context(build, "PROVISIONING")
    assert code == "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE"
    assert "is not authorized to perform: ecr:GetAuthorizationToken" in message


def test_a_stopped_build_leaves_no_container(room: ImageRoom) -> None:
    room.project("hangs", "echo begun; sleep 600", environment=room.environment())
    build_id = room.start("hangs")
    room.log_until(build_id, "\nbegun")
    room.client("codebuild").stop_build(id=build_id)
    assert room.ended(build_id)["buildStatus"] == "STOPPED"
    assert not [each for each in room.tasks.containers() if each.startswith("codebuild-")]


def test_a_task_runs_in_a_container_of_the_daemon(room: ImageRoom) -> None:
    words = ["sh", "-c", "echo said; exit 4"]
    settings = {"command": words, "logConfiguration": logs_to()}
    task = room.tasks.stopped(room.tasks.define("ends", f"{REGISTRY}/web:one", **settings))
    assert task["stopCode"] == "EssentialContainerExited"
    assert task["containers"][0]["exitCode"] == 4
    stream = f"web/app/{task['taskArn'].rpartition('/')[2]}"
    found = room.client("logs").get_log_events(logGroupName="/ecs/web", logStreamName=stream)
    assert [each["message"] for each in found["events"]] == ["said"]
    assert not [each for each in room.tasks.containers() if each.startswith("ecs-")]
