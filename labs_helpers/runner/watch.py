"""Ends a build that takes more than its share of processes, memory or disk, or too long."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil

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


def _memory(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
