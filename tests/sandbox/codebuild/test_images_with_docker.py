"""Docker inside an image of the learner's own: by the labs' engine in privileged mode, else not."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.engine_room import require
from tests.sandbox.codebuild import image_room
from tests.sandbox.codebuild.image_room import IMAGE, ImageRoom
from tests.sandbox.ecs.task_room import REGISTRY

WITH_DOCKER = f"{REGISTRY}/with-docker:1"


@pytest.fixture(scope="module")
def room() -> Iterator[ImageRoom]:
    require("docker")
    with image_room.running() as made:
        made.client("ecr").create_repository(repositoryName="with-docker")
        made.tasks.push("with-docker", "1", more=docker_client())
        yield made


def docker_client() -> dict[str, bytes]:
    """The real docker command and the libraries that it needs, by their places in an image."""
    program = shutil.which("docker")
    assert program
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    libraries = re.findall(r"(/\S+) \(0x", listed)
    found = {"bin/docker": Path(program).read_bytes()}
    return found | {each.lstrip("/"): Path(each).read_bytes() for each in libraries}


def test_a_privileged_build_has_containers_of_its_own_and_no_more(room: ImageRoom) -> None:
    room.tasks.docker.containers.create(IMAGE, ["cat"], name="of-the-learner")
    commands = [
        "echo given > file; cp /bin/sh cat; chmod 755 cat",
        "printf 'FROM scratch\\nCOPY cat /bin/cat\\nCOPY file /\\n"
        'RUN ["/bin/cat", "/file"]\\n\' > Dockerfile',
        "docker build -q -t by-a-build .",
        "docker run --rm -v $PWD:/w --entrypoint /bin/cat -u 0 by-a-build /w/file",
        "docker run --rm -v /etc:/h --entrypoint /bin/cat by-a-build /h/hostname || echo no folder",
        "docker rm of-the-learner || echo no container of another",
        f"docker run --rm {IMAGE} || echo no image of another",
    ]
    environment = room.environment(WITH_DOCKER, privilegedMode=True)
    room.project("privileged", *commands, environment=environment)
    build = room.run("privileged")
    log = room.log(build["id"])
    assert build["buildStatus"] == "SUCCEEDED", log
    assert "\ngiven\n" in log
    assert "\nno folder\n" in log
    assert "\nno container of another\n" in log
    assert "\nno image of another\n" in log
    assert "not in the image" not in log
    room.tasks.docker.containers.get("of-the-learner").remove()


def test_without_privileged_mode_there_is_no_daemon(room: ImageRoom) -> None:
    environment = room.environment(WITH_DOCKER)
    room.project("ordinary", "docker ps", environment=environment)
    build = room.run("ordinary")
    assert build["buildStatus"] == "FAILED"
    assert "the Docker daemon at unix:///var/run/docker.sock" in room.log(build["id"])
