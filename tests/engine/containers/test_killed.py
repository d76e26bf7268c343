"""What is left of containers when the engine, or the keeper, is killed; and after a stop."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import psutil
import pytest

from labs_helpers.engine.containers.link import stop_keeper
from labs_helpers.engine.machine import NAMESPACES, isolation
from tests.deadline import deadline
from tests.engine.containers.conftest import load_box


class Engine:
    """An engine that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "labs_helpers.engine", "--socket", str(self._socket)]
        self.process = subprocess.Popen(
            [*command, "--state", str(self.folder / "state")], stderr=subprocess.PIPE, text=True
        )
        assert self.process.stderr
        next(line for line in self.process.stderr if "serves on" in line)

    def end(self, number: int) -> None:
        self.process.send_signal(number)
        self.process.communicate(timeout=60)

    @property
    def _socket(self) -> Path:
        return self.folder / "d.sock"

    def client(self) -> Any:
        return docker.DockerClient(base_url=f"unix://{self._socket}")

    @property
    def keeper(self) -> psutil.Process:
        place = str(self.folder / "state/containers")
        return next(
            p for p in psutil.process_iter(["cmdline"]) if (p.info["cmdline"] or [""])[-1] == place
        )


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    if isolation(tmp_path).kind != NAMESPACES:
        pytest.skip("this machine forbids namespaces")
    found = Engine(tmp_path)
    load_box(found.client())
    yield found
    if found.process.poll() is None:
        found.end(signal.SIGTERM)
    stop_keeper(tmp_path / "state/containers")


def _run(engine: Engine, script: str = "sleep 600", **options: Any) -> Any:
    return engine.client().containers.run("box", ["sh", "-c", script], detach=True, **options)


def test_a_killed_engine_leaves_its_containers_to_the_next(engine: Engine) -> None:
    running = _run(engine)
    ended = _run(engine, "sleep 0.2; exit 7")
    engine.end(signal.SIGKILL)
    engine.start()
    client = engine.client()
    assert client.containers.get(running.id).status == "running"
    assert client.containers.get(running.id).exec_run(["echo", "here"]).output == b"here\n"
    assert client.containers.get(ended.id).wait()["StatusCode"] == 7


def test_what_ended_without_an_engine_has_its_true_status(engine: Engine) -> None:
    ended = _run(engine, "read x; exit 7", stdin_open=True)
    pid = engine.client().api.inspect_container(ended.id)["State"]["Pid"]
    process = psutil.Process(pid)
    engine.end(signal.SIGKILL)
    process.terminate()
    process.kill()
    process.wait()
    engine.start()
    found = engine.client().containers.get(ended.id)
    assert (found.status, found.attrs["State"]["ExitCode"]) == ("exited", 137)


def test_containers_die_with_the_keeper(engine: Engine) -> None:
    running = _run(engine)
    process = psutil.Process(engine.client().api.inspect_container(running.id)["State"]["Pid"])
    engine.keeper.kill()
    process.wait(60)
    assert running.wait()["StatusCode"] == 137
    running.start()  # a new keeper
    running.remove(force=True)


def test_a_copy_that_nobody_reads_ends_with_the_keeper(engine: Engine) -> None:
    running = _run(engine, "dd if=/dev/zero of=/big bs=1M count=32 && echo made; sleep 600")
    assert b"made" in next(line for line in running.logs(stream=True) if b"made" in line)
    others = set(engine.keeper.children())
    with socket.socket(socket.AF_UNIX) as client, deadline():
        client.connect(str(engine.folder / "d.sock"))
        asked = f"GET /containers/{running.id}/archive?path=/big HTTP/1.1\r\nHost: d\r\n\r\n"
        client.sendall(asked.encode())
        assert client.recv(12) == b"HTTP/1.1 200"  # and no more
        while not (copying := set(engine.keeper.children()) - others):
            os.sched_yield()
        stop_keeper(engine.folder / "state/containers")
        for process in copying:
            process.wait(60)


@pytest.mark.parametrize("killed", [False, True])
def test_a_stop_leaves_no_process_no_mount_and_no_cgroup(engine: Engine, killed: bool) -> None:
    made = _run(engine, "sleep 600 & echo begun; sleep 601")
    assert next(made.logs(stream=True)) == b"begun\n"
    keeper = engine.keeper
    left = [keeper, *keeper.children(recursive=True)]
    assert len(left) > 2
    engine.end(signal.SIGKILL if killed else signal.SIGTERM)
    stop_keeper(engine.folder / "state/containers")
    for process in left:
        process.wait(60)
    assert str(engine.folder) not in Path("/proc/self/mounts").read_text()
    assert not list(Path("/sys/fs/cgroup").glob(f"**/labs-*{made.id}"))
