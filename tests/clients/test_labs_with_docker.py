"""The `labs` command on a machine with a Docker of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from labs_helpers import servers
from labs_helpers.engine.front.address import Address
from labs_helpers.engine.front.daemon import DaemonClient
from labs_helpers.oci.reference import parse
from labs_helpers.workspace import Workspace
from tests.clients import daemons
from tests.labs.commands import Commands
from tests.ports import free_port

CARD = "import labs_helpers; labs_helpers.start('07')"
PUSH = "import os; assert not os.system('docker push -q $REGISTRY/demo-app-repo:latest')"
RESTART = "import labs_helpers; labs_helpers.start('07', fresh=True)"


@dataclass
class Learner:
    """A terminal with DOCKER_HOST set, as people with a daemon elsewhere have it."""

    workspace: Workspace
    environ: dict[str, str]
    daemon: DaemonClient

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            env=self.environ | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def labs(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return self.run(sys.executable, "-m", "labs_helpers.cli", *arguments, **variables)

    def stored(self) -> dict[str, int]:
        """How many repositories and images the sandbox has."""
        found = json.loads(self.labs("status", "--json").stdout)["sandbox"]["stored"]
        return {name: found[name] for name in ("repositories", "images")}

    def engine(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.labs("status", "--json").stdout)["engine"]
        return found


@pytest.fixture
def kind() -> str:
    return "dockerd"


@pytest.fixture
def learner(kind: str, request: pytest.FixtureRequest) -> Iterator[Learner]:
    dockerd: Address = request.getfixturevalue(kind)
    daemons.empty(dockerd)
    folder = Path(tempfile.mkdtemp(prefix="l", dir="/tmp"))
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "LABS_", "DOCKER_"))
    }
    workspace = Workspace(folder / "h")
    own = {
        "LABS_HOME": str(folder / "h"),
        "LABS_PORT": str(free_port()),
        "HOME": str(folder),
        "DOCKER_HOST": str(dockerd),
    }
    yield Learner(workspace, inherited | own, DaemonClient(dockerd))
    servers.stop(workspace)
    shutil.rmtree(folder)
    daemons.empty(dockerd)


def test_the_daemon_is_taken_and_everything_says_so(learner: Learner) -> None:
    started = learner.labs("start")
    assert started.returncode == 0, started.stderr
    where = learner.environ["DOCKER_HOST"]
    assert "Images and containers are in Docker" in started.stderr
    found = learner.engine()
    assert (found["kind"], found["daemon"], found["answers"]) == ("docker", where, True)
    assert f"it answers at {where}" in learner.labs("status").stdout
    assert f"it answers at {where}" in learner.labs("doctor").stdout
    card = learner.run(sys.executable, "-c", CARD).stdout
    assert "which runs on this machine; its pushes to and pulls from the registry go" in card
    # the labs' own variables do not hide the daemon that the learner named
    exports = learner.labs("env").stdout
    assert f"export LABS_DOCKER_HOST={where}" in exports
    script = (
        f'eval "$({sys.executable} -m labs_helpers.cli env)"; labs stop; labs start; labs status'
    )
    path = f"{Path(sys.executable).parent}:{learner.environ['PATH']}"
    assert f"it answers at {where}" in learner.run("bash", "-c", script, PATH=path).stdout


def test_the_engine_changes_when_it_is_asked_to(learner: Learner) -> None:
    assert learner.labs("start").returncode == 0
    changed = learner.labs("start", LABS_ENGINE="embedded")
    assert "The engine changes to the labs' own: LABS_ENGINE=embedded." in changed.stderr
    assert learner.engine()["kind"] == "embedded"
    # auto leaves what runs
    assert learner.labs("start").returncode == 0
    assert learner.engine()["kind"] == "embedded"
    refused = learner.labs("start", LABS_ENGINE="podman")
    assert refused.returncode == 1
    assert "LABS_ENGINE is podman, and no Podman answers" in refused.stderr
    assert learner.labs("start", LABS_ENGINE="docker").returncode == 0
    assert learner.engine()["kind"] == "docker"


def test_a_daemon_that_ends_is_named_and_what_to_do(learner: Learner) -> None:
    link = learner.workspace.home.parent / "docker.sock"
    link.symlink_to(learner.environ["DOCKER_HOST"].removeprefix("unix://"))
    learner.environ["DOCKER_HOST"] = f"unix://{link}"
    assert learner.labs("start").returncode == 0
    link.unlink()
    todo = "start Docker again, or take the labs' own engine: LABS_ENGINE=embedded labs start"
    said = f"Docker does not answer at unix://{link}"
    status = learner.labs("status").stdout
    assert f"{said}: {todo}" in status
    assert "labs stop" not in status
    assert (learner.engine()["answers"], learner.engine()["trouble"]) == (False, f"{said}: {todo}")
    doctor = learner.labs("doctor").stdout
    assert said in doctor
    assert f"\nengine: S{todo[1:]}\n" in doctor
    for words in (("pull", "nginx:alpine"), ("images",)):
        asked = learner.run(
            *("docker", *words),
            DOCKER_HOST=f"unix://{learner.workspace.socket}",
            DOCKER_CONFIG=str(learner.workspace.docker),
        )
        assert asked.returncode == 1
        assert f"the labs' front does not reach the daemon at unix://{link}" in asked.stderr
        assert len(asked.stderr.splitlines()) == 1
    assert learner.labs("start", LABS_ENGINE="embedded").returncode == 0
    assert (learner.engine()["answers"], learner.engine()["trouble"]) == (True, None)


def test_a_lab_and_a_reset_leave_the_learners_images_alone(learner: Learner) -> None:
    own = subprocess.run(
        ["docker", "import", "-", "mine:1"],
        input=bytes(10240),
        env=learner.environ | {"DOCKER_CONFIG": str(learner.workspace.home)},
        capture_output=True,
        check=True,
    )
    mine = own.stdout.decode().strip()
    learner.daemon.tag(mine, daemons.reference("demo-app:mine"))
    opened = learner.run(sys.executable, "-c", CARD)
    assert "image demo-app:latest is built" in opened.stdout, opened.stderr
    there = learner.daemon.names()
    # the preparation of lab 07 takes the name away, and the image stays
    assert there["docker.io/library/mine:1"] == mine
    assert "docker.io/library/nginx:alpine" in there

    asked = learner.labs("reset")
    assert asked.returncode == 1
    assert learner.daemon.names() == there
    done = learner.labs("reset", "-y")
    assert done.returncode == 0, done.stderr
    assert "Removed from there: 2 of 2." in done.stdout
    assert sorted(learner.daemon.names()) == [
        "docker.io/library/demo-app:latest",
        "docker.io/library/mine:1",
    ]


@pytest.mark.parametrize("kind", ["dockerd", "containerd", "podman"])
def test_an_image_that_a_container_uses_stays_and_stops_no_lab(learner: Learner, kind: str) -> None:
    learner.environ["LABS_ENGINE"] = "podman" if kind == "podman" else "docker"
    opened = learner.run(sys.executable, "-c", f"{CARD}\n{PUSH}")
    assert opened.returncode == 0, opened.stderr
    made = learner.run("docker", "create", "--name", "busy", "demo-app:latest", "x")
    assert made.returncode == 0, made.stderr

    kept = learner.run(sys.executable, "-c", CARD)
    assert "begun earlier" in kept.stdout, kept.stderr
    busy = learner.run("docker", "inspect", "--format", "{{.Id}}", "busy").stdout[:12]
    restarted = learner.run(sys.executable, "-c", RESTART)
    assert restarted.returncode == 0, restarted.stderr
    assert f"docker rm -f {busy}" in restarted.stdout
    assert learner.stored() == {"repositories": 1, "images": 0}
    assert any("in-use" in name and busy in name for name in learner.daemon.names())


def test_labs_that_build_and_push_run_in_front_of_docker(
    learner: Learner, commands: Commands
) -> None:
    assert learner.labs("start").returncode == 0
    quick = commands.for_bash(learner.environ, others=())  # the docker is the installed one
    # the daemons of the tests have no network, so that no port of lab 06's containers is published
    ran = learner.labs("run", "05", "08", BASH_ENV=quick["BASH_ENV"])
    assert ran.returncode == 0, ran.stdout
    # what the run built is there, what it pulled and pushed is not
    left = {parse(name).name for name in learner.daemon.names()}
    assert {"docker.io/library/demo-app"} <= left
    assert not [name for name in left if re.search("nginx|debian|myapp", name)], left


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["dockerd", "containerd", "podman"])
def test_every_lab_runs_in_front_of(learner: Learner, kind: str) -> None:
    ran = learner.labs("run", LABS_ENGINE="podman" if kind == "podman" else "docker")
    assert ran.returncode == 0, ran.stdout
    assert ran.stdout.count(" ok\n") == 11
