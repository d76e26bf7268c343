"""The mark of a program that the labs isolate: by it, the engine knows the program again.

A container, a RUN and a command of CodeBuild can reach the engine's socket where nothing hides the
socket: Landlock governs connect(2) from Linux 7.1 on, and PRoot hides little. Whoever reaches the
engine can mount any folder of the learner's, so the engine has to know who asks.

The mark is a hard limit that Linux has ignored since 2.4.25, RLIMIT_LOCKS. A process hands the
limit on to all its children, may lower the limit, and may raise it with CAP_SYS_RESOURCE only,
which no isolated program has. Any process may read it (/proc/PID/limits).
https://man7.org/linux/man-pages/man2/getrlimit.2.html

The mark also says which build a program belongs to: the limit is the number of the build's folder.
So that no program takes the number of a build by lowering its own, a second limit is what is
missing to MARK: RLIMIT_RTTIME, which holds for real-time programs only, and no program here may be
one. A program of no build has 0 there.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import resource
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

LOCKS, REAL_TIME = 10, 15
"""RLIMIT_LOCKS and RLIMIT_RTTIME on all architectures that the labs run on:
https://github.com/torvalds/linux/blob/v6.12/include/uapi/asm-generic/resource.h"""
MARK = 1 << 62
"""A hard limit of LOCKS up to this one marks a program as isolated; without a mark, there is none.
"""
LOCK = ".lock"
"""Behind the name of a build's folder: the file beside it that is locked while the build runs."""
RAISES_LIMITS = 24
"""CAP_SYS_RESOURCE."""
_PASSES = 200
"""Searches for programs that were started while others were being killed."""
OF_NO_BUILD = {LOCKS: MARK, REAL_TIME: 0}
"""The mark of a program that belongs to no build, and never will."""
OF_KEEPER = {LOCKS: MARK}
"""The mark of the keeper of containers, which gives REAL_TIME to each program that it starts."""


def mark(pid: int, limits: Mapping[int, int]) -> None:
    """Mark a child that has not started its program yet, and all that the child will start.

    limits: OF_NO_BUILD, OF_KEEPER, or `limits_of` a build. Raises OSError.
    """
    if sys.platform != "linux":
        return  # the labs isolate programs on Linux only
    if 0 <= resource.prlimit(pid, LOCKS)[1] <= MARK:
        return  # this process has a mark itself, and handed it on
    for name, limit in limits.items():
        resource.prlimit(pid, name, (limit, limit))


def limits_of(folder: Path) -> dict[int, int]:
    """The mark of a build's programs: the hard limit of each resource. Raises OSError."""
    number = number_of(folder)
    return {LOCKS: number, REAL_TIME: MARK - number}


def number_of(folder: Path) -> int:
    """The number of a build's folder, which no later folder has: its name is random (scratch).

    A disk gives the number of a removed file to the next one, and so would the number of an ended
    build go to the next build, and a program that the first has left would be the second's.
    Raises OSError.
    """
    folder.lstat()
    found = hashlib.sha256(folder.name.encode()).digest()
    return int.from_bytes(found[:8]) % (MARK - 1) + 1


def build_of(pid: int) -> int | None:
    """The number of the folder of the build whose mark a process has.

    None where the process is no build's, has ended, or is another user's.
    """
    number, spare = _limits(pid)
    return number if number + spare == MARK else None


def has_lowered_mark(pid: int) -> bool:
    """Whether an isolated program has changed its mark, so that nothing says whose it is.

    A program that the labs never marked may have one of the two limits, as pam_limits or a sound
    server sets them, and not both.
    """
    number, spare = _limits(pid)
    return 0 <= number < MARK and 0 <= spare < MARK and number + spare != MARK


def _limits(pid: int) -> tuple[int, int]:
    """The two limits of a mark; unlimited where the process has ended or is another user's."""
    try:
        return resource.prlimit(pid, LOCKS)[1], resource.prlimit(pid, REAL_TIME)[1]
    except OSError:
        return resource.RLIM_INFINITY, resource.RLIM_INFINITY


def end(*numbers: int) -> None:
    """Kill the programs of builds by the numbers of their folders, and those of a changed mark.

    For builds whose guard has been killed: with the guard, nothing else says whose a program is.
    """
    if sys.platform != "linux":
        return
    for _ in range(_PASSES):
        found = [
            int(each.name)
            for each in Path("/proc").iterdir()
            if each.name.isdigit()
            and (build_of(int(each.name)) in numbers or has_lowered_mark(int(each.name)))
        ]
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if not found:
            return


def lock_of(folder: Path) -> Path:
    """The lock beside a build's folder."""
    return folder.with_name(f"{folder.name}{LOCK}")


def wait_for_end(folder: Path) -> bool:
    """Wait until a build has ended, by itself or by a signal; False where nothing says when.

    Raises OSError.
    """
    try:
        with lock_of(folder).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
    except FileNotFoundError:
        return not folder.exists()
    return True


def abandoned(builds: Path) -> Iterator[Path]:
    """The folders, in ``builds``, of builds that were killed, each while its lock is held.

    A build that just begins has made its lock and not taken it yet: it waits meanwhile.
    """
    for path in builds.glob(f"*{LOCK}"):
        with contextlib.suppress(OSError), path.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises while the build runs
            yield path.with_suffix("")


def folder_of(locks: int, real_time: int, builds: Path) -> Path | None:
    """The folder, in ``builds``, of the build whose program has these two hard limits."""
    if locks + real_time != MARK or not builds.is_dir():
        return None
    for each in builds.iterdir():
        if each.is_dir() and not each.is_symlink() and number_of(each) == locks:
            return each.resolve()
    return None
