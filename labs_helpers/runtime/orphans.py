"""Keeps what a process has started below that process: a subreaper, on Linux.

https://man7.org/linux/man-pages/man2/PR_SET_CHILD_SUBREAPER.2const.html
"""

from __future__ import annotations

import ctypes
import os
import sys

_PR_SET_CHILD_SUBREAPER = 36


def adopt() -> bool:
    """From now on all that this process starts, and all that they start, stays below this process.

    Whoever leaves its parent gets this process as parent, whatever session or environment it has.
    Returns whether the system can do so. Raises OSError.
    """
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return True
