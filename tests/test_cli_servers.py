"""The `labs` command with the real sandbox and engine, on free ports in homes of their own."""

from __future__ import annotations

import configparser
import contextlib
import http.server
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from labs_helpers import servers
from labs_helpers.defaults import SANDBOX_DOWN
from labs_helpers.engine import process as engine_process
from labs_helpers.files import read_json
from labs_helpers.sandbox import process as sandbox_process
from labs_helpers.workspace import Workspace
from tests.ports import free_port


@dataclass
class Learner:
    """A home and the environment of a terminal that names it."""

    workspace: Workspace
    environ: dict[str, str] = field(default_factory=dict)

    def labs(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "labs_helpers.cli", *arguments]
        return subprocess.run(
            command, env=self.environ, capture_output=True, text=True, check=False
        )

    def status(self) -> dict[str, dict[str, object]]:
        found: dict[str, dict[str, object]] = json.loads(self.labs("status", "--json").stdout)
        return found


@pytest.fixture
def learner() -> Iterator[Learner]:
    folder = Path(tempfile.mkdtemp(prefix="l", dir="/tmp"))
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LABS_"))
    }
    home = {"LABS_HOME": str(folder / "h"), "LABS_PORT": str(free_port()), "HOME": str(folder)}
    home["LABS_ENGINE"] = "embedded"
    workspace = Workspace(folder / "h")
    yield Learner(workspace, inherited | home)
    servers.stop(workspace)
    shutil.rmtree(folder)


def test_start_status_stop(learner: Learner) -> None:
    started = learner.labs("start")
    assert started.returncode == 0, started.stderr
    port = learner.environ["LABS_PORT"]
    assert f"http://127.0.0.1:{port}" in started.stdout

    found = learner.status()
    assert found["sandbox"]["endpoint"] == f"http://127.0.0.1:{port}"
    assert found["sandbox"]["stored"]["repositories"] == 0  # type: ignore[index]
    assert found["engine"]["answers"] is True
    assert "real time" in learner.labs("status").stdout

    stopped = learner.labs("stop").stdout
    assert "What you made in every service is kept" in stopped
    assert sandbox_process.is_free(int(port))
    assert not engine_process.answers(learner.workspace.socket)
    assert learner.labs("stop").stdout == "Nothing was running.\n"


def test_starts_at_once_give_one_sandbox_one_engine_and_one_runner(learner: Learner) -> None:
    with ThreadPoolExecutor(3) as pool:
        ended = list(pool.map(lambda _: learner.labs("start"), range(3)))
    assert [one.returncode for one in ended] == [0, 0, 0], ended
    assert len({one.stdout for one in ended}) == 1
    mine = [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if str(learner.workspace.home) in " ".join(process.info["cmdline"] or [])
    ]
    assert len(mine) == 3


def test_killed_servers_are_replaced_on_the_same_port_with_the_same_key(learner: Learner) -> None:
    first = servers.start(learner.workspace, environ=learner.environ)
    key = learner.labs("key").stdout
    for pid in (first.sandbox.pid, first.engine.pid):
        process = psutil.Process(pid)
        os.kill(pid, signal.SIGKILL)
        process.wait(10)
    second = servers.start(learner.workspace, environ=learner.environ)
    assert second.sandbox.port == first.sandbox.port
    assert second.sandbox.instance != first.sandbox.instance
    assert engine_process.answers(learner.workspace.socket)
    assert learner.labs("key").stdout == key


@pytest.mark.parametrize(
    "damaged",
    [
        "sandbox/learner.json",
        "sandbox/clock.json",
        "sandbox/ecr/ecr.sqlite",
        "engine/images.sqlite",
    ],
)
def test_a_start_says_what_state_it_found_damaged_and_where_it_is_kept(
    learner: Learner, damaged: str
) -> None:
    assert learner.labs("start").returncode == 0
    learner.labs("stop")
    broken = learner.workspace.home / damaged
    broken.write_text("half of")
    started = learner.labs("start")
    assert started.returncode == 0, started.stderr
    (said,) = [line for line in started.stderr.splitlines() if "kept" in line]
    (kept,) = (
        path
        for path in broken.parent.rglob("*")
        if path.is_file() and path.read_bytes() == b"half of"
    )
    assert kept.name in said or str(kept.parent) in said
    assert "kept" not in learner.labs("start").stderr


def test_a_state_of_a_later_version_is_named_without_a_traceback(learner: Learner) -> None:
    folder = learner.workspace.create().sandbox / "ecr"
    folder.mkdir()
    with contextlib.closing(sqlite3.connect(folder / "ecr.sqlite")) as later:
        later.execute("pragma user_version = 99")
    started = learner.labs("start")
    assert started.returncode == 1
    assert "has schema 99" in started.stderr
    assert "Traceback" not in started.stderr


def test_a_taken_port_is_named_and_the_next_free_one_remembered(learner: Learner) -> None:
    taken = int(learner.environ["LABS_PORT"])
    server = http.server.HTTPServer(("127.0.0.1", taken), http.server.BaseHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        started = learner.labs("start")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert started.returncode == 0, started.stderr
    assert f"Port {taken} is in use by" in started.stderr
    port = learner.workspace.remembered()["port"]
    assert port > taken
    hosts = read_json(learner.workspace.registries)["hosts"]
    assert {host["address"] for host in hosts} == {f"http://127.0.0.1:{port}"}

    learner.labs("stop")
    del learner.environ["LABS_PORT"]
    learner.labs("start")
    assert sandbox_process.running(learner.workspace).port == port  # type: ignore[union-attr]


def test_a_port_that_another_folder_took_just_before_is_left_to_it(
    learner: Learner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = sandbox_process.start(learner.workspace, lambda line: None, learner.environ)
    # the other has found the port free, and its process is not as far as to see otherwise
    look, seen = sandbox_process.is_free, []

    def is_free(port: int) -> bool:
        seen.append(port)
        return seen == [first.port] or look(port)

    monkeypatch.setattr(sandbox_process, "is_free", is_free)
    other = Workspace(tmp_path / "other")
    try:
        second = sandbox_process.start(other, lambda line: None, learner.environ)
        assert seen[0] == first.port
        assert second.port > first.port
        assert second.instance != first.instance
        assert sandbox_process.control_answer(other, second.port, "status") is not None
    finally:
        sandbox_process.stop(other, lambda line: None)


def test_a_terminal_with_labs_env_reaches_the_sandbox(learner: Learner) -> None:
    assert learner.labs("configure").returncode == 0
    script = (
        f'eval "$({sys.executable} -m labs_helpers.cli env)"\n'
        "aws ecr create-repository --repository-name from/terminal "
        "--query repository.repositoryUri --output text"
    )
    ran = subprocess.run(
        ["bash", "-c", script], env=learner.environ, capture_output=True, text=True, check=False
    )
    assert ran.stderr == ""
    assert ran.stdout == "123456789012.dkr.ecr.us-west-2.amazonaws.com/from/terminal\n"
    assert learner.status()["sandbox"]["stored"]["repositories"] == 1  # type: ignore[index]
    # not ~/.aws nor ~/.docker
    assert not [path for path in Path(learner.environ["HOME"]).iterdir() if path.name != "h"]


def test_reset_gives_an_empty_sandbox_and_a_new_key(learner: Learner) -> None:
    servers.start(learner.workspace, environ=learner.environ)
    key = learner.labs("key").stdout
    done = learner.labs("reset", "--yes")
    assert done.returncode == 0, done.stderr
    assert str(learner.workspace.snapshots) in done.stdout
    # what ran before runs again, at the same address
    found = sandbox_process.running(learner.workspace)
    assert found is not None
    assert found.port == int(learner.environ["LABS_PORT"])
    assert learner.labs("key").stdout != key


def test_a_snapshot_brings_back_registry_engine_and_every_service(learner: Learner) -> None:
    assert learner.labs("configure").returncode == 0
    image = "123456789012.dkr.ecr.us-west-2.amazonaws.com/kept/web:1.0"
    made = (
        "aws ecr create-repository --repository-name kept/web > made",
        "aws s3 mb s3://kept-bucket",
        "aws ecr get-login-password | docker login --username AWS --password-stdin ${IMAGE%%/*}",
        "docker pull -q nginx:alpine && docker tag nginx:alpine $IMAGE && docker push -q $IMAGE",
    )
    there = (
        "aws ecr describe-images --repository-name kept/web",
        "docker image inspect $IMAGE --format '{{.Id}} {{.RepoDigests}}'",
        "aws s3api list-buckets",
    )
    _in_terminal(learner, image, *made)
    before = _in_terminal(learner, image, *there)
    assert learner.labs("snapshot", "save", "with-web").returncode == 0
    assert "with-web" in learner.labs("snapshot", "list").stdout
    _in_terminal(
        learner,
        image,
        "aws ecr delete-repository --repository-name kept/web --force",
        "docker rmi $IMAGE nginx:alpine",
        "aws s3 rb s3://kept-bucket",
    )
    done = learner.labs("snapshot", "restore", "--yes", "with-web")
    assert done.returncode == 0, done.stderr
    assert _in_terminal(learner, image, *there) == before
    _in_terminal(learner, image, "docker rmi $IMAGE nginx:alpine", "docker pull -q $IMAGE")


def _in_terminal(learner: Learner, image: str, *commands: str) -> str:
    """What the commands print in a terminal with `labs env`, each of which succeeds."""
    set_up = f'eval "$({sys.executable} -m labs_helpers.cli env)"'
    ran = subprocess.run(
        ["bash", "-ec", "\n".join(("set -o pipefail", set_up, *commands))],
        env={**learner.environ, "IMAGE": image},
        cwd=learner.environ["HOME"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_an_account_is_added_with_a_profile_of_its_own(learner: Learner) -> None:
    added = learner.labs("accounts", "add", "210987654321", "--profile", "partner")
    assert added.returncode == 0, added.stderr
    again = learner.labs("accounts", "add", "210987654321", "--json")
    (key,) = json.loads(again.stdout)
    profiles = configparser.RawConfigParser()
    profiles.read(learner.workspace.aws_credentials)
    assert profiles["partner"]["aws_access_key_id"] == key["access_key_id"]
    assert profiles["partner"]["aws_secret_access_key"] == key["secret_access_key"]
    assert not (Path(learner.environ["HOME"]) / ".aws").exists()
    assert learner.labs("accounts").stdout.splitlines()[1:] == [
        "123456789012  1      your own",
        "210987654321  1",
    ]


def test_only_a_start_is_called_a_start(learner: Learner) -> None:
    starting = "Starting the sandbox and the engine ..."
    assert starting in learner.labs("clean-up").stderr
    again = learner.labs("clean-up").stderr
    assert starting not in again
    assert "Looking at account" in again
    sandbox_process.stop(learner.workspace, print)
    assert starting in learner.labs("clean-up").stderr


def test_a_list_of_accounts_starts_no_sandbox_and_adding_says_so(learner: Learner) -> None:
    listed = learner.labs("accounts")
    assert (listed.returncode, listed.stdout, listed.stderr) == (1, "", f"{SANDBOX_DOWN}\n")
    assert learner.status()["sandbox"] is None
    started = "The sandbox was not running, and runs now"
    assert started in learner.labs("accounts", "add", "210987654321").stderr
    assert started not in learner.labs("accounts", "restore").stderr


def test_the_learner_is_restored(learner: Learner) -> None:
    restored = learner.labs("accounts", "restore")
    assert restored.stdout == "User learner of account 123456789012 may do everything again.\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("add",),
        ("add", "12345"),
        ("restore", "210987654321"),
        ("list", "210987654321"),
    ],
)
def test_an_account_command_without_sense_says_what_to_say(
    learner: Learner, arguments: tuple[str, ...]
) -> None:
    done = learner.labs("accounts", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr


def test_what_was_set_aside_is_said_at_the_start_and_in_the_status(learner: Learner) -> None:
    identity = learner.workspace.sandbox / "identity"
    identity.mkdir(mode=0o700, parents=True)
    (identity / "iam.sqlite").write_bytes(b"not a database" * 1000)
    started = learner.labs("start")
    assert started.returncode == 0
    for said in (started.stderr, learner.labs("status").stdout):
        assert said.count("The memory of IAM's users and roles was damaged") == 1


def test_the_database_of_each_service_that_was_set_aside_is_in_the_status(learner: Learner) -> None:
    files = [
        learner.workspace.sandbox / name / f"{name}.sqlite"
        for name in ("codebuild", "codeconnections", "codedeploy", "codepipeline", "ecs", "events")
    ]
    for file in files:
        file.parent.mkdir(mode=0o700, parents=True)
        file.write_bytes(b"not a database" * 1000)
    started = learner.labs("start")
    assert started.returncode == 0
    for said in (started.stderr, learner.labs("status").stdout):
        assert [file.name for file in files if said.count(f"{file.name}.damaged-") != 1] == []
