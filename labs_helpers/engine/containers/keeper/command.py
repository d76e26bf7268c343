"""A program that runs one command of a build, and leaves none of its processes behind.

Standard input is one line of JSON, and then stays open. When it closes, because the engine stops
the command or has ended itself, all processes are killed. The exit status is the command's, 137
after a kill, or 126 or 127, with runc's words on standard error, when the command cannot start.

The line has ``spec`` where the machine gives namespaces (isolation.py): the command is the first
process in them, as in a container, and its end is the end of all others. Else it has ``command``
(words), ``environment`` and ``tracer``: whether the command is one that PRoot traces. The first
process is the tracer's first child then, since the tracer itself waits for all others.
"""

from __future__ import annotations

import json
import os
import select
import signal
import stat
import sys

from . import cgroup, descendants, isolation, scopes, seccomp, syscalls
from .words import CannotStart

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing typing takes a megabyte
    from typing import Any

_PLACE = "/tmp"
_BEFORE_FIRST_CHILD = 0.005
_UMASK = 0o022
_KILLED = 137
_MESSAGE = 65536


def main() -> int:
    """Run the command on standard input; return its exit status."""
    # orphans of the command become our children, and so can be found
    syscalls.prctl(syscalls.SUBREAPER, 1)
    line = b""
    while not line.endswith(b"\n"):
        data = os.read(0, _MESSAGE)
        if not data:
            return _KILLED
        line += data
    request = json.loads(line)
    return _in_namespaces(request["spec"]) if "spec" in request else _traced(request)


def _in_namespaces(spec: dict[str, Any]) -> int:
    null = os.open(os.devnull, os.O_RDONLY)
    try:
        launched = isolation.launch(spec, (null, 1, 2))
    except CannotStart as error:
        print(error, file=sys.stderr, flush=True)
        return error.code
    # the command's end is the end of its output, and of what it left in the background
    for name in (1, 2):
        os.dup2(null, name)
    ended = os.pidfd_open(launched.pid)
    stopped = False
    while ended not in select.select([0, ended], [], [])[0]:
        if not os.read(0, _MESSAGE):
            os.kill(launched.pid, signal.SIGKILL)
            stopped = True
            break
    status = _status(os.waitpid(launched.pid, 0)[1])
    cgroup.remove(launched.cgroups)
    return _KILLED if stopped else status


def _status(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _traced(request: dict[str, Any]) -> int:
    """Run a command without namespaces, and end all its processes; return its exit status."""
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        try:
            _guard()
            syscalls.prctl(syscalls.DEATH_SIGNAL, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(_KILLED)
            syscalls.prctl(syscalls.NO_NEW_PRIVILEGES, 1)
            scopes.enter()
            if request["tracer"]:
                seccomp.install(pretend=False, traced=True)
            os.umask(_UMASK)
            null = os.open(os.devnull, os.O_RDONLY)
            os.dup2(null, 0)
            os.execve(request["command"][0], request["command"], request["environment"])
        finally:
            os._exit(127)
    status = _watch(child, bool(request["tracer"]))
    for prefix in ("proot", "prooted"):
        _remove_files(f"{prefix}-{child}-")
    return status


def _remove_files(start: str) -> None:
    """Remove what the tracer, when killed, left in /tmp; its names begin so.

    PRoot of Debian 12 keeps its files there whatever PROOT_TMP_DIR says.
    """
    for name in os.listdir(_PLACE):  # noqa: PTH208 - no pathlib: it takes time to import
        path = f"{_PLACE}/{name}"
        if name.startswith(start) and os.lstat(path).st_uid == os.geteuid():
            _remove(path)


def _remove(path: str) -> None:
    try:
        if stat.S_ISDIR(os.lstat(path).st_mode):
            for name in os.listdir(path):  # noqa: PTH208
                _remove(f"{path}/{name}")
            os.rmdir(path)  # noqa: PTH106
        else:
            os.unlink(path)  # noqa: PTH108
    except OSError as error:
        print(f"{path} cannot be removed: {error}", file=sys.stderr)


def _guard() -> None:
    """Protect the machine's devices, and the files of /proc that change the machine, from root.

    Uses a mount namespace for the command; the list is Docker's. Where that is not permitted, as in
    an ordinary container, the container itself has these files read-only.
    """
    if os.geteuid() != 0:
        return
    try:
        syscalls.unshare(syscalls.NEW_MOUNTS)
    except PermissionError:
        return
    syscalls.mount("none", "/", "", syscalls.PRIVATE | syscalls.RECURSIVE)
    for name in ("null", "zero", "full", "random", "urandom", "tty", "ptmx"):
        # a mount point cannot be removed
        if os.path.exists(f"/dev/{name}"):  # noqa: PTH110
            syscalls.mount(f"/dev/{name}", f"/dev/{name}", "", syscalls.BIND)
    for name in ("bus", "fs", "irq", "sys", "sysrq-trigger"):
        if os.path.exists(f"/proc/{name}"):  # noqa: PTH110
            syscalls.bind(f"/proc/{name}", f"/proc/{name}", read_only=True)


def _watch(child: int, tracer: bool) -> int:
    ended, first = os.pidfd_open(child), None
    while True:
        if tracer and first is None:
            found = descendants.children(child)
            first = _open_pid(min(found)) if found else None
            if not found and len(descendants.children(os.getpid())) > 1:
                # the first process has ended, and its children are ours now
                descendants.kill_all(spare=child)
        waiting = [0, ended] + ([first] if first is not None else [])
        pause = _BEFORE_FIRST_CHILD if tracer and first is None else None
        ready = select.select(waiting, [], [], pause)[0]
        if ended in ready:
            status = os.waitpid(child, 0)[1]
            descendants.kill_all()
            return _status(status)
        if 0 in ready and not os.read(0, _MESSAGE):
            descendants.kill_all()
            return _KILLED
        if first is not None and first in ready:
            os.close(first)
            # the tracer ends with the first process's status when nothing is left to trace
            descendants.kill_all(spare=child)
            os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
            tracer, first = False, None


def _open_pid(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None
