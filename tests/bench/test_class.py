"""A class of twelve on one machine: JupyterLab with the labs beside bare JupyterLab servers.

Twelve servers of each kind, started at once. A learner of the labs then runs the first cell of a
lab, one after another, in a Python of its own which has ended when the memory is measured.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.bench.finished_learner import proportional
from tests.bench.servers import free_port

pytestmark = pytest.mark.bench

LEARNERS = int(os.environ.get("LABS_BENCH_LEARNERS", "12"))
SECONDS = 3600.0
"""How long anything may take on a machine whose cores others have."""
REQUEST = 120.0
"""Seconds for one answer: to give up sooner leaves a busy server with more to do."""
LOG = "jupyter.log"
FIRST_CELL = 'from labs_helpers import start; start("05")'
SPAWN = 2.5
"""CPU seconds of ours that a spawn may cost, with the first cell: beyond a bare JupyterLab."""


@dataclass(frozen=True)
class Cost:
    """Of one learner, but for ``seconds``, which pass until all servers answer.

    spawn: CPU seconds until the server answers; cpu: CPU seconds with the first cell; memory: bytes
    of all processes, of shared pages a part.
    """

    seconds: float
    spawn: float
    cpu: float
    memory: float


@contextmanager
def homes() -> Iterator[list[Path]]:
    with tempfile.TemporaryDirectory(prefix="labs-class-", dir="/tmp") as folder:
        made = [Path(folder, f"{number:02}") for number in range(LEARNERS)]
        for home in made:
            home.mkdir(mode=0o700)
        yield made


def measured(homes: Sequence[Path], labs: bool) -> Cost:
    """Start a server in each home, and wait until all answer."""
    begun = time.perf_counter()
    servers: list[subprocess.Popen[bytes]] = []
    ports = [free_port() for _ in homes]
    plain = {name: value for name, value in os.environ.items() if not name.startswith("LABS_")}
    lab = Path(sys.executable).with_name("labs")
    bare = [sys.executable, "-P", "-m", "jupyterlab"]
    try:
        for home, port in zip(homes, ports, strict=True):
            options = [
                f"--port={port}",
                "--ServerApp.port_retries=0",  # to end in words, instead of another port
                "--no-browser",
                "--allow-root",
                "--IdentityProvider.token=",
            ]
            # `bare` is what `jupyter lab` is without the labs
            command = [str(lab), "serve", "jupyter", "lab"] if labs else bare
            environ = {**plain, "HOME": str(home), "LABS_ENGINE": "embedded"}
            environ |= {"LABS_HOME": str(home / ".labs"), "LABS_WORKBOOK": str(home / "my-labs")}
            with (home / LOG).open("wb") as log:
                started = subprocess.Popen(
                    [*command, *options], cwd=home, env=environ, stdout=log, stderr=log
                )
            servers.append(started)
        for home, port, server in zip(homes, ports, servers, strict=True):
            until_answering(home, port, server)
        seconds = time.perf_counter() - begun
        spawn = sum(cpu_of(psutil.Process(server.pid)) for server in servers)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        if labs:
            for home in homes:
                run_first_cell(home, plain)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        trees = [processes_of(home, server) for home, server in zip(homes, servers, strict=True)]
        cpu = sum(cpu_of(each) for tree in trees for each in tree)
        cpu += after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        memory = sum(proportional(each.pid) for tree in trees for each in tree)
        return Cost(seconds, spawn / len(homes), cpu / len(homes), memory / len(homes))
    finally:
        left = [
            each
            for home, one in zip(homes, servers, strict=False)
            for each in processes_of(home, one)
        ]
        for each in left:
            each.kill()
        psutil.wait_procs(left, 30)


def cpu_of(process: psutil.Process) -> float:
    """CPU seconds of a process, and of its children that have ended."""
    return sum(process.cpu_times()[:4])


def until_answering(home: Path, port: int, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=REQUEST):
                return
        except OSError:
            said = (home / LOG).read_text(errors="replace")[-3000:]
            assert server.poll() is None, f"a server ended: {said}"
            assert time.monotonic() < end, f"a server does not answer: {said}"
            time.sleep(0.2)


def run_first_cell(home: Path, plain: dict[str, str]) -> None:
    environ = {**plain, "HOME": str(home), "LABS_ENGINE": "embedded", "LABS_HOME": f"{home}/.labs"}
    subprocess.run(
        [sys.executable, "-c", FIRST_CELL],
        cwd=home / "my-labs",
        env=environ,
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=SECONDS,
    )


def processes_of(home: Path, server: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """The server, and what the labs started for this home."""
    found = []
    for each in psutil.process_iter(["cmdline"]):
        words = each.info["cmdline"] or []
        if each.pid == server.pid or any(str(home / ".labs") in word for word in words):
            found.append(each)
    return found


def test_a_class_of_twelve_beside_bare_jupyterlab() -> None:
    assert shutil.which("labs", path=str(Path(sys.executable).parent))
    with homes() as places:
        bare = measured(places, labs=False)
    with homes() as places:
        ours = measured(places, labs=True)
    for what, unit, one, other in (
        ("until all answer", "s", ours.seconds, bare.seconds),
        ("CPU of a spawn", "s", ours.spawn, bare.spawn),
        ("CPU a learner, with the first cell of a lab", "s", ours.cpu, bare.cpu),
        ("memory a learner", "MB", ours.memory / 1e6, bare.memory / 1e6),
    ):
        print(
            f"\n{what}: {one:.1f} {unit}, bare JupyterLab {other:.1f} {unit} ({one / other:.2f}x)"
        )
    assert ours.spawn - bare.spawn < SPAWN
    assert ours.cpu - bare.cpu < SPAWN, "up to the end of the first cell"
