"""A container without namespaces: its program under PRoot, and a process that watches over it.

Where the kernel forbids namespaces (ordinary containers, JupyterHub's pods, Ubuntu 24.04), PRoot
gives a program the files of its image. Network and processes are the machine's. The watcher is the
parent of all processes of the container; it hands signals on to the first, whose end is the end of
the others.

Source: https://github.com/proot-me/proot/blob/v5.1.0/doc/proot/manual.rst
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal

from . import descendants, rights, seccomp, terminal
from . import syscalls as sys
from .words import CannotStart, find_program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HANDED_ON = (
    *(signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1),
    *(signal.SIGUSR2, signal.SIGWINCH, signal.SIGCONT),
)
_PAUSE = 0.02


END = signal.SIGALRM
"""The signal that ends a traced container: after SIGKILL, the watcher could not end the others."""


def launch(spec: dict[str, Any], stdio: tuple[int, int, int] | None) -> tuple[int, int | None]:
    """Start a program under PRoot: the pid of its watcher, and the terminal if any.

    Raises:
        CannotStart: there is no such program; in runc's words, which PRoot does not have.
        OSError: the process or its terminal cannot be made.
    """
    _check_program(spec)
    master = side = None
    if stdio is None:
        master, side = os.openpty()
        stdio = (side, side, side)
        if spec.get("size"):
            terminal.resize(master, *spec["size"])
    started, begun = os.pipe()
    watcher = os.fork()
    if watcher == 0:
        try:
            for number in range(1, signal.NSIG):
                with contextlib.suppress(OSError, ValueError):  # those that cannot be set
                    signal.signal(number, signal.SIG_DFL)
            status = _watch(spec, stdio, begun, side is not None)
        finally:
            os._exit(status)
    os.close(begun)
    os.read(started, 1)
    os.close(started)
    if side is not None:
        os.close(side)
    return watcher, master


def _check_program(spec: dict[str, Any]) -> None:
    words = spec["proot"]
    try:
        find_program(spec["words"], spec["environment"], words[words.index("-r") + 1], spec["cwd"])
    except CannotStart:
        binds = [words[at + 1] for at, word in enumerate(words) if word == "-b"]
        targets = [each.rpartition(":")[2] for each in binds]
        name = spec["words"][0] if spec["words"] else ""
        if not any(name.startswith(f"{target}/") for target in targets):
            raise  # and else the program may be in a volume


def _watch(spec: dict[str, Any], stdio: tuple[int, int, int], begun: int, tty: bool) -> int:
    signal.signal(END, lambda *_: _end())
    sys.prctl(sys.DEATH_SIGNAL, END)
    sys.prctl(sys.SUBREAPER, 1)
    os.setsid()
    for place, descriptor in enumerate([os.dup(each) for each in stdio]):
        os.dup2(descriptor, place)
    # whatever else the keeper has open
    os.closerange(3, begun)
    os.closerange(begun + 1, 1 << 16)
    if tty:
        terminal.control(0)
    child = os.fork()
    if child == 0:
        try:
            signal.signal(END, signal.SIG_DFL)
            os.umask(0o022)
            resource.setrlimit(resource.RLIMIT_NOFILE, rights.OPEN_FILES)
            rights.mark(spec)
            sys.prctl(sys.NO_NEW_PRIVILEGES, 1)
            seccomp.install(pretend=False, traced=True)
            environment = dict(pair.partition("=")[::2] for pair in spec["environment"])
            os.execve(spec["proot"][0], [*spec["proot"], *spec["words"]], environment)
        finally:
            os._exit(127)
    os.close(begun)
    for number in _HANDED_ON:
        signal.signal(number, lambda number, _: _signal_first(child, number))
    # an end of the output is an end of the program's own, not of this process
    os.closerange(0, 3)
    status = _wait(child)
    descendants.kill_all()
    return status


def _end() -> None:
    descendants.kill_all()
    os._exit(128 + signal.SIGKILL)


def _wait(child: int) -> int:
    """The status of PRoot, which ends with the last process: so others end with the first."""
    first = 0
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
        below = descendants.children(child)
        if not first and below:
            first = min(below)
        if first and first not in below:
            descendants.kill_all(spare=child)
        # a signal ends the pause
        select.select([], [], [], _PAUSE)


def _signal_first(child: int, number: int) -> None:
    below = descendants.children(child)
    if below:
        with contextlib.suppress(ProcessLookupError):
            os.kill(min(below), number)
