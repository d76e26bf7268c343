"""The programs of a build: their output as it comes, and their end.

One pipe takes the output of the whole build. A command has ended when its shell has ended. A
program in the background goes on, and what the program prints appears in the log later:
https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-background-tasks.html

CodeBuild throws its machine away after a build. Here `close` ends what is left in the commands'
process groups; leftovers.py ends what left those groups, and guard.py of the runner.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import psutil

_GRACE = 5.0
"""Seconds that a stopped command has to end by itself."""
_CHUNK = 1 << 16


class Stopped(Exception):
    """The build was asked to stop while a command ran."""


class NoFolder(Exception):
    """The folder in which a command was to run is not there."""


class Running(Protocol):
    """A program that was started, as subprocess.Popen has one."""

    returncode: int | None

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...

    def wait(self) -> int: ...


class Processes:
    """Runs commands one after the other. ``output`` is called with what they print."""

    def __init__(self, output: Callable[[bytes], None]) -> None:
        self._output = output
        self._read, self._write = self._open_output()
        os.set_blocking(self._read, False)
        self._waker_read, self._waker_write = os.pipe()
        self._stop = threading.Event()
        self._left: dict[int, list[psutil.Process]] = {}
        self._waiter = threading.Thread()
        self._lock = threading.RLock()  # a signal's handler may come in between
        self._closed = False

    def _open_output(self) -> tuple[int, int]:
        """Where the output of all commands is read, and where they write."""
        return os.pipe()

    def find(self, program: str, path: str | None) -> str | None:
        """Where a program is, by the folders of a PATH; None for a program that is not there."""
        return shutil.which(program, path=path)

    def stop(self) -> None:
        """End the running command: `run` raises Stopped. For any thread and for signal handlers."""
        self._stop.set()
        with self._lock:
            if not self._closed:
                os.write(self._waker_write, b"s")

    def run(self, argv: Sequence[str], environment: Mapping[str, str], folder: Path) -> int:
        """The exit status; a negative number names the signal that ended the shell.

        Raises Stopped, NoFolder, and OSError where the shell cannot start. The command reads an
        empty input.
        """
        if self._stop.is_set():
            raise Stopped
        try:
            process = self._start(argv, environment, folder)
        except FileNotFoundError as error:
            if not folder.is_dir():
                raise NoFolder(str(folder)) from error
            raise
        try:
            self._follow(process)
        except BaseException:  # KeyboardInterrupt, too, and a log that cannot be written
            self._end(process)
            raise
        self._note_left(process.pid)
        return process.wait()

    def _start(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
    ) -> Running:
        """Start a command in a session of its own."""
        return subprocess.Popen(
            argv,
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=self._write,
            stderr=self._write,
            start_new_session=True,
        )

    def close(self) -> None:
        """End what the commands left running, and hand on its last output."""
        for group, members in self._left.items():
            if any(each.is_running() for each in members):
                _signal(group, signal.SIGKILL)
        self._drain()
        with self._lock:
            self._closed = True
            for each in (self._read, self._write, self._waker_read, self._waker_write):
                os.close(each)

    def _follow(self, process: Running) -> None:
        """Hand on the output until the shell has ended."""

        def wait() -> None:
            process.wait()
            os.write(self._waker_write, b"e")

        self._waiter = threading.Thread(target=wait, daemon=True)
        self._waiter.start()
        while True:
            ready, _, _ = select.select([self._read, self._waker_read], [], [])
            if self._read in ready:
                self._drain()
            if self._waker_read in ready:
                if os.read(self._waker_read, 1) == b"s":
                    raise Stopped
                break
        self._waiter.join()
        self._drain()

    def _drain(self) -> None:
        """Hand on what has been printed so far, without waiting for more."""
        for _ in range(1024):  # a program in the background may print without an end
            try:
                data = os.read(self._read, _CHUNK)
            except BlockingIOError:
                return
            self._output(data)

    def _end(self, process: Running) -> None:
        _signal(process.pid, signal.SIGTERM)
        until = time.monotonic() + _GRACE
        while process.poll() is None and time.monotonic() < until:
            select.select([self._read], [], [], 0.02)
            with contextlib.suppress(BlockingIOError):
                os.read(self._read, _CHUNK)
        _signal(process.pid, signal.SIGKILL)
        process.wait()
        self._waiter.join()

    def _note_left(self, group: int) -> None:
        """Remember who is left of a command's group, so that `close` ends them and nobody else."""
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        except PermissionError:  # a member runs as another user
            pass
        members = []
        for each in psutil.process_iter():
            with contextlib.suppress(OSError, psutil.Error):
                if os.getpgid(each.pid) == group:
                    members.append(each)
        self._left[group] = members


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
