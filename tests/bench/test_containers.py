"""Containers beside dockerd in one run: the time of a short one, the memory of idle ones."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import docker
import psutil
import pytest

from labs_helpers.engine.front.address import Address
from labs_helpers.engine.process import FRUGAL
from tests.bench.servers import running
from tests.engine.containers.conftest import load_box

pytestmark = pytest.mark.bench

ROUNDS = 7
MANY = 20


def short_run(host: str) -> float:
    """Seconds of docker run --rm of a static program."""
    environment = {**os.environ, "DOCKER_HOST": host}
    begun = time.perf_counter()
    subprocess.run(
        ["docker", "run", "--rm", "--network", "none", "box", "true"], env=environment, check=True
    )
    return time.perf_counter() - begun


def unshared(process: psutil.Process) -> float:
    """Megabytes of a process and its children that no other process has (PSS)."""
    every = [process, *process.children(recursive=True)]
    return sum(each.memory_full_info().pss for each in every) / 1e6


def test_containers_beside_dockerd(tmp_path: Path, dockerd: Address) -> None:
    socket = tmp_path / "s"
    command = [
        *(sys.executable, "-m", "labs_helpers.engine"),
        *("--socket", str(socket), "--state", str(tmp_path / "state")),
    ]
    with running(command, FRUGAL) as engine:
        while not socket.exists():
            assert engine.poll() is None
        ours: Any = docker.DockerClient(base_url=f"unix://{socket}")
        for client in (ours, docker.DockerClient(base_url=str(dockerd))):
            load_box(client)
        times: dict[str, list[float]] = {"engine": [], "dockerd": []}
        short_run(f"unix://{socket}")
        short_run(str(dockerd))
        for _ in range(ROUNDS):
            times["engine"].append(short_run(f"unix://{socket}"))
            times["dockerd"].append(short_run(str(dockerd)))
        place = str(tmp_path / "state/containers")
        keeper = next(
            p for p in psutil.process_iter(["cmdline"]) if (p.info["cmdline"] or [""])[-1] == place
        )
        empty = unshared(keeper)
        begun = time.perf_counter()
        made = [ours.containers.run("box", ["sleep", "600"], detach=True) for _ in range(MANY)]
        seconds = time.perf_counter() - begun
        assert {each.status for each in ours.containers.list()} == {"running"}
        programs = (
            sum(psutil.Process(p.pid).memory_full_info().pss for p in keeper.children()) / 1e6
        )
        more = (unshared(keeper) - empty - programs) / MANY
        for each in made:
            each.remove(force=True)
    one, other = (statistics.median(found) for found in times.values())
    print(
        f"\ndocker run --rm: engine {one:.3f} s, dockerd {other:.3f} s ({one / other:.2f}x);"
        f" {MANY} containers in {seconds:.2f} s; the keeper {empty:.1f} MB, and"
        f" {more:.2f} MB more for each idle container above its program"
    )
    assert one / other <= 0.5
    assert more <= 6
