"""The docker command of an isolated program, on the labs' engine and in front of real daemons."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

import docker
import pytest

from labs_helpers.engine.front.server import FrontServer
from labs_helpers.runtime import isolated
from tests.clients import daemons
from tests.engine.containers.conftest import load_box
from tests.engine.engine_room import Room, require, running

MARKED = 'read -r _; exec docker "$@"'


@pytest.fixture(scope="module", params=["own", "dockerd", "podman"])
def room(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Room]:
    require("docker")
    hub = tmp_path_factory.mktemp("hub")
    if request.param == "own":
        with running(hub) as found:
            yield prepared(found)
        return
    start = daemons.dockerd if request.param == "dockerd" else daemons.podman
    with start() as address, running(hub, address) as found:
        daemons.empty(address)
        yield prepared(found)
        daemons.empty(address)


def prepared(room: Room) -> Room:
    client = docker.DockerClient(base_url=f"unix://{room.socket}", timeout=60)
    load_box(client)
    archive = room.folder / "box.tar"
    archive.write_bytes(b"".join(client.images.get("box").save(named=True)))
    client.close()
    if not isinstance(room.server, FrontServer):
        # the images of a daemon are shared by all
        assert marked(room, "load", "-q", "-i", str(archive)) == "Loaded image: box:latest\n"
    (room.folder / "secret").write_text("of the learner\n")
    return room


def marked(room: Room, *arguments: str) -> str:
    """What the docker command of a program with the mark prints."""
    command = ["sh", "-c", MARKED, "sh", *arguments]
    with subprocess.Popen(
        command,
        env=room.environment,
        cwd=room.folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        isolated.mark(process.pid, isolated.OF_NO_BUILD)
        said, _ = process.communicate("\n", timeout=120)
    return said


def test_it_builds_and_runs_and_removes(room: Room) -> None:
    context = room.folder / "context"
    context.mkdir()
    (context / "Dockerfile").write_text("FROM box\nRUN echo built > /made\n")
    assert "Successfully" in marked(room, "build", "-t", "made", str(context))
    assert marked(room, "run", "--rm", "made", "cat", "/made") == "built\n"
    assert "marked" not in marked(room, "ps", "-a", "--format", "{{.Names}}")
    marked(room, "run", "--name", "marked", "made", "true")
    assert marked(room, "ps", "-a", "--format", "{{.Names}}") == "marked\n"
    assert marked(room, "rm", "marked") == "marked\n"
    # a daemon does not say who made an image
    gone = "refuses to remove" if isinstance(room.server, FrontServer) else "Untagged: made:latest"
    assert gone in marked(room, "rmi", "made")


def test_it_gets_nothing_of_the_machine(room: Room) -> None:
    for arguments, named in (
        (("run", "--rm", "-v", f"{room.folder}:/h", "box", "cat", "/h/secret"), "-v"),
        (("run", "--rm", "--network", "host", "box", "true"), "--network host"),
        (("run", "--rm", "-v", "named:/h", "box", "true"), "-v named:/h"),
        (("volume", "create", "named"), "POST /volumes/create"),
    ):
        said = marked(room, *arguments)
        assert "of the learner" not in said
        assert f"refuses {named}" in said, said


def test_a_container_of_the_learner_s_is_closed(room: Room) -> None:
    assert room.docker("run", "-d", "--name", "mine", "box", "sleep", "600").code == 0
    try:
        for arguments in (("exec", "mine", "true"), ("rm", "-f", "mine"), ("logs", "mine")):
            # what docker inspects first is not found
            assert re.search("refuses|No such container", marked(room, *arguments))
    finally:
        assert room.docker("rm", "-f", "mine").code == 0


def test_it_moves_no_name_of_the_learner_s(room: Room) -> None:
    assert room.docker("tag", "box", "kept:1").code == 0
    before = room.docker("inspect", "--format", "{{.Id}}", "kept:1").out
    context = room.folder / "moving"
    context.mkdir(exist_ok=True)
    (context / "Dockerfile").write_text("FROM box\nLABEL of=a-stranger\n")
    given = room.folder / "kept.tar"
    assert room.docker("save", "-o", given, "kept:1").code == 0
    for arguments in (
        ("build", "-t", "kept:1", str(context)),
        ("tag", "box", "kept:1"),
        ("load", "-i", str(given)),
    ):
        said = marked(room, *arguments)
        # the labs' engine has names for each client; a daemon has one set of names for all
        assert ("refuses" in said) == isinstance(room.server, FrontServer), said
    assert room.docker("inspect", "--format", "{{.Id}}", "kept:1").out == before
