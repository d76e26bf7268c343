"""Keeps the programs of a build in the build's folder, where the kernel can: Landlock.

Landlock is of Linux 5.13 and later. A thread that is restricted stays restricted, and so does every
process that the thread starts; the other threads of this process are as before.
https://docs.kernel.org/userspace-api/landlock.html
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

_CREATE, _ADD, _RESTRICT = 444, 445, 446
"""The numbers of the system calls, on every architecture."""
_PR_SET_NO_NEW_PRIVS, _PR_CAPBSET_DROP = 38, 24
_VERSION = 1
_PATH_BENEATH = 1

EXECUTE, WRITE, READ, LIST = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_MAKE_AND_REMOVE = sum(1 << bit for bit in range(4, 13))
_REFER, _TRUNCATE, _CONNECT = 1 << 13, 1 << 14, 1 << 16
"""_CONNECT is LANDLOCK_ACCESS_FS_RESOLVE_UNIX, of the ninth version (Linux 7.1): connect(2) to a
socket with a path. Sockets of the restricted programs' own are not governed.
https://git.zx2c4.com/wireguard-linux/log/include/uapi/linux/landlock.h?showmsg=1"""
_OF_FILES = EXECUTE | WRITE | READ | _TRUNCATE | _CONNECT
_SCOPES = 0b11
"""Signals and abstract sockets reach no process outside; from the sixth version."""

_HIDES_SOCKETS = 9

_DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "ptmx")


def version() -> int:
    """The kernel's version of Landlock; 0 where there is none."""
    if sys.platform != "linux":
        return 0
    found = _libc().syscall(_CREATE, None, 0, _VERSION)
    return max(int(found), 0)


def hides_sockets() -> bool:
    """Whether the kernel keeps restricted programs from sockets with a path."""
    return version() >= _HIDES_SOCKETS


def restrict(
    writable: Iterable[Path],
    secrets: Iterable[Path],
    readable: Iterable[Path],
    sockets: Iterable[Path] = (),
) -> None:
    """From now on this thread, and what it starts, writes below `writable` only.

    secrets: folders whose files are not read either, but for those of `readable`. Files elsewhere
    are read, executed and listed as before. sockets: of others, to which these programs connect;
    where the kernel `hides_sockets`, they connect to no others. Raises OSError where the kernel
    refuses.
    """
    kernel = version()
    every = (EXECUTE | WRITE | READ | LIST | _MAKE_AND_REMOVE) | (_REFER if kernel > 1 else 0)
    every |= _TRUNCATE if kernel > 2 else 0
    every |= _CONNECT if kernel >= _HIDES_SOCKETS else 0
    attributes = struct.pack("<Q", every)
    if kernel >= 6:
        attributes = struct.pack("<QQQ", every, 0, _SCOPES)
    libc = _libc()
    ruleset = _checked(libc.syscall(_CREATE, attributes, len(attributes), 0))
    try:
        for path in writable:
            _allow(ruleset, path, every)
        for name in _DEVICES:
            _allow(ruleset, Path("/dev", name), (READ | WRITE | _TRUNCATE) & every)
        for path in (*readable, *_beside(secrets)):
            _allow(ruleset, path, READ | EXECUTE)
        for path in sockets if every & _CONNECT else ():
            _allow(ruleset, path, _CONNECT)
        _allow(ruleset, Path("/"), LIST)
        _checked(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        _checked(libc.syscall(_RESTRICT, ruleset, 0))
    finally:
        os.close(ruleset)


def give_up_capability(number: int) -> None:
    """From now on no program that this thread starts has a capability, as root's would.

    Nor does one get it by set-uid bits. Raises OSError.
    """
    _checked(_libc().prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    if os.geteuid() == 0:
        _checked(_libc().prctl(_PR_CAPBSET_DROP, number, 0, 0, 0))


def _beside(secrets: Iterable[Path]) -> Iterator[Path]:
    """All files and folders that are neither the secret folders nor on the way to them."""
    found = [each.resolve() for each in secrets]
    outer = [each for each in found if not any(above in each.parents for above in found)]
    for folder in {parent for each in outer for parent in each.parents}:
        try:
            entries = list(folder.iterdir())
        except OSError:
            continue  # what cannot be listed is not allowed
        for each in entries:
            # where a link leads is a folder of its own
            if not each.is_symlink() and not any(one.is_relative_to(each) for one in outer):
                yield each


def _allow(ruleset: int, path: Path, rights: int) -> None:
    """Add a rule; a path that is not there, or that this user cannot reach, needs none."""
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= _OF_FILES
        rule = struct.pack("<Qi", rights, descriptor)
        _checked(_libc().syscall(_ADD, ruleset, _PATH_BENEATH, rule, 0))
    finally:
        os.close(descriptor)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"Landlock: {os.strerror(number)}")
    return result
