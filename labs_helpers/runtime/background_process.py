"""A background process that is started once, found again, and stopped.

Used for the sandbox and the engine. Two starts at once give one process (a lock file); a pid is
believed only with the start time it was recorded with, so a stale or reused one is recognised.
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
"""How long a process may take until it answers: a cold disk and a busy machine included."""
ANSWER_SECONDS = 10.0
"""How long a running process may take to answer before it counts as hung."""
STOP_SECONDS = 10.0
"""How long after SIGTERM until SIGKILL."""
LOG_KEPT = 1_000_000
"""Bytes of log above which a start puts the old log aside as ``<name>.1``."""
_ASIDE = "SetAside: "
"""What stands before a SetAside warning's text, however Python writes warnings down."""

Say = Callable[[str], None]
"""Takes one line of progress for the learner."""


class ProcessError(LabsError):
    """A background process did not start or did not stop; the message has the end of its log."""


@dataclass(frozen=True)
class BackgroundProcess:
    """What to run and how to know that it is there.

    ``record`` is the JSON file in which a start notes pid and start time; ``ready`` asks the
    process for what it is (facts to note beside them) and answers None while it does not reply.
    """

    name: str
    command: Sequence[str]
    record: Path
    log: Path
    ready: Callable[[], Mapping[str, Any] | None]
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))


@dataclass(frozen=True)
class Running:
    """A live process: its pid, start time (seconds since 1970) and recorded facts."""

    pid: int
    started: float
    facts: Mapping[str, Any]

    @property
    def memory(self) -> int:
        """Resident bytes; 0 once it has gone."""
        try:
            return int(psutil.Process(self.pid).memory_info().rss)
        except psutil.NoSuchProcess:
            return 0


# Processes started from here. Whoever starts one must also reap it: as a zombie its pid lives on.
_children: dict[int, subprocess.Popen[bytes]] = {}


def running(record: Path) -> Running | None:
    """The live process that a record names, or None when there is none any more."""
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
        # the clock of the boot time may be adjusted by a fraction while a process runs
        same = abs(process.create_time() - started) < 2
        return same and bool(process.status() != psutil.STATUS_ZOMBIE)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        # another user's process cannot be ours
        return False


@contextlib.contextmanager
def only_one(lock: Path, say: Say) -> Iterator[None]:
    """Hold a lock file; wait, saying so, while another process holds it.

    The kernel frees the lock when its holder ends, however it ends.
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
    """The running process: the one already there, or a new one that has answered.

    What a new one had to set aside of its state, by its log, is said. Call with ``only_one``
    held. Raises ProcessError when it ends or stays silent.
    """
    if there := running(process.record):
        if _answer(process, there.pid, there.started, ANSWER_SECONDS) is not None:
            return there
        say(f"The {process.name} (process {there.pid}) does not answer; starting it anew.")
        stop(process.record, process.name)
    child, logged = _spawn(process)
    started = _created(child.pid)
    note = {"pid": child.pid, "process_started": started}
    try:
        # before it is ready: should this start be interrupted, the next finds the process
        write_json(process.record, note)
        found = _until_ready(process, child, started, note)
        _say_what_was_set_aside(process.log, logged, say)
        return found
    except LabsError:
        # without a record, nothing would find it again
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
    """End a process: SIGTERM, and SIGKILL when that is not heeded. False if there was none.

    Call with ``only_one`` held.
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
    """Wait for an end. A zombie has ended: its parent may be a notebook that reaps it later."""
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
    """The new process, and where in its log it begins to write."""
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
                # its own session: Ctrl-C in the learner's terminal is not for it
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
    """What the process says of itself; None when it ends, or ``seconds`` pass."""
    deadline = time.monotonic() + seconds
    pause = 0.01
    while _lives(pid, started):
        facts = process.ready()
        if facts is not None:
            # whoever answered must be this process: one that found its port taken has ended
            return facts if _lives(pid, started) else None
        if time.monotonic() > deadline:
            return None
        _pause(pid, pause)
        pause = min(pause * 1.5, 0.2)
    return None


def _pause(pid: int, seconds: float) -> None:
    """Wait a moment, or until the process ends."""
    ended = (psutil.TimeoutExpired, psutil.NoSuchProcess, subprocess.TimeoutExpired)
    with contextlib.suppress(*ended):
        if child := _children.get(pid):
            child.wait(seconds)
        else:
            psutil.Process(pid).wait(seconds)


def _tail(log: Path, lines: int = 12) -> str:
    text = log.read_text(errors="replace") if log.exists() else ""
    return "\n".join("  " + line for line in text.splitlines()[-lines:]) or "  (it is empty)"
