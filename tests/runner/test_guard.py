"""What a build has started ends with the build, whatever it has done to stay."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from labs_helpers.buildspec.processes import Stopped
from labs_helpers.buildspec.scratch import scratch
from labs_helpers.runner import landlock
from labs_helpers.runner.contained import ContainedProcesses, Place
from labs_helpers.runtime import isolated

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="programs are isolated on Linux")
needs_landlock = pytest.mark.skipif(not landlock.version(), reason="this kernel has no Landlock")
needs_scopes = pytest.mark.skipif(
    landlock.version() < 6, reason="on this kernel a build may signal the user's processes"
)

HIDING = """\
import os, resource, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in (10, 15):
            resource.setrlimit(number, (7, 7))  # the mark of its build is gone
        with open("pid", "w") as file: print(os.getpid(), file=file)
        os.execve("/bin/sleep", ["sleep", "600"], {})
    os._exit(0)
"""
"""A program that sheds session, parent, environment and the number of its build."""

RUNNING_AWAY = """\
#include <unistd.h>
int main(void) { setsid(); for (;;) if (fork()) _exit(0); }
"""
"""A program whose process lasts for a moment only: the next one goes on."""


class Bench:
    """A folder of a build, and its commands."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.folder, self.said = folder, list[bytes]()
        (folder / "hiding.py").write_text(HIDING)
        readable = (Path(sys.prefix), Path(sys.base_prefix))
        self.processes = ContainedProcesses(
            self.said.append, Place(folder, (root, Path.home()), readable)
        )

    def run(self, script: str) -> int:
        environment = {"PATH": os.environ["PATH"], "PYTHON": sys.executable}
        return self.processes.run(["sh", "-c", script], environment, self.folder)

    @property
    def printed(self) -> str:
        return b"".join(self.said).decode()


@pytest.fixture
def root() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="labs-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture
def build(root: Path) -> Iterator[Bench]:
    with scratch(root / "builds") as folder:
        made = Bench(root, folder)
        yield made
        if made.processes._guard.returncode is None:
            made.processes.close()


HIDE = '"$PYTHON" hiding.py; until [ -s pid ]; do :; done; cat pid'


def test_a_program_that_has_shed_all_that_names_its_build_ends_with_it(build: Bench) -> None:
    assert build.run(HIDE) == 0, build.printed
    hidden = psutil.Process(int(build.printed))
    assert hidden.pid in build.processes.members()
    assert isolated.build_of(hidden.pid) is None
    build.processes.close()
    assert not hidden.is_running()


def test_env_i_and_setsid_do_not_keep_a_program(build: Bench) -> None:
    build.run("(env -i setsid sleep 600 & echo $!)")
    started = psutil.Process(int(build.printed))
    assert started.is_running()
    build.processes.close()
    assert not started.is_running()


def test_a_program_that_runs_away_is_caught(build: Bench, tmp_path: Path) -> None:
    (tmp_path / "away.c").write_text(RUNNING_AWAY)
    made = build.folder / "away-from-the-build"
    try:
        subprocess.run(["cc", "-O1", "-o", made, tmp_path / "away.c"], check=True)
    except FileNotFoundError:
        pytest.skip("there is no C compiler")
    build.run("./away-from-the-build & ./away-from-the-build & ./away-from-the-build &")
    build.processes.close()
    assert build.processes._guard.returncode == 0
    for each in psutil.process_iter(["name"]):
        assert each.info["name"] != made.name[:15]


def test_programs_end_with_a_runner_that_is_killed(root: Path) -> None:
    """The runner is a process of its own here."""
    script = (
        "import sys, tests.runner.test_guard as test\n"
        "from pathlib import Path\n"
        "from labs_helpers.buildspec.scratch import scratch\n"
        "with scratch(Path(sys.argv[1], 'builds')) as folder:\n"
        "    build = test.Bench(Path(sys.argv[1]), folder)\n"
        "    build.run(test.HIDE)\n"
        "    print(build.printed, build.processes._guard.pid, flush=True)\n"
        "    build.run('sleep 600')\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, root], stdout=subprocess.PIPE, text=True
    ) as runner:
        assert runner.stdout
        line = runner.stdout.readline() + runner.stdout.readline()
        processes = [psutil.Process(int(pid)) for pid in line.split()]
        runner.kill()
    gone, alive = psutil.wait_procs(processes, timeout=60)
    assert len(gone) == 2
    assert not alive


def test_what_is_left_when_the_guard_was_killed_ends_too(build: Bench) -> None:
    build.run(HIDE + "; (setsid sleep 600 & echo $!)")
    left = [psutil.Process(int(pid)) for pid in build.printed.split()]
    build.processes._guard.kill()
    build.processes._guard.wait()
    assert all(each.is_running() for each in left)
    build.processes.close()
    _, alive = psutil.wait_procs(left, timeout=60)
    assert not alive


def test_the_next_runner_ends_what_a_killed_one_and_its_killed_guard_left(root: Path) -> None:
    from labs_helpers.runner.__main__ import _end_builds_below

    folder = root / "builds" / "left"
    folder.mkdir(parents=True)
    folder.with_name("left.lock").touch()
    assert [*isolated.abandoned(root / "builds")] == [folder]
    made = Bench(root, folder)
    made.run("(env -i setsid sleep 600 & echo $!)")
    left = psutil.Process(int(made.printed))
    made.processes._guard.kill()
    made.processes._guard.wait()
    _end_builds_below(root / "builds")
    _, alive = psutil.wait_procs([left], timeout=60)
    assert not alive
    made.processes.close()


TRACING = """\
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long] * 4
for pid in sys.argv[1:]:
    for tid in os.listdir(f"/proc/{pid}/task"):
        attached = libc.ptrace(16, int(tid), 0, 0) == 0
        if attached:
            os.waitpid(int(tid), 0x40000000)
            libc.ptrace(17, int(tid), 0, 0)
        signalled = True
        try: os.kill(int(tid), 0)
        except PermissionError: signalled = False
        print("attached" if attached else "refused", "signals" if signalled else "kept")
"""
"""Attaches to each thread (PTRACE_ATTACH is 16), and lets go (17)."""


@needs_landlock
def test_a_command_traces_no_thread_of_the_runner_nor_of_the_guard(build: Bench) -> None:
    """A thread of the runner that was restricted as the commands are would be theirs to trace."""
    (build.folder / "trace.py").write_text(TRACING)
    build.run(f'"$PYTHON" trace.py {os.getpid()} {build.processes._guard.pid}')
    lines = build.printed.splitlines()
    assert len(lines) > 1
    assert {line.split()[0] for line in lines} == {"refused"}
    if landlock.version() >= 6:
        assert {line.split()[1] for line in lines} == {"kept"}


@needs_landlock
def test_a_command_traces_no_command_of_another_build(build: Bench, root: Path) -> None:
    (build.folder / "trace.py").write_text(TRACING)
    with scratch(root / "builds") as folder:
        other = Bench(root, folder)
        try:
            other.run("sleep 600 & echo $!")
            build.run(f'"$PYTHON" trace.py {int(other.printed)}')
        finally:
            other.processes.close()
    assert build.printed.split()[0] == "refused"
    if landlock.version() >= 6:
        assert build.printed.split()[1] == "kept"


@needs_landlock
def test_no_command_reads_the_runner_s_variables(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A runner of a hub has the token of its user."""
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "a-token-of-the-learner")
    with scratch(root / "builds") as folder:
        made = Bench(root, folder)
        made.run(
            "cat /proc/[0-9]*/environ /proc/[0-9]*/task/*/environ 2>/dev/null | tr '\\0' '\\n'"
        )
        made.processes.close()
    assert "PATH=" in made.printed
    assert "a-token-of-the-learner" not in made.printed


@needs_scopes
def test_a_command_that_ends_the_starter_ends_its_build(build: Bench) -> None:
    with contextlib.suppress(OSError):  # the starter may not have said that the command began
        assert build.run("kill -9 $PPID; sleep 600") == -signal.SIGKILL
    with pytest.raises(OSError, match=r"has ended the process|Broken pipe"):
        build.run("true")
    build.processes.close()
    assert build.processes._guard.returncode == 0


def test_a_build_that_silences_the_starter_can_be_stopped(build: Bench) -> None:
    """The starter hears of no command any more, and nobody says that one has ended."""
    os.mkfifo(build.folder / "silenced")
    stopper = threading.Thread(
        target=lambda: ((build.folder / "silenced").read_bytes(), build.processes.stop())
    )
    stopper.start()
    with pytest.raises(Stopped):
        build.run("kill -STOP $PPID; echo > silenced; sleep 600")
    stopper.join()
    build.processes.close()
    assert build.processes._guard.returncode == 0


def test_a_program_that_is_not_there_is_named(build: Bench) -> None:
    with pytest.raises(FileNotFoundError):
        build.processes.run(["/no/such/program"], {}, build.folder)
    assert build.run("exit 3") == 3
    assert build.run("kill -9 $$") == -9


@pytest.mark.parametrize(
    ("locks", "real_time", "changed"), [(7, 7, True), (7, -1, False), (-1, 7, False)]
)
def test_a_limit_that_somebody_else_has_set_is_no_changed_mark(
    locks: int, real_time: int, changed: bool
) -> None:
    """What has a changed mark is killed with a build whose guard was: nobody else's programs."""
    limits = f"for name, limit in ((10, {locks}), (15, {real_time})): "
    waits = (
        f"import resource\n{limits}resource.setrlimit(name, (limit, limit))\n"
        "print('set', flush=True)\ninput()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", waits], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "set\n"
        assert isolated.has_lowered_mark(process.pid) is changed
        process.communicate("\n")
