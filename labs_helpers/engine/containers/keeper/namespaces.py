"""The namespaces of Linux: new ones, those of a container, and whether this machine gives any.

Works for an ordinary user (in a user namespace: users.py) and for root.
Source: https://man7.org/linux/man-pages/man7/user_namespaces.7.html
"""

from __future__ import annotations

import os
import socket

from . import descendants, network, root_folder, users
from . import syscalls as sys

MESSAGE = 1 << 16
"""The most bytes of a message between the keeper and a process that the keeper forks."""
FDS = 64
"""The most descriptors in a message."""
_NAMESPACES = ("user", "mnt", "net", "pid", "ipc", "uts")


def enter(of: int, user_namespace: bool) -> None:
    """Join the namespaces of a process. The names are opened first: entering hides /proc."""
    of = _open(of)
    opened = []
    for name in _NAMESPACES if user_namespace else _NAMESPACES[1:]:
        descriptor = os.open(f"/proc/{of}/ns/{name}", os.O_RDONLY)
        if os.fstat(descriptor).st_ino != os.stat(f"/proc/self/ns/{name}").st_ino:  # noqa: PTH116
            opened.append(descriptor)
    for descriptor in opened:
        sys.setns(descriptor)
        os.close(descriptor)


def _open(of: int) -> int:
    """A process in the namespaces of ``of`` whose names of namespaces may be opened.

    With --init, a container's process 1 is a fork of the keeper, which no ordinary user may look
    into. Its child is the program. Raises OSError.
    """
    try:
        os.close(os.open(f"/proc/{of}/ns/mnt", os.O_RDONLY))
    except PermissionError:
        for child in descendants.children(of):
            return child
        raise
    return of


def receive(connection: socket.socket) -> tuple[bytes, list[int]]:
    """A message and its descriptors, which close at exec. Raises OSError.

    Else each later program would have the terminals and sockets of other containers; the flag that
    recv_fds takes for that does nothing: https://github.com/python/cpython/blob/3.11/Lib/socket.py
    """
    data, descriptors, _, _ = socket.recv_fds(connection, MESSAGE, FDS)
    for each in descriptors:
        os.set_inheritable(each, False)
    return data, descriptors


def sockets_of(of: int, user_namespace: bool) -> list[socket.socket]:
    """New unconnected sockets of a container's network namespace. Raises OSError."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    child = os.fork()
    if child == 0:
        try:
            of = _open(of)
            for name in ("user", "net") if user_namespace else ("net",):
                descriptor = os.open(f"/proc/{of}/ns/{name}", os.O_RDONLY)
                sys.setns(descriptor)
            stock = [socket.socket() for _ in range(network.STOCK)]
            socket.send_fds(theirs, [b"{}"], [each.fileno() for each in stock])
        finally:
            os._exit(0)
    theirs.close()
    _, descriptors = receive(ours)
    os.waitpid(child, 0)
    ours.close()
    return [socket.socket(fileno=number) for number in descriptors]


def probe(folder: str) -> int:
    """What this machine gives: 0 namespaces and overlays in ``folder``, 1 namespaces, 2 neither."""
    user_namespace = os.geteuid() != 0
    child = os.fork()
    if child == 0:
        answer = 2
        try:
            flags = sys.NEW_MOUNTS | sys.NEW_PROCESSES | sys.NEW_NAMES | sys.NEW_IPC
            flags |= sys.NEW_NETWORK
            if not user_namespace:
                sys.unshare(flags)
            else:
                users.enter(flags, 0, 0)
            network.loopback_up()
            inner = os.fork()
            if inner == 0:
                answer = _probe_mounts(folder, user_namespace)
                os._exit(answer)
            answer = os.waitstatus_to_exitcode(os.waitpid(inner, 0)[1])
        finally:
            os._exit(answer if answer >= 0 else 2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _probe_mounts(folder: str, user_namespace: bool) -> int:
    answer = 2
    try:
        sys.mount("none", "/", "", sys.PRIVATE | sys.RECURSIVE)
        sys.mount("proc", "/proc", "proc", root_folder.QUIET)
        answer = 1
        os.chdir(folder)
        for name in ("lower", "upper", "work", "root"):
            os.makedirs(name, exist_ok=True)  # noqa: PTH103 - no pathlib: memory
        options = "lowerdir=lower,upperdir=upper,workdir=work,volatile"
        extra = ",userxattr" if user_namespace else ""
        sys.mount("overlay", "root", "overlay", 0, options + extra)
        answer = 0
    except OSError:
        return answer
    return answer
