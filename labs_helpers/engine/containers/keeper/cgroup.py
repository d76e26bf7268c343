"""The limit of processes for containers of root, for whom RLIMIT_NPROC does not hold.

A cgroup with the controller "pids", of version 1 or 2, made below the first one. Where root may not
make one (in an ordinary container), there is no limit. An ordinary user gets no cgroup, and has
RLIMIT_NPROC in a user namespace instead (rights.py). Source:
https://docs.kernel.org/admin-guide/cgroup-v2.html#pid
"""

from __future__ import annotations

import contextlib
import os
import zlib

_PREFIX = "labs-"
_PLACES = ("/sys/fs/cgroup/pids", "/sys/fs/cgroup")
"""Version 1, and 2."""


def make(owner: str, name: str, most: int) -> str | None:
    """A new cgroup of at most ``most`` processes: its folder; None where none can be made.

    ``owner`` is the folder of the engine's containers, for ``sweep``.
    """
    for place in _PLACES:
        folder = f"{place}/{_prefix(owner)}{name}"
        try:
            os.mkdir(folder)  # noqa: PTH102 - no pathlib: memory
        except FileExistsError:
            pass  # left by an earlier start
        except OSError:
            continue
        try:
            _write(f"{folder}/pids.max", str(most))
        except OSError:
            remove(folder)
            continue
        return folder
    return None


def enter(folder: str) -> None:
    """Put this process into a cgroup; its children will be there, too. Raises OSError."""
    _write(f"{folder}/cgroup.procs", "0")


def of(pid: int) -> str | None:
    """The folder of the cgroup of a container's process; None when it has none of ours."""
    with open(f"/proc/{pid}/cgroup") as file:  # noqa: PTH123
        for line in file:
            _, controllers, path = line.rstrip("\n").split(":", 2)
            place = _PLACES[0] if controllers == "pids" else _PLACES[1]
            if controllers in ("pids", "") and path.rpartition("/")[2].startswith(_PREFIX):
                return place + path
    return None


def remove(folder: str) -> None:
    """Remove a cgroup whose processes have ended."""
    with contextlib.suppress(OSError):  # in use: the next sweep removes it
        os.rmdir(folder)  # noqa: PTH106


def sweep(owner: str) -> None:
    """Remove the cgroups that a killed keeper left; those in use stay."""
    for place in _PLACES:
        with contextlib.suppress(OSError):
            for name in os.listdir(place):  # noqa: PTH208
                if name.startswith(_prefix(owner)):
                    remove(f"{place}/{name}")


def _prefix(owner: str) -> str:
    return f"{_PREFIX}{zlib.crc32(os.fsencode(owner)):08x}-"


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:  # noqa: PTH123
        file.write(text)
