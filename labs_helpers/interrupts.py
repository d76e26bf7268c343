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
_CHAINS = (
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
)
"""What stands between two tracebacks of one chain, the same documentation says."""


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

    Text goes on to ``stream`` as it comes. A traceback is held until a line follows that is no
    part of its chain of exceptions, and a chain with an interrupt in it until :meth:`end`, which
    says whether the learner interrupted. What is no traceback, or a chain without an interrupt, is
    always shown.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._line = ""
        self._chain = _Chain()
        self._of_interrupts = ""
        self._ended: bool | None = None

    def write(self, text: str) -> int:
        """Show the text, or hold what may belong to a traceback of an interrupt."""
        *lines, self._line = (self._line + text).splitlines(keepends=True) or [""]
        if self._line.endswith("\n"):
            lines, self._line = [*lines, self._line], ""
        for line in lines:
            self._take(line)
        if self._line and not self._chain.may_go_on(self._line):
            self._judge()
            self._show(self._line)
            self._line = ""
        if self._ended is not None and self._chain.is_whole:  # perhaps nothing follows
            self._judge()
        return len(text)

    def flush(self) -> None:
        """Show what the stream has so far."""
        self._stream.flush()

    def end(self, interrupted: bool) -> None:
        """The program has ended, or was interrupted; what still comes is judged alike."""
        self._ended = interrupted
        if not interrupted:
            self._show(self._of_interrupts)
        self._of_interrupts = ""
        if self._chain.is_whole or not interrupted:
            self._judge()
        if not interrupted:
            self._show(self._line)
            self._line = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _take(self, line: str) -> None:
        if not self._chain.takes(line):
            self._judge()
            if not self._chain.takes(line):
                self._show(line)

    def _judge(self) -> None:
        """The chain has no more parts: show it, keep it until the end, or leave it out."""
        chain, self._chain = self._chain, _Chain()
        if not chain.of_interrupt or self._ended is False:
            self._show(chain.text)
        elif self._ended is None:
            self._of_interrupts += chain.text

    def _show(self, text: str) -> None:
        if text:
            self._stream.write(text)


class _Chain:
    """The tracebacks of one chain of exceptions, line by line.

    is_whole: whether the last of them has its exception, so that another one may follow.
    """

    def __init__(self) -> None:
        self.text = ""
        self.of_interrupt = False
        self.is_whole = False

    def takes(self, line: str) -> bool:
        """Whether the line belongs to the chain, which has the line then."""
        if not self._takes(line):
            return False
        self.text += line
        return True

    def may_go_on(self, part: str) -> bool:
        """Whether a line that begins like this may belong to the chain."""
        if self.text and not self.is_whole:
            return True
        begins = (_BEGINS, *_CHAINS) if self.text else (_BEGINS,)
        return any(each.startswith(part) for each in begins)

    def _takes(self, line: str) -> bool:
        if not self.text:
            return line.startswith(_BEGINS)
        if not self.is_whole:
            if _ENDS.match(line) and not line.startswith((_BEGINS, *_CHAINS)):
                self.is_whole = True
                self.of_interrupt |= bool(_INTERRUPT.match(line))
            return True
        if line.startswith(_CHAINS):
            self.is_whole = False
            return True
        return not line.strip()
