"""A background process ends with its folder, with its JupyterLab, and when nobody uses it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from labs_helpers.files import LabsError, read_json
from labs_helpers.runtime import lifetime
from labs_helpers.workspace import Workspace

PROCESS = """
import os, signal, sys
from pathlib import Path
from labs_helpers.runtime import lifetime
from labs_helpers.runtime.lifetime import Lifetime
home = Path(sys.argv[1])
lifetime.ALONE_SECONDS = float(os.environ.get("ALONE", lifetime.ALONE_SECONDS))
Lifetime(home, "dummy", os.environ, (home / "busy").exists).watch()
print("watches", flush=True)
signal.pause()
"""
SECONDS = 60.0
"""Longer than any end takes on a busy machine; an assertion fails after that."""


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="l", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for each in processes:
        each.kill()
        each.wait()


def watching(
    home: Path, started: list[subprocess.Popen[str]], **variables: str
) -> subprocess.Popen[str]:
    """A process that watches its home."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("LABS_")}
    command = [sys.executable, "-c", PROCESS, str(home)]
    process = subprocess.Popen(
        command, env={**environ, **variables}, stdout=subprocess.PIPE, text=True
    )
    started.append(process)
    assert process.stdout is not None
    assert process.stdout.readline() == "watches\n"
    return process


def test_it_ends_with_its_folder(home: Path, started: list[subprocess.Popen[str]]) -> None:
    process = watching(home, started)
    shutil.rmtree(home)
    assert process.wait(SECONDS) == -signal.SIGTERM


def test_it_ends_when_another_folder_has_taken_the_place(
    home: Path, started: list[subprocess.Popen[str]]
) -> None:
    process = watching(home, started)
    home.rename(home.with_name(f"{home.name}.old"))
    home.mkdir()
    assert process.wait(SECONDS) == -signal.SIGTERM
    shutil.rmtree(home.with_name(f"{home.name}.old"))


def test_it_ends_with_its_jupyterlab(home: Path, started: list[subprocess.Popen[str]]) -> None:
    jupyter = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    lifetime.note_jupyter(home, jupyter.pid)
    process = watching(home, started, LABS_ENDS_WITH="jupyter")
    other = watching(home, started)  # one that `labs start` has started
    jupyter.communicate()
    assert process.wait(SECONDS) == -signal.SIGTERM
    assert other.poll() is None


def test_it_waits_for_a_jupyterlab_only_while_somebody_uses_it(
    home: Path, started: list[subprocess.Popen[str]]
) -> None:
    """As after an instructor's command for a learner who is not there, or who comes just then."""
    unused, used, jupyters = home / "unused", home / "used-one", home / "jupyters"
    for folder in (unused, used, jupyters):
        folder.mkdir()
    (used / "busy").touch()
    variables = {"LABS_ENDS_WITH": "jupyter", "ALONE": "1"}
    busy = watching(used, started, **variables)
    jupyter = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    lifetime.note_jupyter(jupyters, jupyter.pid)
    beside_one = watching(jupyters, started, **variables)
    assert watching(unused, started, **variables).wait(SECONDS) == -signal.SIGTERM
    assert busy.poll() is None
    assert beside_one.poll() is None
    jupyter.communicate()
    assert beside_one.wait(SECONDS) == -signal.SIGTERM
    (used / "busy").unlink()
    assert busy.wait(SECONDS) == -signal.SIGTERM


def test_it_lives_while_a_second_jupyterlab_does(
    home: Path, started: list[subprocess.Popen[str]]
) -> None:
    first, second = (subprocess.Popen(["cat"], stdin=subprocess.PIPE) for _ in range(2))
    for each in (first, second):
        lifetime.note_jupyter(home, each.pid)
    first.communicate()
    assert lifetime.jupyter_lives(home)
    second.communicate()
    assert not lifetime.jupyter_lives(home)


def test_it_ends_when_nobody_uses_it_and_not_while_somebody_does(
    home: Path, started: list[subprocess.Popen[str]]
) -> None:
    used, unused = home / "used-one", home / "unused-one"
    for folder in (used, unused):
        folder.mkdir()
    (used / "busy").touch()
    busy = watching(used, started, LABS_IDLE="3s")
    # a second process of the same home, which itself has nothing to do
    beside = watching(used, started, LABS_IDLE="3s")
    idle = watching(unused, started, LABS_IDLE="3s")
    assert idle.wait(SECONDS) == -signal.SIGTERM
    assert busy.poll() is None
    assert beside.poll() is None
    (used / "busy").unlink()
    assert busy.wait(SECONDS) == -signal.SIGTERM
    assert beside.wait(SECONDS) == -signal.SIGTERM


@pytest.mark.parametrize(
    ("text", "seconds"), [("", 28800.0), ("90s", 90.0), ("30m", 1800.0), ("2h", 7200.0)]
)
def test_the_time_is_read(text: str, seconds: float) -> None:
    assert lifetime.idle_seconds({"LABS_IDLE": text}) == seconds
    assert lifetime.idle_seconds({"LABS_IDLE": "never"}) is None


@pytest.mark.parametrize("text", ["0s", "2 days", "1.5h", "-3m", "soon"])
def test_what_is_no_time_is_refused_in_words(text: str) -> None:
    with pytest.raises(LabsError, match="90s, 30m, 8h"):
        lifetime.idle_seconds({"LABS_IDLE": text})


def test_servers_and_containers_end_with_the_folder(workspace: Workspace) -> None:
    from labs_helpers import servers

    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    running = servers.start(workspace, environ=environ)
    docker = [str(workspace.bin / "docker"), "--host", f"unix://{workspace.socket}"]
    image = "nginx:alpine"
    subprocess.run(
        [*docker, "run", "--detach", image], check=True, capture_output=True, timeout=120
    )
    runner = read_json(workspace.runner / "runner.json")["pid"]
    pids = [running.sandbox.pid, running.engine.pid, runner]
    # the servers by number: those of tests are forks, without a command line of their own
    inside = [*map(psutil.Process, pids)]
    inside += [each for each in psutil.process_iter(["cmdline"]) if _is_of(each, workspace.home)]
    assert {each.pid for each in inside} > set(pids)  # the keeper, and the container
    shutil.rmtree(workspace.home)
    _, alive = psutil.wait_procs(inside, SECONDS)
    workspace.home.mkdir()  # for the fixture
    assert [each.cmdline() for each in alive if each.status() != psutil.STATUS_ZOMBIE] == []


def _is_of(process: psutil.Process, home: Path) -> bool:
    return any(str(home) in word for word in process.info["cmdline"] or [])
