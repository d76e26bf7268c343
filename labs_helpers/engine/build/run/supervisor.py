"""A program that runs one command, and leaves none of its processes behind.

Started as ``python -I -S supervisor.py``. Standard input is one line of JSON, ``{"command": [...],
"environment": {...}, "tracer": bool}``, and then stays open. When it closes, because the engine
stops the command or has ended itself, all processes are killed. The exit status is the command's,
or 137 after a kill.

As in a container, all processes end with the first. With a tracer (PRoot), the first process is
the tracer's first child, since the tracer itself waits for all others.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import sys

_PDEATHSIG, _SUBREAPER = 1, 36
"""PR_SET_PDEATHSIG and PR_SET_CHILD_SUBREAPER, prctl(2)."""

_NEW_MOUNTS, _BIND, _PRIVATE, _READ_ONLY = 0x20000, 0x1000, 0x44000, 0x1021
"""CLONE_NEWNS, MS_BIND, MS_REC|MS_PRIVATE and MS_BIND|MS_REMOUNT|MS_RDONLY."""

_BEFORE_FIRST_CHILD = 0.005
_UMASK = 0o022
_KILLED = 137


def main() -> int:
    """Run the command on standard input; return its exit status."""
    libc = ctypes.CDLL(None, use_errno=True)
    # orphans of the command become our children, and so can be found
    libc.prctl(_SUBREAPER, 1, 0, 0, 0)
    line = b""
    while not line.endswith(b"\n"):
        data = os.read(0, 65536)
        if not data:
            return _KILLED
        line += data
    request = json.loads(line)
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        try:
            libc.prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != parent:
                os._exit(_KILLED)
            _guard(libc)
            os.umask(_UMASK)
            null = os.open(os.devnull, os.O_RDONLY)
            os.dup2(null, 0)
            os.execve(request["command"][0], request["command"], request["environment"])
        finally:
            os._exit(127)
    return _watch(child, bool(request["tracer"]))


def _guard(libc: ctypes.CDLL) -> None:
    """Protect the machine's devices, and the files of /proc that change the machine, from root.

    Uses a mount namespace for the command; the list is Docker's. Where that is not permitted, as in
    an ordinary container, the container itself has these files read-only.
    """
    if os.geteuid() != 0 or libc.unshare(_NEW_MOUNTS) != 0:
        return
    libc.mount(b"none", b"/", None, _PRIVATE, None)
    for name in (b"null", b"zero", b"full", b"random", b"urandom", b"tty", b"ptmx"):
        # a mount point cannot be removed
        device = b"/dev/" + name
        libc.mount(device, device, None, _BIND, None)
    for name in (b"bus", b"fs", b"irq", b"sys", b"sysrq-trigger"):
        path = b"/proc/" + name
        libc.mount(path, path, None, _BIND, None)
        libc.mount(b"none", path, None, _READ_ONLY, None)


def _watch(child: int, tracer: bool) -> int:
    ended, first = os.pidfd_open(child), None
    while True:
        if tracer and first is None:
            found = _children(child)
            first = _open_pid(min(found)) if found else None
            if not found and len(_children(os.getpid())) > 1:
                # the first process has ended, and its children are ours now
                _kill_all(spare=child)
        waiting = [0, ended] + ([first] if first is not None else [])
        pause = _BEFORE_FIRST_CHILD if tracer and first is None else None
        ready = select.select(waiting, [], [], pause)[0]
        if ended in ready:
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            _kill_all(spare=None)
            return status if status >= 0 else 128 - status
        if 0 in ready and not os.read(0, 65536):
            _kill_all(spare=None)
            return _KILLED
        if first is not None and first in ready:
            os.close(first)
            # the tracer ends with the first process's status when nothing is left to trace
            _kill_all(spare=child)
            os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
            tracer, first = False, None


def _open_pid(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None


def _kill_all(spare: int | None) -> None:
    """Kill every descendant except ``spare``, until none is left."""
    while True:
        left = [pid for pid in _descendants() if pid != spare]
        if not left:
            return
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        for pid in left:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                continue
        select.select([], [], [], 0.002)


def _parents() -> dict[int, int]:
    """Every living process -> its parent."""
    found = {}
    for name in os.listdir("/proc"):  # noqa: PTH208 - no pathlib here, it takes time to import
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


def _children(pid: int) -> list[int]:
    return [child for child, parent in _parents().items() if parent == pid]


def _descendants() -> list[int]:
    parents = _parents()
    known = {os.getpid()}
    grown = True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in known} - known
        known |= more
        grown = bool(more)
    return sorted(known - {os.getpid()})


if __name__ == "__main__":
    sys.exit(main())
