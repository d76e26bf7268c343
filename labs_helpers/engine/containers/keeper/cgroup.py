"""Limits of a container's memory and processes, where this process may make a cgroup.

Root may below the first cgroup of each hierarchy, but not in an ordinary container. An ordinary
user may below a cgroup that is delegated to the user and is this process's own or above it, as
systemd's user manager does. Version 1 has a hierarchy for each controller, version 2 one for all.
Without a cgroup, an ordinary user's processes are limited by RLIMIT_NPROC (rights.py).

Sources: https://docs.kernel.org/admin-guide/cgroup-v2.html (memory.max, memory.events, pids.max,
delegation, no internal processes) and
https://docs.kernel.org/admin-guide/cgroup-v1/memory.html (oom_control)
"""

from __future__ import annotations

import contextlib
import os
import zlib

_PREFIX = "labs-"
_ROOT = "/sys/fs/cgroup"
PROCESSES, MEMORY, SWAP = "pids", "memory", "swap"
"""The limits: processes; bytes of memory; bytes of memory and swap together, -1 for no limit."""


def make(owner: str, name: str, limits: dict[str, int]) -> list[str] | None:
    """New cgroups that hold a container to its limits: their folders; None where that is forbidden.

    ``owner`` is the folder of the engine's containers, for ``sweep``. A limit of 0 is none.
    """
    made: list[str] = []
    try:
        for mount, version, controllers in _hierarchies():
            wanted = [each for each in controllers if limits.get(each)]
            if wanted:
                folder = f"{_place(mount, version, wanted)}/{_prefix(owner)}{name}"
                with contextlib.suppress(FileExistsError):  # left by an earlier start
                    os.mkdir(folder)  # noqa: PTH102 - no pathlib: memory
                made.append(folder)
                for path, text in _settings(folder, version, wanted, limits):
                    _write(path, text)
    except OSError:
        remove(made)
        return None
    return made


def enter(folders: list[str]) -> None:
    """Put this process into cgroups; its children will be there, too. Raises OSError."""
    for folder in folders:
        _write(f"{folder}/cgroup.procs", "0")


def of(pid: int) -> list[str]:
    """The folders of the cgroups of a container's process; none when it has none of ours."""
    mounts = {controller: mount for mount, _, names in _hierarchies() for controller in names}
    unified = next((mount for mount, version, _ in _hierarchies() if version == 2), _ROOT)
    return [
        mounts.get(controllers, unified) + path
        for controllers, path in _paths(pid)
        if (controllers in mounts or not controllers)
        and path.rpartition("/")[2].startswith(_PREFIX)
    ]


def killed_for_memory(folders: list[str]) -> bool:
    """Whether the kernel has killed a process in these cgroups for want of memory."""
    for folder in folders:
        for name in ("memory.events", "memory.oom_control"):
            with contextlib.suppress(FileNotFoundError):
                pairs = dict(line.split()[:2] for line in _read(f"{folder}/{name}").splitlines())
                if int(pairs.get("oom_kill", 0)):
                    return True
    return False


def remove(folders: list[str]) -> None:
    """Remove cgroups whose processes have ended."""
    for folder in folders:
        with contextlib.suppress(OSError):  # in use: the next sweep removes it
            os.rmdir(folder)  # noqa: PTH106


def sweep(owner: str) -> None:
    """Remove the cgroups that a killed keeper left; those in use stay."""
    for mount, version, controllers in _hierarchies():
        for place in _candidates(mount, version, controllers[0]):
            with contextlib.suppress(OSError):
                names = os.listdir(place)  # noqa: PTH208
                remove([f"{place}/{name}" for name in names if name.startswith(_prefix(owner))])


def _hierarchies() -> list[tuple[str, int, tuple[str, ...]]]:
    """Mount, version and controllers of each hierarchy that has one of our controllers."""
    found: list[tuple[str, int, tuple[str, ...]]] = []
    for mount in (_ROOT, f"{_ROOT}/unified"):
        with contextlib.suppress(OSError):
            known = _read(f"{mount}/cgroup.controllers").split()
            if ours := tuple(each for each in (PROCESSES, MEMORY) if each in known):
                found.append((mount, 2, ours))
    for controller in (PROCESSES, MEMORY):
        if os.path.exists(f"{_ROOT}/{controller}/cgroup.procs"):  # noqa: PTH110
            found.append((f"{_ROOT}/{controller}", 1, (controller,)))
    return found


def _place(mount: str, version: int, wanted: list[str]) -> str:
    """The highest cgroup below which these controllers can be had. Raises OSError for none."""
    for place in _candidates(mount, version, wanted[0]):
        if not os.access(place, os.W_OK):
            continue
        if version == 1:
            return place
        try:
            # forbidden where the cgroup has processes of its own, except in the first
            _write(f"{place}/cgroup.subtree_control", " ".join(f"+{each}" for each in wanted))
        except OSError:
            continue
        return place
    raise PermissionError(1, "no cgroup may be made", mount)


def _candidates(mount: str, version: int, controller: str) -> list[str]:
    """The cgroup of this process and those above it, the first first."""
    wanted = "" if version == 2 else controller
    path = next((path for names, path in _paths(os.getpid()) if wanted in names.split(",")), "/")
    parts = [part for part in path.split("/") if part]
    return [mount + "".join(f"/{part}" for part in parts[:end]) for end in range(len(parts) + 1)]


def _settings(
    folder: str, version: int, wanted: list[str], limits: dict[str, int]
) -> list[tuple[str, str]]:
    found = []
    if PROCESSES in wanted:
        found.append((f"{folder}/pids.max", str(limits[PROCESSES])))
    if MEMORY in wanted:
        memory, both = limits[MEMORY], limits.get(SWAP) or 2 * limits[MEMORY]
        name = "memory.max" if version == 2 else "memory.limit_in_bytes"
        found.append((f"{folder}/{name}", str(memory)))
        if version == 2:
            swap = (f"{folder}/memory.swap.max", "max" if both < 0 else str(both - memory))
        else:
            swap = (f"{folder}/memory.memsw.limit_in_bytes", str(both))
        if os.path.exists(swap[0]):  # noqa: PTH110 - a kernel may not count swap; Docker warns
            found.append(swap)
    return found


def _paths(pid: int) -> list[tuple[str, str]]:
    """The controllers and the cgroup of a process in each hierarchy; "" for version 2."""
    lines = _read(f"/proc/{pid}/cgroup").splitlines()
    return [(names, path) for _, names, path in (line.split(":", 2) for line in lines)]


def _prefix(owner: str) -> str:
    return f"{_PREFIX}{zlib.crc32(os.fsencode(owner)):08x}-"


def _read(path: str) -> str:
    with open(path) as file:  # noqa: PTH123
        return file.read()


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:  # noqa: PTH123
        file.write(text)
