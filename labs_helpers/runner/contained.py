"""The commands of a build, with limits: nothing that a build does harms what is not the build's.

A command writes in the build's folder only, reads no file of the labs' own nor of the learner's
home, and signals no process but its own (landlock.py; where the kernel has no Landlock, the build's
log says so). guard.py starts the commands, and ends all that they leave.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from labs_helpers.buildspec.processes import NoFolder, Processes, Running, Stopped
from labs_helpers.runtime import isolated

_KEPT = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "MALLOC_ARENA_MAX")
"""The variables of the guard. A build may read them, and others of the runner hold tokens."""
_GRACE = 5.0
"""Seconds that a stopped command has to end by itself, and that the guard has to end the rest."""
_LONGEST = 1 << 16
"""Bytes of an answer."""


@dataclass(frozen=True)
class Place:
    """folder: the build's own; secrets: the learner's folders; readable: what a build may read
    in these; sockets: those with a path that a build may connect to (sockets.py)."""

    folder: Path
    secrets: tuple[Path, ...]
    readable: tuple[Path, ...]
    sockets: tuple[Path, ...] = ()


class ContainedProcesses(Processes):
    """`Processes` that a guard of their own starts, on Linux."""

    def __init__(self, output: Callable[[bytes], None], place: Place) -> None:
        super().__init__(output)
        self._place = place
        self._control, theirs = socket.socketpair()
        with theirs:
            self._guard = subprocess.Popen(
                [sys.executable, "-P", "-m", "labs_helpers.runner.guard"],
                stdin=theirs.fileno(),
                stdout=self._write,
                stderr=self._write,
                env={name: os.environ[name] for name in _KEPT if name in os.environ},
                start_new_session=True,
            )
        self._starting = False
        self._answers = self._control.makefile("rb")
        # the guard does nothing before it has its mark, and hands the mark on to all below
        isolated.mark(self._guard.pid, isolated.limits_of(place.folder))
        self._failure: OSError | None = None
        try:
            self._ask(
                {
                    "folder": str(place.folder),
                    "secrets": [*map(str, place.secrets)],
                    "readable": [*map(str, place.readable)],
                    "sockets": [*map(str, place.sockets)],
                }
            )
        except OSError as error:
            self._failure = error

    def stop(self) -> None:
        super().stop()
        if self._starting:  # a build may have stopped whoever would answer
            self.kill()

    def members(self) -> list[int]:
        """The processes of the build."""
        with contextlib.suppress(psutil.Error):
            below = psutil.Process(self._guard.pid).children(recursive=True)
            return [each.pid for each in below if each.pid != self._guard.pid]
        return []

    def kill(self) -> None:
        """End all processes of the build at once, without a grace; no further command starts."""
        with contextlib.suppress(OSError):
            # the guard sees that the runner has gone
            self._control.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.kill()
        try:
            self._guard.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()
        if self._guard.returncode != 0:
            isolated.end(isolated.number_of(self._place.folder))
        self._answers.close()
        self._control.close()
        super().close()

    def _start(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
    ) -> Running:
        if self._failure is not None:
            raise self._failure
        if not folder.is_dir():
            raise NoFolder(str(folder))
        self._starting = True
        try:
            if self._stop.is_set():
                raise Stopped
            self._ask({"argv": [*argv], "environment": {**environment}, "folder": str(folder)})
        except OSError:
            if self._stop.is_set():
                raise Stopped from None
            raise
        finally:
            self._starting = False
        return _Command(self)

    def _end(self, process: Running) -> None:
        with contextlib.suppress(OSError):
            self._send({"terminate": True})
        until = time.monotonic() + _GRACE
        while process.poll() is None and time.monotonic() < until:
            self._drain()
            time.sleep(0.02)
        self.kill()
        self._waiter.join()

    def _note_left(self, group: int) -> None:
        """What a command left ends with the guard."""

    def _ask(self, document: Mapping[str, Any]) -> None:
        """Raises OSError: what the starter says, or that it has ended."""
        self._send(document)
        answer = self.answer()
        if answer is None:
            raise OSError("the build has ended the process that starts its commands")
        if error := answer.get("error"):
            raise OSError(*error)

    def _send(self, document: Mapping[str, Any]) -> None:
        self._control.sendall(json.dumps(document).encode() + b"\n")

    def answer(self) -> dict[str, Any] | None:
        """What the starter says next, which the build may have said; None after its end."""
        try:
            answer = json.loads(self._answers.readline(_LONGEST))
        except (OSError, ValueError):
            return None
        return answer if isinstance(answer, dict) else None


class _Command:
    """A command that runs. Its number is the starter's to know, and nobody's here to signal."""

    pid = 0

    def __init__(self, processes: ContainedProcesses) -> None:
        self.returncode: int | None = None
        self._processes = processes

    def poll(self) -> int | None:
        return self.returncode

    def wait(self) -> int:
        if self.returncode is None:
            answer = self._processes.answer() or {}
            ended = answer.get("ended")
            self.returncode = ended if isinstance(ended, int) else -signal.SIGKILL
        return self.returncode
