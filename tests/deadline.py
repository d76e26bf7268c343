"""A test that waits too long ends: whatever it waits for is broken, and the suite goes on.

Each wait in a test should have an end of its own, with words; this is the end of those that have
none, as a read from a stream that never gets what it counts on.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SECONDS = 180


class TookTooLong(Exception):
    """A test waited longer than it may."""


@contextmanager
def deadline(seconds: int = SECONDS) -> Iterator[None]:
    """Raise TookTooLong in the block after some seconds; in the main thread only."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        raise TookTooLong(f"the test took longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def until(holds: Callable[[], object], seconds: float = 60) -> None:
    """Ask again and again, until the answer is true. Raises TookTooLong."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise TookTooLong(f"{holds} did not hold within {seconds} s")
