"""That the learner interrupted a cell, and the tracebacks of the programs that this stopped."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

_BEGINS = "Traceback (most recent call last):"
_ENDS = re.compile(r"[A-Za-z_]")
"""The line that names the exception is the first one of a traceback that is not indented.
https://docs.python.org/3/library/traceback.html
"""
_INTERRUPT = re.compile(r"KeyboardInterrupt:?\s*$")


@dataclass
class Noticed:
    """Whether an interrupt has come."""

    came: bool = False


@contextmanager
def noticed() -> Iterator[Noticed]:
    """Notice interrupts, which go on to who was there for them before.

    Only a process's main thread gets signals; in another one none is noticed.
    """
    found = Noticed()
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield found
        return

    def notice(number: int, frame: Any) -> None:
        found.came = True
        before(number, frame)

    signal.signal(signal.SIGINT, notice)
    try:
        yield found
    finally:
        signal.signal(signal.SIGINT, before)


class Tracebacks:
    """A stream that leaves out the tracebacks of interrupted programs, once that is known.

    Text goes on to ``stream`` as it comes. A traceback is held to its last line, and one of an
    interrupt until :meth:`end`, which says whether the learner interrupted. What is no traceback,
    or one of another exception, is always shown.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._line = ""
        self._held = ""
        self._of_interrupts = ""
        self._ended: bool | None = None

    def write(self, text: str) -> int:
        """Show the text, or hold what may belong to a traceback of an interrupt."""
        *lines, self._line = (self._line + text).splitlines(keepends=True) or [""]
        if self._line.endswith("\n"):
            lines, self._line = [*lines, self._line], ""
        for line in lines:
            self._take(line)
        if not self._held and not _BEGINS.startswith(self._line):
            self._show(self._line)
            self._line = ""
        return len(text)

    def flush(self) -> None:
        """Show what the stream has so far."""
        self._stream.flush()

    def end(self, interrupted: bool) -> None:
        """The program has ended, or was interrupted; what still comes is judged alike."""
        self._ended = interrupted
        if not interrupted:
            self._show(self._of_interrupts + self._held + self._line)
            self._held = self._line = ""
        self._of_interrupts = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _take(self, line: str) -> None:
        if not self._held and not line.startswith(_BEGINS):
            self._show(line)
            return
        begins, self._held = not self._held, self._held + line
        if begins or not _ENDS.match(line):
            return
        whole, self._held = self._held, ""
        if not _INTERRUPT.match(line) or self._ended is False:
            self._show(whole)
        elif self._ended is None:
            self._of_interrupts += whole

    def _show(self, text: str) -> None:
        if text:
            self._stream.write(text)
