"""The commands of a build, with limits: nothing that a build does harms what is not the build's.

A command writes in the build's folder only, reads no file of the labs' own nor of the learner's
home, and signals no process but its own (landlock.py; where the kernel has no Landlock, the build's
log says so). A build that takes more than its share of processes, memory or disk is ended, with the
reason.
"""

from __future__ import annotations

import os
import queue
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil

from labs_helpers.buildspec.processes import Processes, Running
from labs_helpers.runner import landlock, sockets
from labs_helpers.runtime import isolated

_PREFIX = 'read -r _ || exit 126; umask 022; ulimit -c 0; ulimit -f 8388608; exec "$@" </dev/null'
"""Files that all may read, as on CodeBuild's machine, also in an image that the build makes; no
core files; no file longer than 4 GiB, in blocks of 512 bytes. A line of input says that the process
has its mark."""
_EVERY = 0.5
"""Seconds between two looks at what a build uses."""


@dataclass(frozen=True)
class Limits:
    """memory: bytes of all processes of a build; disk: bytes by which free space may shrink while
    the build runs; free: bytes that stay free on the disk."""

    processes: int = 512
    memory: int = 3 << 30
    disk: int = 6 << 30
    free: int = 200_000_000


@dataclass(frozen=True)
class Place:
    """folder: the build's own; secrets: the learner's folders; readable: what a build may read
    in these; sockets: those with a path that a build may connect to (sockets.py)."""

    folder: Path
    secrets: tuple[Path, ...]
    readable: tuple[Path, ...]
    sockets: tuple[Path, ...] = ()


_Asked = tuple[Callable[[], Running], "Future[Running]"]


class ContainedProcesses(Processes):
    """`Processes` whose commands a restricted thread starts."""

    def __init__(self, output: Callable[[bytes], None], place: Place) -> None:
        super().__init__(output)
        self.session = 0
        self._place = place
        self._asked: queue.SimpleQueue[_Asked | None] = queue.SimpleQueue()
        threading.Thread(target=self._serve, name="starts commands", daemon=True).start()

    def close(self) -> None:
        super().close()
        self._asked.put(None)

    def members(self) -> list[int]:
        """The processes of the running command."""
        return _members(self.session) if self.session else []

    def kill(self) -> None:
        """End the running command's processes at once, without a grace."""
        if self.session:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.session, signal.SIGKILL)

    def _start(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        stdin: int = subprocess.DEVNULL,
    ) -> Running:
        def start() -> Running:
            limited = ("/bin/sh", "-c", _PREFIX, "sh", *argv)
            begin = super(ContainedProcesses, self)._start
            ready, go = os.pipe()
            try:
                process = begin(limited, environment, folder, ready)
                isolated.mark(process.pid, isolated.limits_of(self._place.folder))
                os.write(go, b"\n")
            finally:
                os.close(ready)
                os.close(go)
            return process

        made: Future[Running] = Future()
        self._asked.put((start, made))
        process = made.result()
        self.session = process.pid
        return process

    def _serve(self) -> None:
        failure: OSError | None = None
        if landlock.version():
            try:
                place = self._place
                sockets.hide(place.sockets)
                landlock.restrict([place.folder], place.secrets, place.readable, place.sockets)
                landlock.give_up_capability(isolated.RAISES_LIMITS)
            except OSError as error:
                failure = error
        while asked := self._asked.get():
            start, made = asked
            try:
                if failure is not None:
                    raise failure
                made.set_result(start())
            except (OSError, ValueError, subprocess.SubprocessError) as error:
                made.set_exception(error)


class Watched(Protocol):
    """The commands of a build: which processes they are, and their end."""

    def members(self) -> list[int]: ...

    def kill(self) -> None: ...


class Watch:
    """Looks at what a build uses, until `close`."""

    def __init__(
        self,
        processes: Callable[[], Watched | None],
        folder: Path,
        limits: Limits,
        give_up: Callable[[str], None],
        until: float,
        time_out: Callable[[], None],
    ) -> None:
        """until: the time.monotonic() at which the build's time is over."""
        self._processes = processes
        self._folder = folder
        self._limits = limits
        self._give_up = give_up
        self._until = until
        self._time_out = time_out
        self._free = shutil.disk_usage(folder).free
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watches a build", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.wait(_EVERY):
            if time.monotonic() > self._until:
                self._time_out()
                return
            if why := self._excess():
                self._give_up(why)
                if processes := self._processes():
                    processes.kill()
                return

    def _excess(self) -> str:
        """What the build has too much of; empty for nothing."""
        limits = self._limits
        free = shutil.disk_usage(self._folder).free
        if free < limits.free or self._free - free > limits.disk:
            return f"The build filled the disk: {free >> 20} MiB are free. The build was ended."
        processes = self._processes()
        members = processes.members() if processes else []
        if len(members) > limits.processes:
            return f"The build had more than {limits.processes} processes. The build was ended."
        used = sum(map(_memory, members))
        if used > limits.memory:
            return f"The build used more than {limits.memory >> 20} MiB of memory, and was ended."
        return ""


def _members(session: int) -> list[int]:
    found = []
    for pid in psutil.pids():
        with suppress(OSError):
            if os.getsid(pid) == session:
                found.append(pid)
    return found


def _memory(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
