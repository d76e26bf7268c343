"""Hides the sockets of other programs from the commands of a build: of a real Docker, of systemd.

Before Linux 7.1 Landlock does not govern connect(2) on a socket with a path (landlock.py), and
whoever may talk to a daemon acts with the daemon's rights. So a mount namespace covers each socket
that is there when the build begins. That takes root. An ordinary user gets such a namespace in a
process with one thread only, with a namespace of users, where all files of others, root's too,
seem to be nobody's (ssh then refuses its own configuration), and not at all where the labs often
run: in containers, and on Ubuntu 24.04.
https://man7.org/linux/man-pages/man7/mount_namespaces.7.html and user_namespaces.7.html
"""

from __future__ import annotations

import ctypes
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

_NEW_MOUNTS = 0x20000
_BIND, _RECURSIVE, _SLAVE = 0x1000, 0x4000, 0x80000
_LISTED = Path("/proc/net/unix")
_FOLDERS = ("/run", "/var/run")
"""Where sockets of other network namespaces are, which the kernel's list does not have."""


def hide(kept: Iterable[Path]) -> bool:
    """From now on this thread, and what it starts, connects to no socket that is there but `kept`.

    Returns whether this process may do so; what is mounted later still appears.

    Raises:
        OSError: a socket could not be covered.
    """
    if sys.platform != "linux" or os.geteuid() != 0:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_MOUNTS) != 0:
        return False
    _mount(libc, "none", "/", _SLAVE | _RECURSIVE)
    spared = {each.resolve() for each in kept}
    for path in sorted({*_listed(), *_found()}):
        if path.resolve() not in spared and _is_socket(path):
            with suppress(FileNotFoundError):  # the daemon has ended meanwhile
                _mount(libc, os.devnull, str(path), _BIND)
    return True


def _listed() -> Iterator[Path]:
    """The paths of the sockets in the kernel's list: https://man7.org/linux/man-pages/man5/proc_net.5.html"""
    with suppress(OSError):
        for line in _LISTED.read_text(errors="surrogateescape").splitlines()[1:]:
            path = line.split(maxsplit=7)[-1]
            if path.startswith("/"):
                yield Path(path)


def _found() -> Iterator[Path]:
    for folder in _FOLDERS:
        for place, _, names in os.walk(folder):
            yield from (Path(place, name) for name in names)


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.lstat().st_mode)
    except OSError:
        return False


def _mount(libc: ctypes.CDLL, source: str, target: str, flags: int) -> None:
    arguments = (os.fsencode(source), os.fsencode(target), None, ctypes.c_ulong(flags), None)
    if libc.mount(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), target)
