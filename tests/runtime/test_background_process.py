"""Background processes: one of each, found again, recovered from, stopped."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from labs_helpers.files import WorkspaceError, read_json, write_json
from labs_helpers.runtime import background_process
from labs_helpers.runtime.background_process import BackgroundProcess, ProcessError

SERVER = """
import http.server, signal, sys
if "deaf" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"here")
server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
with open("port", "w") as file:
    file.write(str(server.server_port))
server.serve_forever()
"""


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="l", dir="/tmp"))
    yield folder
    background_process.stop(folder / "record.json", "dummy")
    shutil.rmtree(folder)


def dummy(home: Path, program: str = SERVER, *arguments: str) -> BackgroundProcess:
    """A tiny server that listens on a port of its own choice and writes it to a file."""

    def ready() -> Mapping[str, Any] | None:
        try:
            port = int((home / "port").read_text())
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            connection.request("GET", "/")
            return {"port": port, "said": connection.getresponse().read().decode()}
        except (OSError, ValueError):
            return None

    return BackgroundProcess(
        name="dummy",
        command=(sys.executable, "-c", program, *arguments),
        record=home / "record.json",
        log=home / "log",
        ready=ready,
    )


def started(
    home: Path, say: Callable[[str], None] = print, *arguments: str
) -> background_process.Running:
    with background_process.only_one(home / "lock", say):
        return background_process.start(dummy(home, SERVER, *arguments), say)


def test_a_started_process_answers_and_is_found_again(home: Path) -> None:
    first = started(home)
    assert first.facts["said"] == "here"
    found = background_process.running(home / "record.json")
    assert found is not None
    assert (found.pid, found.facts["port"]) == (first.pid, first.facts["port"])
    assert found.memory > 0


def test_a_second_start_gives_the_first_process(home: Path) -> None:
    assert started(home).pid == started(home).pid


def test_starts_at_once_give_one_process(home: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        pids = {found.pid for found in pool.map(lambda _: started(home), range(4))}
    assert len(pids) == 1


def has_ended(pid: int) -> bool:
    """Whether a process is gone, or a zombie that its parent, the machine's first, reaps later."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_stop_ends_it_and_a_second_stop_finds_nothing(home: Path) -> None:
    found = started(home)
    assert background_process.stop(home / "record.json", "dummy")
    assert has_ended(found.pid)
    assert not background_process.stop(home / "record.json", "dummy")
    assert background_process.running(home / "record.json") is None


def test_a_process_that_ignores_sigterm_is_killed(home: Path) -> None:
    found = started(home, print, "deaf")
    assert background_process.stop(home / "record.json", "dummy", seconds=0.2)
    assert has_ended(found.pid)


def test_a_process_whose_parent_does_not_reap_it_counts_as_ended(home: Path) -> None:
    """`labs stop` in a terminal ends what a notebook's kernel has started."""
    found = started(home)
    script = (
        "import sys; from pathlib import Path; from labs_helpers.runtime import background_process;"
        "print(background_process.stop(Path(sys.argv[1]), 'dummy', seconds=5))"
    )
    command = [sys.executable, "-c", script, str(home / "record.json")]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout == "True\n"
    assert psutil.Process(found.pid).status() == psutil.STATUS_ZOMBIE
    assert background_process.running(home / "record.json") is None


def test_a_killed_process_is_replaced(home: Path) -> None:
    first = started(home)
    os.kill(first.pid, signal.SIGKILL)
    psutil.Process(first.pid).wait(10)
    assert background_process.running(home / "record.json") is None
    (home / "port").unlink()
    assert started(home).pid != first.pid


def test_a_pid_that_now_belongs_to_another_program_is_neither_believed_nor_killed(
    home: Path,
) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        note = {"pid": other.pid, "process_started": psutil.Process(other.pid).create_time() - 60}
        write_json(home / "record.json", note)
        assert background_process.running(home / "record.json") is None
        assert not background_process.stop(home / "record.json", "dummy")
        assert other.poll() is None
        other.communicate(b"\n")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a start is known by the clock only")
@pytest.mark.parametrize("step", [-3600.0, 2.5, 3600.0])
def test_a_step_of_the_clock_loses_no_process(
    home: Path, monkeypatch: pytest.MonkeyPatch, step: float
) -> None:
    """psutil computes a start from the time of the boot, which moves with the clock.
    Reported as D6.
    """
    first = started(home)
    told = psutil.Process.create_time

    def after_the_step(process: psutil.Process) -> float:
        return float(told(process)) + step

    monkeypatch.setattr(psutil.Process, "create_time", after_the_step)
    found = background_process.running(home / "record.json")
    assert found is not None
    assert found.pid == first.pid
    assert started(home).pid == first.pid


def test_a_record_without_ticks_is_read_by_the_start_time(home: Path) -> None:
    """Of an earlier version, and of systems that do not count ticks."""
    first = started(home)
    kept = read_json(home / "record.json")
    kept.pop("process_ticks", None)
    write_json(home / "record.json", kept)
    found = background_process.running(home / "record.json")
    assert found is not None
    assert found.pid == first.pid
    write_json(home / "record.json", {**kept, "process_started": kept["process_started"] - 60})
    assert background_process.running(home / "record.json") is None
    write_json(home / "record.json", kept)


@pytest.mark.parametrize(
    "record",
    [
        "",
        "{",
        "[]",
        '{"pid": [1], "process_started": 1}',
        '{"pid": "x"}',
        '{"pid": 1}',
        '{"pid": 4000000, "process_started": 1}',
    ],
)
@pytest.mark.filterwarnings("ignore::labs_helpers.files.SetAside")
def test_a_broken_record_is_no_process(home: Path, record: str) -> None:
    (home / "record.json").write_text(record)
    assert background_process.running(home / "record.json") is None


def test_a_process_that_ends_at_once_is_reported_with_the_end_of_its_log(home: Path) -> None:
    program = "import sys; print('no such thing'); sys.exit(3)"
    with pytest.raises(ProcessError, match="ended with code 3") as caught:
        background_process.start(dummy(home, program), print)
    assert "no such thing" in str(caught.value)
    assert read_json(home / "record.json") == {}


def test_a_process_that_cannot_be_recorded_is_not_left_running(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = set(psutil.Process().children())
    spawned: set[psutil.Process] = set()

    def full(*_: object) -> None:
        spawned.update(set(psutil.Process().children()) - before)
        raise WorkspaceError("No space left on device")

    monkeypatch.setattr(background_process, "write_json", full)
    with pytest.raises(WorkspaceError):
        started(home)
    assert len(spawned) == 1
    assert not any(child.is_running() for child in spawned)


def test_a_process_that_no_longer_answers_is_started_anew(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = started(home)
    (home / "port").write_text("nowhere")
    monkeypatch.setattr(background_process, "ANSWER_SECONDS", 0.05)
    said: list[str] = []
    second = started(home, said.append)
    assert second.pid != first.pid
    assert f"process {first.pid}" in said[0]
    assert not psutil.pid_exists(first.pid)


def test_the_lock_is_free_again_after_an_error(home: Path) -> None:
    with pytest.raises(RuntimeError), background_process.only_one(home / "lock", print):
        raise RuntimeError
    said: list[str] = []
    with background_process.only_one(home / "lock", said.append):
        assert said == []


def test_a_long_log_is_put_aside(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background_process, "LOG_KEPT", 3)
    (home / "log").write_text("long")
    started(home)
    assert (home / "log.1").read_text() == "long"
    assert (home / "log").stat().st_mode & 0o777 == 0o600
