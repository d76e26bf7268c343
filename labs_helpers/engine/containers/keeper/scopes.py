"""Keeps a RUN to itself where no namespace does: signals, tracing, abstract sockets.

A process in a Landlock domain with these scopes signals and reaches by an abstract socket no
process outside, from Linux 6.12 on. A domain that governs files also lets no process outside be
traced, so that /proc shows no files of one, and to an ordinary user no memory or environment. All
that this domain governs of files, it allows: to rename and link between folders.
https://docs.kernel.org/userspace-api/landlock.html#ipc-scoping-abi-6
"""

from __future__ import annotations

import ctypes
import os
import struct

_CREATE, _ADD, _RESTRICT = 444, 445, 446
"""The numbers of the system calls, on every architecture."""
_VERSION = 1
_SCOPED_SINCE = 6
_ABSTRACT_SOCKETS, _SIGNALS = 1, 2
_PATH_BENEATH, _REFER = 1, 1 << 13


def are_there() -> bool:
    """Whether the kernel has these scopes."""
    return int(ctypes.CDLL(None).syscall(_CREATE, None, 0, _VERSION)) >= _SCOPED_SINCE


def enter() -> None:
    """Enter a domain of this process's own, with all that it starts; needs no_new_privs.

    Does nothing where the kernel has no scopes. Raises OSError.
    """
    if not are_there():
        return
    libc = ctypes.CDLL(None, use_errno=True)

    def checked(result: int) -> int:
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, f"Landlock: {os.strerror(number)}")
        return result

    attributes = struct.pack("<QQQ", _REFER, 0, _ABSTRACT_SOCKETS | _SIGNALS)
    ruleset = checked(libc.syscall(_CREATE, attributes, len(attributes), 0))
    root = os.open("/", os.O_PATH | os.O_CLOEXEC)
    rule = struct.pack("<Qi", _REFER, root)
    checked(libc.syscall(_ADD, ruleset, _PATH_BENEATH, rule, 0))
    checked(libc.syscall(_RESTRICT, ruleset, 0))
    os.close(root)
    os.close(ruleset)
