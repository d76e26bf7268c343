"""The mark of a program that the labs isolate: by it, the engine knows the program again.

A container, a RUN and a command of CodeBuild can reach the engine's socket where nothing hides the
socket: Landlock governs connect(2) from Linux 7.1 on, and PRoot hides little. Whoever reaches the
engine can mount any folder of the learner's, so the engine has to know who asks.

The mark is a hard limit that Linux has ignored since 2.4.25, RLIMIT_LOCKS. A process hands the
limit on to all its children, may lower the limit, and may raise it with CAP_SYS_RESOURCE only,
which no isolated program has. Any process may read it (/proc/PID/limits).
https://man7.org/linux/man-pages/man2/getrlimit.2.html

The mark also says which build a program belongs to: the limit is the number of the build's folder.
So that no build takes the number of another by lowering its own, a second limit is what is missing
to MARK: RLIMIT_RTTIME, which holds for real-time programs only, and no program here may be one.
"""

from __future__ import annotations

import fcntl
import resource
import sys
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


def mark(pid: int, folder: Path | None = None) -> None:
    """Mark a child that has not started its program yet, and all that the child will start.

    folder: the build's, if the program is of a build. Raises OSError.
    """
    if sys.platform != "linux":
        return  # the labs isolate programs on Linux only
    if 0 <= resource.prlimit(pid, LOCKS)[1] <= MARK:
        return  # this process has a mark itself, and handed it on
    if folder is None:
        resource.prlimit(pid, LOCKS, (MARK, MARK))
        return
    for name, limit in limits_of(folder).items():
        resource.prlimit(pid, name, (limit, limit))


def limits_of(folder: Path) -> dict[int, int]:
    """The mark of a build's programs: the hard limit of each resource. Raises OSError."""
    number = number_of(folder)
    return {LOCKS: number, REAL_TIME: MARK - number}


def number_of(folder: Path) -> int:
    """The number of a folder, which no other folder on its disk has as long as the folder exists.

    Raises OSError.
    """
    return folder.lstat().st_ino % (MARK - 1) + 1


def build_of(pid: int) -> int | None:
    """The number of the folder of the build whose mark a process has.

    None where the process is no build's, has ended, or is another user's.
    """
    try:
        number = resource.prlimit(pid, LOCKS)[1]
        spare = resource.prlimit(pid, REAL_TIME)[1]
    except OSError:
        return None
    return number if number + spare == MARK else None


def wait_for_end(folder: Path) -> bool:
    """Wait until a build has ended, by itself or by a signal; False where nothing says when.

    Raises OSError.
    """
    try:
        with folder.with_name(f"{folder.name}{LOCK}").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
    except FileNotFoundError:
        return not folder.exists()
    return True


def folder_of(locks: int, real_time: int, builds: Path) -> Path | None:
    """The folder, in ``builds``, of the build whose program has these two hard limits."""
    if locks + real_time != MARK or not builds.is_dir():
        return None
    for each in builds.iterdir():
        if each.is_dir() and not each.is_symlink() and number_of(each) == locks:
            return each.resolve()
    return None
