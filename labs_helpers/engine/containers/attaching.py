"""Clients that are about to attach: a start waits for them, or they miss what the program says.

A client attaches, and starts the container as soon as the head of the answer is there. The keeper
has the client's connection a moment after the head. A program that ends within that moment, as
`touch` does, would be heard by nobody.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class Attaching:
    """How many clients are about to attach, by the ID of the container."""

    def __init__(self) -> None:
        self._count: Counter[str] = Counter()
        self._changed = threading.Condition()

    @contextmanager
    def client(self, name: str) -> Iterator[None]:
        """In the block, a client's answer begins, and its connection goes to the keeper."""
        with self._changed:
            self._count[name] += 1
        try:
            yield
        finally:
            with self._changed:
                self._count[name] -= 1
                if not self._count[name]:
                    del self._count[name]
                self._changed.notify_all()

    def settle(self, name: str, seconds: float) -> None:
        """Wait until nobody is about to attach, at most so long: a client may not read."""
        with self._changed:
            self._changed.wait_for(lambda: name not in self._count, seconds)
