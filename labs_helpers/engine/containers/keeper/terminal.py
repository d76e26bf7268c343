"""A terminal of a container, from the container's own /dev/pts.

Source: https://man7.org/linux/man-pages/man2/TIOCGPTPEER.2const.html
"""

from __future__ import annotations

import fcntl
import os
import struct

_UNLOCK, _PEER, _CONTROLLING, _SET_SIZE = 0x40045431, 0x5441, 0x540E, 0x5414


def open_pair(size: list[int] | None) -> tuple[int, tuple[int, int, int]]:
    """Open a terminal and make it this session's: the master, and the three standard streams.

    ``size`` is [rows, columns]. Raises OSError.
    """
    master = os.open("/dev/pts/ptmx", os.O_RDWR | os.O_NOCTTY)
    fcntl.ioctl(master, _UNLOCK, struct.pack("i", 0))
    side = fcntl.ioctl(master, _PEER, os.O_RDWR | os.O_NOCTTY)
    os.set_inheritable(side, False)
    control(side)
    if size:
        resize(master, size[0], size[1])
    return master, (side, side, side)


def control(side: int) -> None:
    """Make a terminal the one that controls this session. Raises OSError."""
    fcntl.ioctl(side, _CONTROLLING, 0)


def resize(master: int, rows: int, columns: int) -> None:
    """Set the size of a terminal. Raises OSError."""
    fcntl.ioctl(master, _SET_SIZE, struct.pack("HHHH", rows, columns, 0, 0))
