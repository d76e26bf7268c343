"""The system calls of Linux that Python 3.11 lacks: mounts, namespaces, capabilities, prctl.

Python has ``os.unshare`` and ``os.setns`` from 3.12 on, and no mount(2) or pivot_root(2), so ctypes
is needed in any case. bubblewrap (https://github.com/containers/bubblewrap) would do the mounts,
but its authors keep no package on PyPI, it cannot join a running container (`docker exec`), and it
leaves no moment to make sockets inside a network namespace before the program starts.

Constants: https://github.com/torvalds/linux/tree/v6.12/include/uapi/linux (sched.h, mount.h,
prctl.h, capability.h).
"""

from __future__ import annotations

import ctypes
import os

NEW_MOUNTS, NEW_NAMES, NEW_IPC = 0x20000, 0x4000000, 0x8000000
NEW_USERS, NEW_PROCESSES, NEW_NETWORK = 0x10000000, 0x20000000, 0x40000000
"""CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID and CLONE_NEWNET."""

READ_ONLY, NO_SETUID, NO_DEVICES, NO_PROGRAMS, REMOUNT = 1, 2, 4, 8, 32
BIND, RECURSIVE, PRIVATE = 0x1000, 0x4000, 0x40000
"""MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND, MS_REC and MS_PRIVATE."""

DETACH = 2
"""MNT_DETACH."""

DEATH_SIGNAL, DUMPABLE, BOUNDING_DROP, NO_NEW_PRIVILEGES, SUBREAPER = 1, 4, 24, 38, 36
AMBIENT, AMBIENT_CLEAR = 47, 4
"""PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS,
PR_SET_CHILD_SUBREAPER, PR_CAP_AMBIENT and PR_CAP_AMBIENT_CLEAR_ALL."""

_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_CAPABILITIES_VERSION = 0x20080522
LAST_CAPABILITY = 40

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str = "") -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what or None)


def unshare(flags: int) -> None:
    """unshare(2). Raises OSError."""
    _check(_libc.unshare(flags))


def setns(descriptor: int) -> None:
    """setns(2) for any type of namespace. Raises OSError."""
    _check(_libc.setns(descriptor, 0))


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """mount(2). Raises OSError, which names the target."""
    arguments = [os.fsencode(text) if text else None for text in (source, target, kind)]
    _check(_libc.mount(*arguments, ctypes.c_ulong(flags), os.fsencode(data) or None), target)


def bind(source: str, target: str, read_only: bool = False) -> None:
    """Show a file or folder at another path. Raises OSError."""
    mount(source, target, "", BIND | RECURSIVE)
    if read_only:
        remount(target, READ_ONLY)


def remount(target: str, flags: int) -> None:
    """Add flags to a mount, which keeps those that a user namespace may not take away."""
    found = os.statvfs(target).f_flag
    locked = found & (READ_ONLY | NO_SETUID | NO_DEVICES | NO_PROGRAMS)
    # the numbers of ST_NOATIME, ST_NODIRATIME and ST_RELATIME differ from those of MS_
    for status, option in ((0x400, 0x400), (0x800, 0x800), (0x1000, 0x200000)):
        locked |= option if found & status else 0
    mount("", target, "", REMOUNT | BIND | locked | flags)


def unmount(target: str, flags: int = 0) -> None:
    """umount2(2). Raises OSError."""
    _check(_libc.umount2(os.fsencode(target), flags), target)


def enter_root(new: str) -> None:
    """Make ``new`` the root of this mount namespace (pivot_root(2)). Raises OSError.

    The old root stays mounted, out of sight, until whoever has it open unmounts it.
    """
    os.chdir(new)
    number = _PIVOT_ROOT[os.uname().machine]
    _check(_libc.syscall(ctypes.c_long(number), b".", b"."))
    os.chroot(".")
    os.chdir("/")


def set_host_name(name: str) -> None:
    """sethostname(2); Python has it in ``socket``, a larger import. Raises OSError."""
    encoded = name.encode()
    _check(_libc.sethostname(encoded, len(encoded)))


def prctl(option: int, *values: int) -> None:
    """prctl(2). Raises OSError."""
    _check(_libc.prctl(option, *(ctypes.c_ulong(v) for v in (*values, 0, 0, 0, 0)[:4])))


def limit_capabilities(kept: frozenset[int]) -> None:
    """Drop all other capabilities from the bounding set, so that no program gets them again."""
    for number in range(64):
        if number in kept:
            continue
        try:
            prctl(BOUNDING_DROP, number)
        except OSError:
            if number <= LAST_CAPABILITY:
                raise
            break  # the kernel knows no further capability


def set_capabilities(kept: frozenset[int]) -> None:
    """Set the permitted, effective and inheritable capabilities of this thread. Raises OSError."""
    prctl(AMBIENT, AMBIENT_CLEAR)
    words = [sum(1 << (n - 32 * half) for n in kept if n // 32 == half) for half in (0, 1)]
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_VERSION, 0)
    data = (ctypes.c_uint32 * 6)(words[0], words[0], 0, words[1], words[1], 0)
    _check(_libc.capset(ctypes.byref(header), ctypes.byref(data)))
