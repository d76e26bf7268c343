"""What a machine needs so that a class of N learners works on it at once, for `labs doctor`.

The figures were measured on Debian 12 with two cores, with JupyterHub and real learners
(tests/hub/): resident memory and CPU of all processes of a learner.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import psutil

from labs_helpers.cli.needs import Need, existing, need
from labs_helpers.cli.terminal import size
from labs_helpers.sandbox import process as sandbox_process
from labs_helpers.workspace import Workspace

FIRST_LABS = 280_000_000
"""Bytes of memory of a learner who has done labs 00 to 07, of shared pages a part
(tests/bench/test_finished_learner.py): Jupyter's server 60 MB, the kernel 55 MB, the sandbox 85 MB,
the engine 25 MB, the runner 15 MB, containers 5 MB; and 25 MB."""
ALL_LABS = 450_000_000
"""Bytes of memory of a learner who has done all labs, 340 MB, with a second notebook open."""
HUB = 400_000_000
"""Bytes of memory of JupyterHub, its proxy and its culler."""
DISK = 120_000_000
"""Bytes on the disk of a learner who has finished all labs, without snapshots."""
SNAPSHOTS = 300_000_000
"""Bytes on the disk of a learner who has also started over a few times."""
LEARNERS_A_CORE = 10
"""A start costs about 6 s of a core up to the first card: ten learners at once wait a minute."""
FILES = 300
"""Open files of the processes of a learner."""


def class_needs(workspace: Workspace, learners: int) -> list[Need]:
    """The needs of a class of this size."""
    functions: list[tuple[str, Callable[[], Need]]] = [
        ("class: memory", lambda: memory(learners)),
        ("class: cores", lambda: cores(learners)),
        ("class: disk", lambda: disk(workspace, learners)),
        ("class: ports", lambda: ports(learners)),
        ("class: files", lambda: open_files(learners)),
        ("class: hub", hub),
    ]
    return [need(name, function) for name, function in functions]


def memory(learners: int) -> Need:
    """Memory that is free now, beside what the class takes."""
    free = _free_memory()
    few, all_labs = HUB + learners * FIRST_LABS, HUB + learners * ALL_LABS
    found = (
        f"{size(free)} free; {learners} learners take {size(few)} in the first labs, and "
        f"{size(all_labs)} when all have done all labs"
    )
    if free >= all_labs:
        return Need("class: memory", "ok", found)
    room = max(int((free - HUB) // ALL_LABS), 0)
    fix = f"Take a machine with more memory, or {room} learners on this one."
    return Need("class: memory", "warning" if free >= few else "missing", found, fix)


def own_memory() -> Need:
    """Memory that is free now, beside what one learner takes."""
    free = _free_memory()
    found = f"{size(free)} free; the labs take {size(FIRST_LABS)}, and {size(ALL_LABS)} at most"
    if free >= ALL_LABS:
        return Need("memory", "ok", found)
    fix = "Close other programs, or the system may end the labs' processes when memory is short."
    return Need("memory", "warning", found, fix)


def _free_memory() -> int:
    """Bytes that new processes may take: the machine's, or those of this container."""
    free = int(psutil.virtual_memory().available)
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
    except (OSError, ValueError):
        return free
    return min(free, int(limit) - used) if limit.isdigit() else free


def cores(learners: int) -> Need:
    """Cores, beside what all starts at once take."""
    count = os.cpu_count() or 1
    found = f"{count} for {learners} learners"
    if learners <= count * LEARNERS_A_CORE:
        return Need("class: cores", "ok", found)
    minutes = learners * 6 / count / 60
    fix = (
        f"When all log in at once, the last one waits about {minutes:.0f} minutes. Let them log in "
        f"one row after the other, or take {-(-learners // LEARNERS_A_CORE)} cores."
    )
    return Need("class: cores", "warning", found, fix)


def disk(workspace: Workspace, learners: int) -> Need:
    """Free space where the homes are."""
    free = shutil.disk_usage(existing(workspace.home)).free
    found = f"{size(free)} free; all labs of {learners} learners take {size(learners * DISK)}"
    if free >= learners * SNAPSHOTS:
        return Need("class: disk", "ok", found)
    fix = f"Free some, or put the homes on a larger disk; {size(learners * SNAPSHOTS)} is plenty."
    return Need("class: disk", "warning" if free >= learners * DISK else "missing", found, fix)


def ports(learners: int) -> Need:
    """The ports that sandboxes try, of which each learner takes one."""
    first = sandbox_process.DEFAULT_PORT
    tried = range(first, first + sandbox_process.PORTS_TRIED)
    free = sum(map(sandbox_process.is_free, tried))
    found = f"{free} of {first} to {tried[-1]} are free"
    if free >= learners:
        return Need("class: ports", "ok", found)
    fix = "End what listens there, or divide the class among machines."
    if learners > sandbox_process.PORTS_TRIED:
        fix = f"A machine has ports for {sandbox_process.PORTS_TRIED} learners: take a second one."
    return Need("class: ports", "missing", found, fix)


def open_files(learners: int) -> Need:
    """The files that the system may have open; elsewhere than on Linux nobody tells."""
    try:
        most = int(Path("/proc/sys/fs/file-max").read_text())
    except (OSError, ValueError):
        return Need("class: files", "ok", "this system does not tell a limit")
    found = f"{min(most, 10**9)} may be open; {learners} learners open {learners * FILES}"
    if most >= learners * FILES:
        return Need("class: files", "ok", found)
    return Need("class: files", "missing", found, "sysctl fs.file-max=1000000")


def hub() -> Need:
    """Whether JupyterHub is installed; a class on laptops needs none."""
    lacking = [] if importlib.util.find_spec("jupyterhub") else ["JupyterHub: make jupyterhub"]
    if not shutil.which("configurable-http-proxy"):
        lacking.append("its proxy: npm install --global configurable-http-proxy@5")
    if not lacking:
        return own_name()
    fix = "On one machine for all (docs/jupyterhub.md):\n  " + "\n  ".join(lacking)
    return Need("class: hub", "warning", "not installed, which a class on laptops need not", fix)


def own_name() -> Need:
    """Whether the machine finds itself by its name, as JupyterHub does when its proxy starts.

    https://jupyterhub.readthedocs.io/en/stable/reference/config-reference.html (hub_connect_ip)
    """
    name = socket.gethostname()
    if _is_here(name):
        return Need("class: hub", "ok", "JupyterHub and its proxy are installed")
    fix = (
        "JupyterHub waits for its proxy at this name, in vain, and ends. "
        f"Write this line into /etc/hosts:\n  127.0.1.1 {name}"
    )
    return Need("class: hub", "missing", f"{name}, the name of this machine, leads elsewhere", fix)


def _is_here(name: str) -> bool:
    """Whether the name leads to an address at which this machine can listen."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except OSError:
        return False
    for family, kind, protocol, _, address in found:
        with contextlib.suppress(OSError), socket.socket(family, kind, protocol) as one:
            one.bind(address)
            return True
    return False
