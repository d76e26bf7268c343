"""The system calls that a container may not make, and those that only seem to succeed.

The refused calls are those which would give a program power over the machine, or a wide way into
the kernel. Docker's default profile lists what is allowed instead, which takes libseccomp:
https://github.com/moby/moby/blob/v28.2.2/profiles/seccomp/default.json

In a user namespace with one user, a change to another user must fail, and so most servers that
start as root would. There the calls that change a user or an owner succeed without effect, as in
Charliecloud's root emulation: https://hpc.github.io/charliecloud/ch-image.html#seccomp

Numbers: https://github.com/torvalds/linux/blob/v6.12/arch/x86/entry/syscalls/syscall_64.tbl and
https://github.com/torvalds/linux/blob/v6.12/include/uapi/asm-generic/unistd.h (aarch64).
"""

from __future__ import annotations

import ctypes
import os
import struct

from . import syscalls as sys

_EPERM, _ENOSYS = 1, 38
_ERRNO, _ALLOW, _KILL = 0x50000, 0x7FFF0000, 0x80000000
_LOAD, _EQUAL, _ANY_BIT, _AT_LEAST, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
_MODE_FILTER, _SET_SECCOMP = 2, 22
_X32 = 0x40000000
_NAMESPACES = 0x7E020000
"""All CLONE_NEW flags of clone(2) but the one for time, which shares its bit with a signal."""

_COMMON = {
    **{"clone3": 435, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427},
    **{"open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432},
    **{"fspick": 433, "mount_setattr": 442},
}
_NUMBERS = {
    "x86_64": {
        **{"clone": 56, "chown": 92, "fchown": 93, "lchown": 94, "syslog": 103, "setuid": 105},
        **{"setgid": 106, "setreuid": 113, "setregid": 114, "setgroups": 116, "setresuid": 117},
        **{"setresgid": 119, "vhangup": 153, "pivot_root": 155, "acct": 163, "settimeofday": 164},
        **{"mount": 165, "umount2": 166, "swapon": 167, "swapoff": 168, "reboot": 169},
        **{"sethostname": 170, "setdomainname": 171, "iopl": 172, "ioperm": 173},
        **{"init_module": 175, "delete_module": 176, "quotactl": 179, "clock_settime": 227},
        **{"kexec_load": 246, "add_key": 248, "request_key": 249, "keyctl": 250},
        **{"fchownat": 260, "unshare": 272, "perf_event_open": 298, "open_by_handle_at": 304},
        **{"setns": 308, "finit_module": 313, "kexec_file_load": 320, "bpf": 321},
        **{"userfaultfd": 323, **_COMMON},
    },
    "aarch64": {
        **{"umount2": 39, "mount": 40, "pivot_root": 41, "fchownat": 54, "fchown": 55},
        **{"vhangup": 58, "quotactl": 60, "acct": 89, "unshare": 97, "kexec_load": 104},
        **{"init_module": 105, "delete_module": 106, "clock_settime": 112, "syslog": 116},
        **{"reboot": 142, "setregid": 143, "setgid": 144, "setreuid": 145, "setuid": 146},
        **{"setresuid": 147, "setresgid": 149, "setgroups": 159, "sethostname": 161},
        **{"setdomainname": 162, "settimeofday": 170, "add_key": 217, "request_key": 218},
        **{"keyctl": 219, "clone": 220, "swapon": 224, "swapoff": 225, "perf_event_open": 241},
        **{"open_by_handle_at": 265, "setns": 268, "finit_module": 273, "bpf": 280},
        **{"userfaultfd": 282, "kexec_file_load": 294, **_COMMON},
    },
}
_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_CHANGES = ("chown", "fchown", "lchown", "fchownat", "setuid", "setgid", "setreuid", "setregid",
            "setgroups", "setresuid", "setresgid")  # fmt: skip


_UNKNOWN_TO_PROOT = {
    "x86_64": {
        **{"process_vm_readv": 310, "process_vm_writev": 311, "execveat": 322, "statx": 332},
    },
    "aarch64": {
        **{"process_vm_readv": 270, "process_vm_writev": 271, "execveat": 281, "statx": 291},
    },
}
"""Calls that name a file or another process, and that PRoot 5.1.0 passes on as they are.

PRoot is of 2014, and so knows no later call: openat2 opens any file of the machine. Programs and C
libraries use older calls where these are missing.
https://github.com/proot-me/proot/blob/v5.1.0/src/syscall/sysnums.list"""
_LATE = 424
"""From this number on, numbers are the same on every architecture, and unknown to PRoot."""
_HARMLESS = {
    **{"pidfd_open": 434, "close_range": 436, "epoll_pwait2": 441, "landlock_create": 444},
    **{"landlock_add": 445, "landlock_restrict": 446, "futex_waitv": 449, "futex_wake": 454},
    **{"futex_wait": 455, "futex_requeue": 456},
}
"""Those of them that name no file: they work on what a program has open, or on its memory."""


def install(pretend: bool, traced: bool = False) -> None:
    """Filter the system calls of this process from now on; needs no_new_privs.

    With ``traced``, for PRoot, calls that would lead past PRoot do not exist (ENOSYS).
    With ``pretend``, changes of users and owners succeed without effect. Raises OSError.
    """
    filters = _program(os.uname().machine, pretend, traced)
    code = ctypes.create_string_buffer(b"".join(filters))
    program = struct.pack("HxxxxxxP", len(filters), ctypes.addressof(code))
    buffer = ctypes.create_string_buffer(program)
    sys.prctl(_SET_SECCOMP, _MODE_FILTER, ctypes.addressof(buffer))


def _program(machine: str, pretend: bool, traced: bool) -> list[bytes]:
    numbers = dict(_NUMBERS[machine])
    clone, clone3 = numbers.pop("clone"), numbers.pop("clone3")
    changes = {numbers.pop(name) for name in _CHANGES if name in numbers}
    program = [
        _step(_LOAD, _ARCHITECTURE),
        _step(_EQUAL, _AUDIT[machine], 1, 0),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER),
        *_answer(_AT_LEAST, _X32, _ERRNO | _EPERM),
        # a program that has no clone3 uses clone, whose flags can be looked at
        *_answer(_EQUAL, clone3, _ERRNO | _ENOSYS),
    ]
    if traced:
        for number in sorted(_HARMLESS.values()):
            program += _answer(_EQUAL, number, _ALLOW)
        program += _answer(_AT_LEAST, _LATE, _ERRNO | _ENOSYS)
        for number in sorted(_UNKNOWN_TO_PROOT[machine].values()):
            program += _answer(_EQUAL, number, _ERRNO | _ENOSYS)
    for number in sorted(numbers.values()):
        program += _answer(_EQUAL, number, _ERRNO | _EPERM)
    for number in sorted(changes) if pretend else ():
        program += _answer(_EQUAL, number, _ERRNO)
    program += [
        _step(_EQUAL, clone, 0, 3),
        _step(_LOAD, _FIRST_ARGUMENT),
        *_answer(_ANY_BIT, _NAMESPACES, _ERRNO | _EPERM),
        _step(_RETURN, _ALLOW),
    ]
    return program


def _answer(test: int, value: int, result: int) -> tuple[bytes, bytes]:
    return _step(test, value, 0, 1), _step(_RETURN, result)


def _step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("HBBI", code, then, otherwise, value)
