"""The commands of a build, run in the container of the build's environment.

A FIFO in the build's folder takes their output: so what a program in the background prints later
appears in the log as well. The container's first process, not the runner, is their parent.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import psutil

from labs_helpers.buildspec.processes import NoFolder, Processes, Running
from labs_helpers.runner.build_container import MOST_SAID, BuildContainer, Exec
from labs_helpers.runner.engine_client import EngineRefused
from labs_helpers.runtime import isolated

_OUTPUT = "output"
_BEGIN = """\
umask 022
ulimit -c 0
cd -- "$1" 2>/dev/null || { echo folder; exit 1; }
output=$2
shift 2
command -v "$1" >/dev/null 2>&1 || { echo program; exit 1; }
echo $$
exec "$@" </dev/null >"$output" 2>&1
"""
"""What each command begins with: it says the number of its process, or what is missing."""
_END = 'kill -TERM "-$0" 2>/dev/null || kill -TERM "$0"'
_GRACE = 5.0
"""Seconds that a stopped command has to end by itself."""
_ENGINE_ENDED = 137
"""The exit status of a command whose engine or container has ended: that of a killed program."""


class ContainerProcesses(Processes):
    """`Processes` that run in a container."""

    def __init__(
        self, output: Callable[[bytes], None], container: BuildContainer, folder: Path
    ) -> None:
        """folder: the build's own, which is mounted in the container at the same path."""
        self._container = container
        self._place = folder / _OUTPUT
        self._number = isolated.number_of(folder)
        super().__init__(output)

    def _open_output(self) -> tuple[int, int]:
        os.mkfifo(self._place, 0o600)
        read = os.open(self._place, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        # held open, so that the end of a command is no end of the output
        return read, os.open(self._place, os.O_WRONLY | os.O_CLOEXEC)

    def find(self, program: str, path: str | None) -> str | None:
        """Where a program is in the container."""
        variables = self._container.image.environment if path is None else {"PATH": path}
        script = 'command -v "$0"'
        code, said = self._container.call(["/bin/sh", "-c", script, program], variables)
        return said.strip() if code == 0 else None

    def members(self) -> list[int]:
        """The processes of the build, by their mark; none in front of a real daemon."""
        return [pid for pid in psutil.pids() if isolated.build_of(pid) == self._number]

    def kill(self) -> None:
        """End all programs of the build at once, without a grace."""
        self._container.kill()

    def close(self) -> None:
        """End all programs of the build, and hand on their last output."""
        self._container.end()
        super().close()

    def run(self, argv: Sequence[str], environment: Mapping[str, str], folder: Path) -> int:
        try:
            return super().run(argv, environment, folder)
        except EngineRefused as error:
            raise OSError(str(error)) from error

    def _start(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
    ) -> Running:
        words = ["/bin/sh", "-c", _BEGIN, "sh", str(folder), str(self._place), *argv]
        program = self._container.exec(words, environment)
        output = program.output()
        said = ""
        with self._container.patience():
            for part in output:
                said += part.decode(errors="replace")
                if "\n" in said or len(said) > MOST_SAID:
                    break
        said = said[:MOST_SAID].strip()
        if said == "folder":
            raise NoFolder(str(folder))
        if said == "program":
            raise FileNotFoundError(argv[0])
        if not said.isdecimal():
            raise OSError(said[:200] or "the container of the build has ended")
        return _Program(program, output, int(said))

    def _end(self, process: Running) -> None:
        with contextlib.suppress(EngineRefused):  # the container has ended
            self._container.call(["/bin/sh", "-c", _END, str(process.pid)], {})
        until = time.monotonic() + _GRACE
        while process.poll() is None and time.monotonic() < until:
            self._drain()
            time.sleep(0.02)
        self._container.kill()
        self._waiter.join()

    def _note_left(self, group: int) -> None:
        """What a command left ends with the container."""


class _Program:
    """A command that runs; pid: in the container."""

    def __init__(self, program: Exec, output: Iterator[bytes], pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._program = program
        self._output = output

    def poll(self) -> int | None:
        return self.returncode

    def wait(self) -> int:
        if self.returncode is None:
            try:
                for _ in self._output:  # what the program wrote there before it began
                    pass
                self.returncode = self._program.wait()
            except EngineRefused:
                self.returncode = _ENGINE_ENDED
        return self.returncode
