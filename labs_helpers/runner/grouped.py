"""The commands of a build on a system whose kernel confines nobody: macOS.

What a command leaves ends with its session, or by its variables (buildspec/leftovers.py). A program
that has left both goes on after the build: the system has no subreaper, and no mark that lasts.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from labs_helpers.buildspec.processes import Processes, Running

_PREFIX = 'umask 022; ulimit -c 0; ulimit -f 8388608; exec "$@"'
"""As guard.py: the length of a file is in blocks of 512 bytes."""


class GroupedProcesses(Processes):
    """`Processes` that a `Watch` can look at."""

    session = 0

    def members(self) -> list[int]:
        """The processes of the running command."""
        found = []
        for pid in psutil.pids() if self.session else ():
            with suppress(OSError):
                if os.getsid(pid) == self.session:
                    found.append(pid)
        return found

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
    ) -> Running:
        limited = ("/bin/sh", "-c", _PREFIX, "sh", *argv)
        process = super()._start(limited, environment, folder)
        self.session = process.pid
        return process
