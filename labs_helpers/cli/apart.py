"""The rest of this program in a session and a terminal of its own, as `sudo` does with use_pty.

A program of another user that has root's terminal could type there what root's shell then runs
(TIOCSTI, CVE-2005-4890), or read what root types later. So root's process stays, and passes on what
is typed and printed; the child has another terminal, which ends with this program.
"""

from __future__ import annotations

import contextlib
import os
import pty
import select
import signal
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager

_PORTION = 65536
_PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_STREAMS = (0, 1, 2)


def stand_apart() -> None:
    """Return in a child without this process's terminal; this process ends as the child does.

    Streams that are no terminals stay what they are.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    terminals = [number for number in _STREAMS if _is_terminal(number)]
    ours, theirs = pty.openpty() if terminals else (None, None)
    if terminals and theirs is not None:
        settings = termios.tcgetattr(terminals[0])
        settings[6][termios.VSUSP] = os.fpathconf(theirs, "PC_VDISABLE").to_bytes(1, "big")
        termios.tcsetattr(theirs, termios.TCSANOW, settings)
        termios.tcsetwinsize(theirs, termios.tcgetwinsize(terminals[0]))
    # a signal that comes before this process can pass it on would end this process alone
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED_ON)
    child = os.fork()
    if child == 0:
        os.setsid()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if ours is not None and theirs is not None:
            os.close(ours)
            # the first terminal that the leader of a session opens is its own
            os.close(os.open(os.ttyname(theirs), os.O_RDWR))
            for number in terminals:
                os.dup2(theirs, number)
            os.close(theirs)
        return
    for number in _PASSED_ON:
        signal.signal(number, lambda number, _: _signal(child, number))
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    if ours is None or theirs is None:
        _, status = os.waitpid(child, 0)
    else:
        os.close(theirs)
        signal.signal(signal.SIGWINCH, lambda *_: _resize(ours, terminals[0]))
        with _raw(terminals):
            status = _relay(child, ours, terminals)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def _is_terminal(number: int) -> bool:
    try:
        return os.isatty(number)
    except OSError:  # closed
        return False


def _signal(child: int, number: int) -> None:
    """Signal the child's session, or the child alone while it has none yet."""
    for send in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError):
            send(child, number)
            return


def _resize(ours: int, terminal: int) -> None:
    with contextlib.suppress(OSError, termios.error):
        termios.tcsetwinsize(ours, termios.tcgetwinsize(terminal))


@contextmanager
def _raw(terminals: list[int]) -> Iterator[None]:
    """Root's terminal passes on each key, while this process is in the foreground."""
    if 0 not in terminals or os.tcgetpgrp(0) != os.getpgrp():
        yield
        return
    before = termios.tcgetattr(0)
    tty.setraw(0, termios.TCSANOW)
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


def _relay(child: int, ours: int, terminals: list[int]) -> int:
    """Pass on what is typed and printed until the child ends; the child's status."""
    ended = os.pidfd_open(child) if sys.platform == "linux" else None
    typing = 0 in terminals and os.tcgetpgrp(0) == os.getpgrp()
    out = 1 if 1 in terminals else terminals[-1]
    while True:
        waiting = [ours, *([0] if typing else []), *([ended] if ended is not None else [])]
        ready = select.select(waiting, [], [])[0]
        if ours in ready:
            if not _pass_on(ours, out):
                break
        elif ended in ready:
            break  # what is left of the child's keeps the terminal open, and prints to nobody
        elif 0 in ready:
            typing = _pass_on(0, ours)
    return os.waitpid(child, 0)[1]


def _pass_on(source: int, sink: int) -> bool:
    """Whether there may be more to read."""
    try:
        data = os.read(source, _PORTION)
    except OSError:  # EIO: nobody has the other side open
        return False
    while data:
        data = data[os.write(sink, data) :]
        if not data:
            return True
    return False
