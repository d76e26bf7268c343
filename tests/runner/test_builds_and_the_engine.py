"""A command of a build, kept in its folder by Landlock, asks the labs' engine for more."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest

from labs_helpers.buildspec.scratch import scratch
from labs_helpers.engine import machine
from labs_helpers.engine.server import make_server
from labs_helpers.runner import landlock
from labs_helpers.runner.contained import ContainedProcesses, Place
from labs_helpers.runtime import isolated
from tests.engine.containers.conftest import load_box

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="programs are isolated on Linux")


@dataclass
class Bench:
    """An engine, and the folders of builds beside it."""

    folder: Path
    learner: docker.DockerClient
    box: bytes
    """What docker save wrote of the image ``box``: a build has no image of the learner's."""

    def build(self, script: str) -> str:
        """What a command of a build prints."""
        with scratch(self.folder / "builds") as place:
            return self.in_folder(place, script)

    def in_folder(self, place: Path, script: str) -> str:
        said: list[bytes] = []
        (place / "box.tar").write_bytes(self.box)
        processes = ContainedProcesses(
            said.append, Place(place, (self.folder,), (), (self.folder / "d.sock",))
        )
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(place),
            "DOCKER_HOST": f"unix://{self.folder}/d.sock",
            "HOME_OF_THE_LEARNER": str(self.folder),
            "PYTHON": sys.executable,
        }
        try:
            processes.run(["sh", "-c", _DOCKER + script], environment, place)
        finally:
            processes.close()
        return b"".join(said).decode()


BOX = "docker load -q -i box.tar > /dev/null\n"
_STAND_IN = 'docker() { "$PYTHON" -P -m labs_helpers.engine.cli "$@"; }\n'
_DOCKER = "export DOCKER_BUILDKIT=0\n" + ("" if shutil.which("docker") else _STAND_IN)
"""The real docker command takes a tenth of the time; elsewhere, the stand-in."""


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    folder = Path(tempfile.mkdtemp(prefix="labs-"))
    server = make_server(folder / "d.sock", folder / "engine", None, folder / "builds")
    server.expiration_interval = 0.02
    server.prepare()
    thread = threading.Thread(target=server.serve)
    thread.start()
    (folder / "secret").write_text("of the learner\n")
    learner = docker.DockerClient(base_url=f"unix://{folder}/d.sock", timeout=60)
    try:
        if machine.kind() == machine.NONE:
            pytest.skip("no container can run here")
        load_box(learner)
        yield Bench(folder, learner, b"".join(learner.images.get("box").save(named=True)))
    finally:
        learner.close()
        server.stop()
        thread.join()
        shutil.rmtree(folder)


needs_landlock = pytest.mark.skipif(not landlock.version(), reason="this kernel has no Landlock")


@needs_landlock
def test_a_build_mounts_no_folder_of_the_learner(bench: Bench) -> None:
    said = bench.build(
        "cat $HOME_OF_THE_LEARNER/secret\n"
        "docker run --rm -v $HOME_OF_THE_LEARNER:/h box sh -c 'cat /h/secret; echo x > /h/left'\n"
    )
    assert "of the learner" not in said
    assert "refuses -v" in said
    assert not (bench.folder / "left").exists()


@pytest.mark.parametrize(
    ("option", "named"),
    [
        ("--network host", "--network host"),
        ("--label labs.relay=127.0.0.1:80=127.0.0.1:4566", "labs.relay"),
        ("-v data:/data", "-v data:/data"),
    ],
)
def test_it_is_refused_by_name(bench: Bench, option: str, named: str) -> None:
    said = bench.build(f"docker run --rm {option} box true")
    assert f"refuses {named}" in said or f"refuses the label {named}" in said


def test_a_program_that_left_the_session_is_known_as_well(bench: Bench) -> None:
    said = bench.build(
        "mkfifo out\n"
        'setsid "$PYTHON" -P -m labs_helpers.engine.cli run --network host box true > out 2>&1 &\n'
        "cat out"
    )
    assert "refuses --network host" in said


@needs_landlock
@pytest.mark.skipif(
    os.geteuid() != 0 and not landlock.hides_sockets(),
    reason="an ordinary user cannot cover sockets, and this kernel's Landlock does not hide them",
)
def test_a_build_reaches_no_other_daemon(bench: Bench) -> None:
    """A real Docker beside the labs, another user's engine, systemd: any socket with a path."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as daemon:
        daemon.bind(f"{folder}/docker.sock")
        daemon.listen()
        connecting = (
            "import socket, sys\n"
            "for path in sys.argv[1:]:\n"
            "    try: socket.socket(socket.AF_UNIX).connect(path); print('connected')\n"
            "    except OSError as error: print(type(error).__name__)\n"
        )
        own = f"{bench.folder}/d.sock"
        said = bench.build(f'"$PYTHON" -c "{connecting}" {folder}/docker.sock {own}')
        refused, own = said.split()
        assert refused in ("ConnectionRefusedError", "PermissionError")
        assert own == "connected"
        # outside, the socket is as it was
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(f"{folder}/docker.sock")


@needs_landlock
def test_no_program_takes_its_mark_off(bench: Bench) -> None:
    raising = (
        "import resource\n"
        "for number in (10, 15):\n"
        "    try: resource.setrlimit(number, (-1, -1)); print('raised')\n"
        "    except (OSError, ValueError) as error: print('kept')\n"
    )
    assert bench.build(f'"$PYTHON" -c "{raising}"').split() == ["kept", "kept"]


NOT_ITS_OWN = "No such container"


def test_a_build_enters_no_container_of_the_learner(bench: Bench) -> None:
    with_home = {str(bench.folder): {"bind": "/h", "mode": "rw"}}
    mine = bench.learner.containers.run(
        "box", ["sleep", "600"], detach=True, name="mine", volumes=with_home
    )
    try:
        for command in (
            "exec mine cat /h/secret",
            "cp mine:/h/secret .",
            "rm -f mine",
        ):
            said = bench.build(f"docker {command}")
            assert "of the learner" not in said, command
            assert re.search(NOT_ITS_OWN, said), command
        mine.reload()
        assert mine.status == "running"
        assert "mine" not in bench.build("docker ps -a")
    finally:
        mine.remove(force=True)


def test_a_build_names_its_containers_as_it_likes(bench: Bench) -> None:
    """On AWS nobody else's container has the name; so nothing says that the learner's has it."""
    mine = bench.learner.containers.run("box", ["sleep", "600"], name="web", detach=True)
    try:
        with scratch(bench.folder / "builds") as place:
            said = bench.in_folder(
                place,
                f"{BOX}docker run -d --name web box sleep 600 > id\n"
                "docker exec web echo in its own\n"
                "docker ps -a --format '{{.Names}} {{.Image}}'\n"
                "docker info --format '{{.Containers}} {{.Images}}'\n"
                "docker ps -a -q --filter before=of-nobody 2>&1\n"
                f"docker ps -a -q --filter before={mine.id} 2>&1\n",
            )
            theirs = (place / "id").read_text().strip()
            # the learner reaches it by its ID, and no list of the learner's has it
            assert theirs not in {each.id for each in bench.learner.containers.list(all=True)}
            bench.learner.containers.get(theirs).kill()
            assert theirs not in (bench.learner.containers.prune()["ContainersDeleted"] or ())
            assert bench.learner.containers.get("web").id == mine.id
            assert bench.learner.containers.get(theirs).name == "web"
        lines = said.splitlines()
        assert lines[:3] == ["in its own", "web box", "1 1"]
        assert lines[3].endswith("No such container: of-nobody")
        assert lines[4].endswith(f"No such container: {mine.id}")
    finally:
        mine.remove(force=True)


def test_what_a_build_leaves_ends_with_the_build(bench: Bench) -> None:
    with scratch(bench.folder / "builds") as place:
        left = bench.in_folder(
            place, f"{BOX}docker run -d --name left -v /data box sleep 600; docker tag box left:1"
        ).strip()
        container = bench.learner.containers.get(left)
        (volume,) = [mount["Name"] for mount in container.attrs["Mounts"]]
    for thread in threading.enumerate():
        if thread.name == f"build {place.name}":
            thread.join(60)
    with pytest.raises(docker.errors.NotFound):
        container.reload()
    assert volume not in {each.name for each in bench.learner.volumes.list()}
    with pytest.raises(docker.errors.ImageNotFound):
        bench.learner.images.get("left:1")


def test_one_build_enters_no_container_of_another(bench: Bench) -> None:
    with scratch(bench.folder / "builds") as one, scratch(bench.folder / "builds") as other:
        said = bench.in_folder(
            one,
            f"{BOX}docker run -d --name ones box sleep 600 > id; docker exec ones echo inside",
        )
        assert said == "inside\n"
        try:
            assert re.search(NOT_ITS_OWN, bench.in_folder(other, "docker exec ones echo in"))
        finally:
            bench.learner.containers.get("ones").remove(force=True)


@pytest.mark.skipif(machine.kind() != machine.NAMESPACES, reason="needs namespaces")
def test_a_build_mounts_its_own_folder(bench: Bench) -> None:
    said = bench.build(
        f"{BOX}mkdir out; echo given > in\n"
        "docker run --rm -v $PWD:/w box sh -c 'cat /w/in; echo made > /w/out/file'\n"
        "cat out/file\n"
    )
    assert said == "given\nmade\n"


@pytest.mark.skipif(machine.kind() != machine.NAMESPACES, reason="needs namespaces")
def test_a_link_in_the_place_of_a_mounted_folder_leads_nowhere(bench: Bench) -> None:
    said = bench.build(
        f"{BOX}mkdir d\n"
        "docker create --name linked -v $PWD/d:/h box cat /h/secret > /dev/null\n"
        "rmdir d; ln -s $HOME_OF_THE_LEARNER d\n"
        "docker start -a linked; docker rm -f linked > /dev/null\n"
    )
    assert "there is a symbolic link on its path" in said
    assert "of the learner" not in said


def test_another_build_s_folder_is_not_its_own(bench: Bench) -> None:
    with scratch(bench.folder / "builds") as other:
        (other / "token").write_text("of another build")
        said = bench.build(f"docker run --rm -v {other}:/h box cat /h/token")
    assert "of another build" not in said
    assert "refuses -v" in said


def test_a_build_builds_and_runs_an_image(bench: Bench) -> None:
    said = bench.build(
        f"{BOX}echo FROM box > Dockerfile; echo 'RUN echo built > /bin/made' >> Dockerfile\n"
        "docker build -q -t of-a-build . > said 2>&1 || cat said\n"
        "docker run --rm of-a-build cat /bin/made; docker tag of-a-build a/of-a-build:1\n"
        "docker inspect --format '{{index .RepoTags 0}}' a/of-a-build:1\n"
        "docker rmi of-a-build a/of-a-build:1 > /dev/null; docker inspect a/of-a-build:1 2>&1\n"
    )
    assert said.startswith("built\na/of-a-build:1\n"), said
    assert "no such object: a/of-a-build:1" in said.lower()


def test_what_a_build_runs_in_the_engine_is_the_build_s(bench: Bench) -> None:
    """A RUN and a container that reach the engine (PRoot hides little) have the build's images."""
    with scratch(bench.folder / "builds") as place:
        said = bench.in_folder(
            place,
            f"{BOX}printf 'FROM box\\nRUN cat /proc/self/limits\\n' > Dockerfile\n"
            "docker build -t of-a-build . 2>&1\n"
            "echo ---\n"
            "docker run --rm box cat /proc/self/limits\n",
        )
        number = isolated.number_of(place)
    for part in said.split("---\n"):
        hard = {line[:25].strip(): line[26:].split()[1:2] for line in part.splitlines()}
        assert hard["Max file locks"] == [str(number)], part
        assert hard["Max realtime timeout"] == [str(isolated.MARK - number)]


def test_the_keeper_of_the_containers_answers_no_build(bench: Bench) -> None:
    bench.learner.containers.run("box", ["true"], remove=True)
    question = '{"do": "runs", "id": "x"}'
    asking = (
        "import socket, sys\n"
        "one = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
        "one.connect(sys.argv[1]); one.settimeout(30)\n"
        "try:\n"
        "    one.send(sys.argv[2].encode()); print(one.recv(4096))\n"
        "except OSError as error: print(error)\n"
    )
    idle = bench.learner.containers.run("box", ["sleep", "600"], detach=True)
    try:
        place = bench.folder / "engine/containers/keeper.sock"
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as one:
            one.connect(str(place))
            one.settimeout(30)
            one.send(question.encode())
            assert one.recv(4096) == b'{"runs": false}'
        command = f'"$PYTHON" -c "{asking}" {place}'
        assert "runs" not in bench.build(f"{command} '{question}'")
    finally:
        idle.remove(force=True)


def test_a_sandbox_that_is_not_the_labs_is_known_by_its_no_new_privileges(bench: Bench) -> None:
    setting = "import ctypes, os, sys; ctypes.CDLL(None).prctl(38, 1, 0, 0, 0); "
    command = [sys.executable, "-P", "-m", "labs_helpers.engine.cli", "run", "--rm"]
    done = subprocess.run(
        [
            *(sys.executable, "-c", setting + "os.execv(sys.argv[1], sys.argv[1:])"),
            *(*command, "-v", f"{bench.folder}:/h", "box", "true"),
        ],
        env={**os.environ, "DOCKER_HOST": f"unix://{bench.folder}/d.sock"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "refuses -v" in done.stderr


def test_the_learner_mounts_what_the_learner_likes(bench: Bench) -> None:
    shown = {str(bench.folder): {"bind": "/h", "mode": "rw"}}
    found = bench.learner.containers.run("box", ["cat", "/h/secret"], volumes=shown, remove=True)
    assert found == b"of the learner\n"


def test_the_programs_of_a_build_s_container_are_known_as_the_build_s(bench: Bench) -> None:
    with scratch(bench.folder / "builds") as place:
        host = {"Annotations": {"labs.build": str(place)}}
        made = bench.learner.api.create_container("box", ["sleep", "600"], host_config=host)
        container = bench.learner.containers.get(made["Id"])
        try:
            container.start()
            said = container.exec_run(["cat", "/proc/self/limits"]).output.decode()
        finally:
            container.remove(force=True)
        assert re.search(rf"^Max file locks +\S+ +{isolated.number_of(place)} ", said, re.M)


def test_the_programs_of_a_container_make_themselves_no_build_s(bench: Bench) -> None:
    """A lower limit would do, if the second one left room: runtime/isolated.py."""
    container = bench.learner.containers.run("box", ["sleep", "600"], detach=True)
    try:
        of_the_first = container.exec_run(["cat", "/proc/1/limits"]).output.decode()
        of_another = container.exec_run(["cat", "/proc/self/limits"]).output.decode()
    finally:
        container.remove(force=True)
    for said in (of_the_first, of_another):
        assert re.search(r"^Max realtime timeout +0 +0 ", said, re.M), said


def test_no_build_says_that_its_containers_are_another_build_s(bench: Bench) -> None:
    with scratch(bench.folder / "builds") as other:
        said = bench.build(f"docker run --rm --annotation labs.build={other} box true")
    assert "refuses HostConfig.Annotations" in said


def test_a_folder_that_is_not_there_is_no_build_s(bench: Bench) -> None:
    host = {"Annotations": {"labs.build": "/nosuch"}}
    with pytest.raises(docker.errors.APIError, match=r"the annotation labs\.build names no folder"):
        bench.learner.api.create_container("box", ["true"], host_config=host)
