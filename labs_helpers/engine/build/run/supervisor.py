"""A program that runs one command, and leaves none of its processes behind.

Started as ``python -I -S supervisor.py``. Standard input is one line of JSON (``request`` in
proot.py), and then stays open. When it closes, because the engine stops the command or has ended
itself, all processes are killed. The exit status is the command's, or 137 after a kill. With
``{"probe": true}``, the status says whether namespaces can be had: 0 or 1.

Where namespaces can be had, the command sees no process of the machine, so ``kill -9 -1`` ends
nothing outside; and the tracer (PRoot) keeps its files in a /tmp of its own.

As in a container, all processes end with the first. With a tracer, the first process is the
tracer's first child, since the tracer itself waits for all others.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import stat
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing these takes time
    from collections.abc import Callable
    from typing import Any

_PDEATHSIG, _SUBREAPER = 1, 36
"""PR_SET_PDEATHSIG and PR_SET_CHILD_SUBREAPER, prctl(2)."""

_NEW_MOUNTS, _BIND, _PRIVATE, _READ_ONLY = 0x20000, 0x1000, 0x44000, 0x1021
"""CLONE_NEWNS, MS_BIND, MS_REC|MS_PRIVATE and MS_BIND|MS_REMOUNT|MS_RDONLY."""

_NEW_USERS, _NEW_PROCESSES, _NO_DEVICES, _PROC = 0x10000000, 0x20000000, 0x6, 0xE
"""CLONE_NEWUSER, CLONE_NEWPID, MS_NOSUID|MS_NODEV, and these with MS_NOEXEC."""

_PLACE = "/tmp"

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
    if request.get("probe"):
        return _probe(libc)
    if not request.get("isolated"):
        return _run(request, libc)
    return _in_namespaces(libc, request["folders"], lambda: _run(request, libc))


def _probe(libc: ctypes.CDLL) -> int:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = _in_namespaces(libc, {}, lambda: 0)
        finally:
            os._exit(status)
    return min(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 1)


def _in_namespaces(libc: ctypes.CDLL, folders: dict[str, str], run: Callable[[], int]) -> int:
    """Call ``run`` as the first process of new namespaces; return what it returns.

    ``folders`` are to be seen there: path -> path below the new, empty /tmp.

    Raises:
        OSError: the namespaces cannot be had.
    """
    user, group = os.geteuid(), os.getegid()
    _check(libc, libc.unshare(_NEW_MOUNTS | _NEW_PROCESSES | (_NEW_USERS if user else 0)))
    if user:
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{user} {user} 1"),
            ("gid_map", f"{group} {group} 1"),
        ):
            with open(f"/proc/self/{name}", "w") as file:  # noqa: PTH123
                file.write(text)
    _check(libc, libc.mount(b"none", b"/", None, _PRIVATE, None))
    # opened in the new namespace, from which alone they can be mounted, before /tmp hides them
    opened = {os.open(source, os.O_PATH): place for source, place in folders.items()}
    _check(libc, libc.mount(b"none", _PLACE.encode(), b"tmpfs", _NO_DEVICES, b"mode=1777"))
    for descriptor, place in opened.items():
        os.makedirs(place)  # noqa: PTH103 - no pathlib here, it takes time to import
        source = f"/proc/self/fd/{descriptor}".encode()
        _check(libc, libc.mount(source, place.encode(), None, _BIND, None))
        os.close(descriptor)
    child = os.fork()
    if child == 0:
        status = 127
        try:
            libc.prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            _check(libc, libc.mount(b"proc", b"/proc", b"proc", _PROC, None))
            status = run()
        except OSError as error:
            print(f"the command cannot be run: {error}", file=sys.stderr, flush=True)
        finally:
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return status if status >= 0 else 128 - status


def _check(libc: ctypes.CDLL, result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _run(request: dict[str, Any], libc: ctypes.CDLL) -> int:
    """Run the command, and end all its processes; return its exit status."""
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        try:
            _guard(libc)
            if account := request.get("account"):
                os.setgroups(account["groups"])
                os.setgid(account["gid"])
                os.setuid(account["uid"])
            libc.prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != parent:
                os._exit(_KILLED)
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
    for name in os.listdir(_PLACE):  # noqa: PTH208
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
