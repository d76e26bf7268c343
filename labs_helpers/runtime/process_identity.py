"""Which process a pid belonged to when it was written down: told apart without a clock.

A pid is given again after its process has ended. Linux counts the start of a process in ticks
since the boot, which no step of the clock changes (field 22 of /proc/<pid>/stat,
https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html); the boot has an id of its own.
Elsewhere psutil's `create_time`, seconds since 1970, has to do, and the lock of folder_lock.py
keeps a second server away when the clock has moved:
https://psutil.readthedocs.io/stable/api.html#psutil.Process.create_time
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_TOLERANCE = 2.0
"""Seconds by which a system may correct its time of boot, on which the times of starts rest."""


def noted(pid: int) -> dict[str, Any]:
    """What a record keeps of a running process; raises psutil.NoSuchProcess.

    ``pid``; ``process_started``, in seconds since 1970; on Linux ``process_ticks``, the boot's id
    and the ticks from the boot to the process's start.
    """
    note: dict[str, Any] = {"pid": pid, "process_started": psutil.Process(pid).create_time()}
    ticks = _ticks(pid)
    return {**note, "process_ticks": ticks} if ticks else note


def is_alive(note: Mapping[str, Any]) -> bool:
    """Whether the process that ``noted`` described still runs. A zombie does not run."""
    pid, started = note.get("pid"), note.get("process_started")
    if not isinstance(pid, int) or not isinstance(started, int | float):
        return False
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        ticks = note.get("process_ticks")
        if isinstance(ticks, str) and (found := _ticks(pid)):
            return found == ticks
        return bool(abs(process.create_time() - started) < _TOLERANCE)
    except (psutil.NoSuchProcess, psutil.AccessDenied, ValueError, OverflowError):
        # a process of another user is not ours, and some numbers are of no process
        return False


def _ticks(pid: int) -> str:
    """ "<boot id> <ticks>"; empty where the system does not tell."""
    try:
        boot = _BOOT.read_text(encoding="ascii").strip()
        # the name of the program, in brackets, may hold blanks and brackets
        after = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2]
        return f"{boot} {after.split()[19]}"
    except (OSError, IndexError):
        return ""
