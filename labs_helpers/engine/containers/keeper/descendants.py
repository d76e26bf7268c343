"""The processes below this one, read from /proc, and their end.

Where a command has no process namespace, nothing else finds what it left in the background: the
caller is its subreaper (PR_SET_CHILD_SUBREAPER), so that all of it stays below the caller.
Source: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
"""

from __future__ import annotations

import os
import select
import signal

_PAUSE = 0.002


def children(pid: int) -> list[int]:
    """The living children of a process."""
    return [child for child, parent in _parents().items() if parent == pid]


def descendants() -> list[int]:
    """Every living process below this one."""
    parents = _parents()
    known = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in known} - known:
        known |= more
    return sorted(known - {os.getpid()})


def kill_all(spare: int | None = None) -> None:
    """Kill every process below this one except ``spare``, until none is left."""
    while left := [pid for pid in descendants() if pid != spare]:
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        _reap(left)
        select.select([], [], [], _PAUSE)
    if spare is None:
        # or whoever adopts them would have them for ever
        _reap_all()


def _reap_all() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return  # none is left


def _reap(pids: list[int]) -> None:
    for pid in pids:
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            continue


def _parents() -> dict[int, int]:
    """Every living process -> its parent."""
    found = {}
    for name in os.listdir("/proc"):  # noqa: PTH208 - no pathlib: memory
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123
                state, parent = file.read().rpartition(b")")[2].split()[:2]
        except OSError:
            continue
        if state != b"Z":
            found[int(name)] = int(parent)
    return found
