"""Background processes: starting one, finding it again, and stopping it.

The sandbox and the engine are such processes. A lock file makes two starts at once give one
process. The record of a process has its pid and its start time; when the system has given the pid
to another process, the start times differ.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from labs_helpers.workspace import LabsError, cannot_write, read_json, write_json

if sys.platform == "win32":
    raise ImportError("The labs run on Linux and macOS. On Windows, use them inside WSL 2.")

import fcntl

START_SECONDS = 90.0
"""How long a process may take until it answers, on a slow disk and a busy machine too."""
ANSWER_SECONDS = 10.0
"""How long a running process may take to answer before it counts as hung."""
STOP_SECONDS = 10.0
"""How long a process may take to end after SIGTERM, before SIGKILL."""
LOG_KEPT = 1_000_000
"""Bytes of log above which a start renames the old log to ``<name>.1``."""
_ASIDE = "SetAside: "
"""What Python writes into the log before the text of a SetAside warning."""

Say = Callable[[str], None]
"""Takes one line of progress for the learner."""


class ProcessError(LabsError):
    """A background process did not start or did not stop."""


@dataclass(frozen=True)
class BackgroundProcess:
    """What to run, and how to know that it runs.

    ``record`` is the JSON file in which a start writes pid and start time. ``ready`` asks the
    process about itself and returns facts, which go into the record too, or None while the process
    does not reply.
    """

    name: str
    command: Sequence[str]
    record: Path
    log: Path
    ready: Callable[[], Mapping[str, Any] | None]
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))


@dataclass(frozen=True)
class Running:
    """A running process: its pid, start time (seconds since 1970) and recorded facts."""

    pid: int
    started: float
    facts: Mapping[str, Any]

    @property
    def memory(self) -> int:
        """Resident bytes; 0 when the process has ended."""
        try:
            return int(psutil.Process(self.pid).memory_info().rss)
        except psutil.NoSuchProcess:
            return 0


# The processes that this process has started and has to reap: the pid of a zombie stays in use.
_children: dict[int, subprocess.Popen[bytes]] = {}


def running(record: Path) -> Running | None:
    """The running process of a record, or None when that process has ended."""
    noted = read_json(record)
    pid, started = noted.get("pid"), noted.get("process_started")
    if not isinstance(pid, int) or not isinstance(started, int | float):
        return None
    return Running(pid, float(started), noted) if _lives(pid, float(started)) else None


def _lives(pid: int, started: float) -> bool:
    if child := _children.get(pid):
        child.poll()
    try:
        process = psutil.Process(pid)
        # the system may correct its boot time, from which it computes start times
        same = abs(process.create_time() - started) < 2
        return same and bool(process.status() != psutil.STATUS_ZOMBIE)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        # a process of another user is not ours
        return False


@contextlib.contextmanager
def only_one(lock: Path, say: Say) -> Iterator[None]:
    """Hold a lock file during the block. While another process holds the lock, say so and wait.

    The kernel frees the lock of a process that ends in any way.
    """
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise cannot_write(lock, error) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another start or stop is under way; waiting for it ...")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def start(process: BackgroundProcess, say: Say) -> Running:
    """The running process: one that runs already, or a new one that has answered.

    SetAside warnings in the log of a new process are passed to ``say``. Call this with
    ``only_one`` held. Raises ProcessError, with the end of the log, when a new process ends or
    does not answer.
    """
    if there := running(process.record):
        if _answer(process, there.pid, there.started, ANSWER_SECONDS) is not None:
            return there
        say(f"The {process.name} (process {there.pid}) does not answer; starting it again.")
        stop(process.record, process.name)
    child, logged = _spawn(process)
    started = _created(child.pid)
    note = {"pid": child.pid, "process_started": started}
    try:
        # written before the process answers: after an interruption, the next start finds it
        write_json(process.record, note)
        found = _until_ready(process, child, started, note)
        _say_what_was_set_aside(process.log, logged, say)
        return found
    except LabsError:
        # without a record, no later start would find the process
        child.kill()
        child.wait()
        raise


def _until_ready(
    process: BackgroundProcess, child: subprocess.Popen[bytes], started: float, note: dict[str, Any]
) -> Running:
    facts = _answer(process, child.pid, started, START_SECONDS)
    if facts is None:
        code = child.poll()
        what = f"ended with code {code}" if code is not None else "does not answer"
        if code is None:
            stop(process.record, process.name)
        process.record.unlink(missing_ok=True)
        raise ProcessError(
            f"The {process.name} did not start: it {what}. The end of {process.log}:\n"
            + _tail(process.log)
        )
    write_json(process.record, {**facts, **note})
    return Running(child.pid, started, {**facts, **note})


def stop(record: Path, name: str, seconds: float = STOP_SECONDS) -> bool:
    """End a process with SIGTERM, and with SIGKILL after ``seconds``. False when none ran.

    Call this with ``only_one`` held. Raises ProcessError when the process does not end.
    """
    there = running(record)
    if there is not None:
        try:
            process = psutil.Process(there.pid)
            process.terminate()
            if not _ended(there, seconds):
                process.kill()
                if not _ended(there, seconds):
                    raise ProcessError(f"The {name} (process {there.pid}) does not end.")
        except psutil.NoSuchProcess:
            there = None
        except psutil.AccessDenied as error:
            raise ProcessError(
                f"The {name} (process {error.pid}) belongs to another user; it was left running."
            ) from error
    record.unlink(missing_ok=True)
    return there is not None


def _ended(there: Running, seconds: float) -> bool:
    """Wait until a process has ended. A zombie counts as ended: its parent may reap it later."""
    deadline = time.monotonic() + seconds
    pause = 0.01
    while _lives(there.pid, there.started):
        if time.monotonic() > deadline:
            return False
        _pause(there.pid, pause)
        pause = min(pause * 1.5, 0.2)
    return True


def _say_what_was_set_aside(log: Path, begin: int, say: Say) -> None:
    with log.open("rb") as file:
        file.seek(begin)
        for line in file.read().decode(errors="replace").splitlines():
            _, marked, text = line.partition(_ASIDE)
            if marked:
                say(text)


def _spawn(process: BackgroundProcess) -> tuple[subprocess.Popen[bytes], int]:
    """Start the process. Returns it, and the offset in the log at which its lines begin."""
    try:
        if process.log.exists() and process.log.stat().st_size > LOG_KEPT:
            process.log.replace(process.log.with_name(process.log.name + ".1"))
        with process.log.open("ab") as log:
            process.log.chmod(0o600)
            begin = log.tell()
            child = subprocess.Popen(
                process.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(process.environ),
                cwd=process.record.parent,
                # in a session of its own, Ctrl-C in the learner's terminal does not reach it
                start_new_session=True,
            )
    except OSError as error:
        raise cannot_write(process.log, error) from error
    _children[child.pid] = child
    return child, begin


def _created(pid: int) -> float:
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return time.time()


def _answer(
    process: BackgroundProcess, pid: int, started: float, seconds: float
) -> Mapping[str, Any] | None:
    """The facts from ``ready``; None when the process ends or ``seconds`` have passed."""
    deadline = time.monotonic() + seconds
    pause = 0.01
    while _lives(pid, started):
        facts = process.ready()
        if facts is not None:
            # a process that found its port taken has ended, and another one answered there
            return facts if _lives(pid, started) else None
        if time.monotonic() > deadline:
            return None
        _pause(pid, pause)
        pause = min(pause * 1.5, 0.2)
    return None


def _pause(pid: int, seconds: float) -> None:
    """Wait for ``seconds``, or until the process ends."""
    ended = (psutil.TimeoutExpired, psutil.NoSuchProcess, subprocess.TimeoutExpired)
    with contextlib.suppress(*ended):
        if child := _children.get(pid):
            child.wait(seconds)
        else:
            psutil.Process(pid).wait(seconds)


def _tail(log: Path, lines: int = 12) -> str:
    text = log.read_text(errors="replace") if log.exists() else ""
    return "\n".join("  " + line for line in text.splitlines()[-lines:]) or "  (it is empty)"
