"""Background processes: starting one, finding it again, and stopping it.

The sandbox and the engine are such processes. A lock file makes two starts at once give one
process. The record of a process has its pid, and what tells the process apart from a later one that
the system gave the same pid (process_identity.py).
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

from labs_helpers.files import LabsError, cannot_write, read_json, write_json
from labs_helpers.runtime import process_identity

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
"""Bytes of log above which a start renames the old log to ``<name>.1``. See rotated_log.py."""
_ASIDE = "SetAside: "
"""What Python writes into the log before the text of a SetAside warning."""

FRUGAL = {"MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": "131072"}
"""One arena of memory for all threads, and free memory goes back to the system.

glibc keeps an arena for each thread, and in each what was needed once; Python's threads take turns,
and need one arena only. Measured after 1,200 requests: 184 MB instead of 228 MB.
https://sourceware.org/glibc/manual/latest/html_node/Memory-Allocation-Tunables.html
"""


def without_credentials(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process that has none of the learner's credentials; with FRUGAL."""
    ours = {name: value for name, value in environ.items() if not name.startswith("AWS_")}
    return {**FRUGAL, **ours}


Say = Callable[[str], None]
"""Takes one line of progress for the learner."""


class ProcessError(LabsError):
    """A background process did not start or did not stop."""


@dataclass(frozen=True)
class BackgroundProcess:
    """What to run, and how to know that it runs.

    ``record`` is the JSON file in which a start writes what process_identity.py notes. ``ready``
    asks the process about itself and returns facts, which go into the record too, or None while the
    process does not reply.
    """

    name: str
    command: Sequence[str]
    record: Path
    log: Path
    ready: Callable[[], Mapping[str, Any] | None]
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))


@dataclass(frozen=True)
class Running:
    """A running process: its pid and recorded facts."""

    pid: int
    facts: Mapping[str, Any]

    @property
    def started(self) -> float:
        """When it started, in seconds since 1970 by the clock of now."""
        try:
            return float(psutil.Process(self.pid).create_time())
        except psutil.NoSuchProcess:
            return float(self.facts["process_started"])

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
    note = read_json(record)
    return Running(note["pid"], note) if _lives(note) else None


def _lives(note: Mapping[str, Any]) -> bool:
    pid = note.get("pid")
    if isinstance(pid, int) and (child := _children.get(pid)):
        child.poll()
    return process_identity.is_alive(note)


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
        if _answer(process, there.facts, ANSWER_SECONDS) is not None:
            return there
        say(f"The {process.name} (process {there.pid}) does not answer; starting it again.")
        stop(process.record, process.name)
    child, logged = _spawn(process)
    note = _noted(child.pid)
    try:
        # written before the process answers: after an interruption, the next start finds it
        write_json(process.record, note)
        found = _until_ready(process, child, note)
        _say_what_was_set_aside(process.log, logged, say)
        return found
    except LabsError:
        # without a record, no later start would find the process
        child.kill()
        child.wait()
        raise


def _until_ready(
    process: BackgroundProcess, child: subprocess.Popen[bytes], note: dict[str, Any]
) -> Running:
    facts = _answer(process, note, START_SECONDS)
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
    return Running(child.pid, {**facts, **note})


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
    while _lives(there.facts):
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


def _noted(pid: int) -> dict[str, Any]:
    try:
        return process_identity.noted(pid)
    except psutil.NoSuchProcess:  # it has ended at once
        return {"pid": pid, "process_started": time.time()}


def _answer(
    process: BackgroundProcess, note: Mapping[str, Any], seconds: float
) -> Mapping[str, Any] | None:
    """The facts from ``ready``; None when the process ends or ``seconds`` have passed."""
    deadline = time.monotonic() + seconds
    pause = 0.01
    while _lives(note):
        facts = process.ready()
        if facts is not None:
            # a process that found its port taken has ended, and another one answered there
            return facts if _lives(note) else None
        if time.monotonic() > deadline:
            return None
        _pause(note["pid"], pause)
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
