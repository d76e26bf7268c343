"""A check waits some seconds for what still goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
PAUSE = 0.5
"""Seconds between two looks."""


def settled(
    look: Callable[[], T],
    goes_on: Callable[[T], bool],
    seconds: float,
    wait: Callable[[float], None] = time.sleep,
) -> T:
    """What ``look`` finds, once it no longer goes on; the last look where it does for ``seconds``.

    At least one look is made; ``wait`` pauses between two.
    """
    until = time.monotonic() + seconds
    while True:
        found = look()
        if not goes_on(found) or time.monotonic() > until:
            return found
        wait(PAUSE)
