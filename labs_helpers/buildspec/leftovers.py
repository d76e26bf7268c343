"""What a build left running in sessions of its own: daemons, and programs that setsid started.

CodeBuild throws its machine away after a build, and with the machine every process. Here a process
belongs to a build when its environment names the build: each command gets CODEBUILD_BUILD_ID, whose
value no two builds share, and what a command starts inherits the variable. A program that was
started without the variable (`env -i`, `unset`) and in a session of its own is not found here: it
goes on after a `labs build`. A build of the sandbox's CodeBuild leaves nothing on Linux: all of it
stays below the build's guard (runner/guard.py).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence

import psutil

VARIABLE = "CODEBUILD_BUILD_ID"
_PASSES = 20
"""Searches for programs that were started while others were being ended."""

Keep = Callable[[Sequence[str]], bool]
"""Whether the process with this command line outlives the build, with all its children."""


def nothing(_: Sequence[str]) -> bool:
    """Keep no process."""
    return False


def end(build_id: str, keep: Keep = nothing) -> None:
    """Kill all processes of a build, but for those that ``keep`` names and their descendants.

    Processes of other users, whose environment cannot be read, are left alone.
    """
    for _ in range(_PASSES):
        found = _processes(build_id)
        kept = _kept(found, keep)
        ending = [process for process in found if process not in kept]
        if not ending:
            return
        for process in ending:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(ending, timeout=1)


def _processes(build_id: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(OSError, psutil.Error):
            ours = process.pid != os.getpid() and process.environ().get(VARIABLE) == build_id
            if ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def _kept(found: Sequence[psutil.Process], keep: Keep) -> set[psutil.Process]:
    kept: set[psutil.Process] = set()
    for process in found:
        with contextlib.suppress(psutil.Error):
            if keep(process.cmdline()):
                kept |= {process, *process.children(recursive=True)}
    return kept
