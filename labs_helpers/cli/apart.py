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
    signals = _signals()
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for number in _PASSED_ON:
        signal.signal(number, lambda number, _: _signal(child, number))
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    if ours is not None and theirs is not None:
        os.close(theirs)
        signal.signal(signal.SIGWINCH, lambda *_: _resize(ours, terminals[0]))
    with _raw(terminals):
        status = _relay(child, signals, ours, terminals)
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


def _signals() -> int:
    """The end of a pipe from which a byte can be read for each signal that came.

    A signal that comes just before a call that waits does not end the call, and Python runs the
    signal's handler after the call. So wait for the pipe too (docs.python.org,
    signal.set_wakeup_fd).
    """
    signals, sink = os.pipe()
    os.set_blocking(signals, False)
    os.set_blocking(sink, False)
    signal.set_wakeup_fd(sink, warn_on_full_buffer=False)
    return signals


def _relay(child: int, signals: int, ours: int | None, terminals: list[int]) -> int:
    """Pass on what is typed and printed until the child ends; the child's status."""
    typing = ours is not None and 0 in terminals and os.tcgetpgrp(0) == os.getpgrp()
    out = 1 if 1 in terminals or not terminals else terminals[-1]
    status = None
    while True:
        if status is None and (ended := os.waitpid(child, os.WNOHANG))[0]:
            status = ended[1]
        waiting = [signals]
        if ours is not None:
            waiting += [ours, 0] if typing else [ours]
        ready = select.select(waiting, [], [], None if status is None else 0)[0]
        if signals in ready:
            os.read(signals, _PORTION)
        if ours is not None and ours in ready:
            if not _pass_on(ours, out):
                ours = None
        elif status is not None:
            return status  # what the child left behind prints to nobody
        elif ours is not None and 0 in ready:
            typing = _pass_on(0, ours)


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
