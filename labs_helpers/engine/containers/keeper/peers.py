"""Who has connected to a unix socket: whether the program is one that somebody isolates.

The process that called connect(2) counts, whoever uses the connection later. Where the kernel has
SO_PEERPIDFD (Linux 6.5), no other process can have taken over the number of that process.
Sources: https://man7.org/linux/man-pages/man7/unix.7.html (SO_PEERCRED) and
https://github.com/torvalds/linux/commit/7b26952a91cf65ff1cc867a2382a8964d8c0ee7d (SO_PEERPIDFD)
"""

from __future__ import annotations

import os
import socket
import struct
import sys

_PEERPIDFD = 77
_LIMITS = {"locks": "Max file locks", "real_time": "Max realtime timeout"}
UNLIMITED = (1 << 64) - 1


class Unknown(Exception):
    """The process that connected has ended, or cannot be seen from here."""


class Peer:
    """A process: its hard limits ``locks`` and ``real_time``, and whether NoNewPrivs is set."""

    def __init__(self, pid: int) -> None:
        """Read what /proc says. Raises OSError where there is no such process."""
        found = dict.fromkeys(_LIMITS, UNLIMITED)
        with open(f"/proc/{pid}/limits") as file:  # noqa: PTH123 - no pathlib: memory
            for line in file:
                for name, title in _LIMITS.items():
                    if line.startswith(title):
                        hard = line[len(title) :].split()[1]
                        found[name] = UNLIMITED if hard == "unlimited" else int(hard)
        self.locks, self.real_time = found["locks"], found["real_time"]
        with open(f"/proc/{pid}/status") as file:  # noqa: PTH123
            self.no_new_privileges = any(line.split() == ["NoNewPrivs:", "1"] for line in file)

    def is_isolated(self, mark: int) -> bool:
        """Whether the process has the labs' mark, or no_new_privs where this process has not.

        A sandbox that is not ours sets no_new_privs, too (bubblewrap, firejail, containers).
        """
        if self.locks <= mark:
            return True
        return self.no_new_privileges and not Peer(os.getpid()).no_new_privileges


def peer_of(connection: socket.socket) -> Peer | None:
    """The process that connected; None on a system without isolated programs, or without one there.

    Raises:
        Unknown: the process cannot be seen, so that nothing says that it is not isolated.
    """
    if sys.platform != "linux":
        return None
    try:
        pinned = _pinned(connection)
        try:
            pid = _pid_in(pinned) if pinned is not None else _pid_of(connection)
            if pid <= 0:
                raise Unknown
            peer = Peer(pid)
            # what was read is of this process, if the process has not ended meanwhile
            if pinned is not None and _pid_in(pinned) != pid:
                raise Unknown
        finally:
            if pinned is not None:
                os.close(pinned)
    except (OSError, ValueError) as error:
        raise Unknown from error
    return peer


def _pinned(connection: socket.socket) -> int | None:
    try:
        data = connection.getsockopt(socket.SOL_SOCKET, _PEERPIDFD, 4)
    except OSError as error:
        if error.errno in (92, 95):  # ENOPROTOOPT, EOPNOTSUPP: an older kernel
            return None
        raise
    return int(struct.unpack("i", data)[0])


def _pid_in(pinned: int) -> int:
    """The number of the process, 0 or less when the process has ended."""
    with open(f"/proc/self/fdinfo/{pinned}") as file:  # noqa: PTH123
        for line in file:
            if line.startswith("Pid:"):
                return int(line.split()[1])
    return 0


def _pid_of(connection: socket.socket) -> int:
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    return int(struct.unpack("3i", data)[0])
