"""A thread that does what waits in the store: started by the first waking, ended with the store."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


class Background:
    """Calls ``work`` after each waking, until it is stopped; thread-safe.

    Nobody who wakes it waits. What ``work`` raises is logged under the words ``failed``, and the
    next waking finds the thread there all the same.
    """

    def __init__(self, name: str, work: Callable[[], None], failed: str) -> None:
        self._name = name
        self._work = work
        self._failed = failed
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def stopping(self) -> bool:
        """Whether work under way is to break off."""
        return self._stopping.is_set()

    def wake(self) -> None:
        """There is something to do, or there may be."""
        with self._lock:
            self._wanted.set()
            if self._thread is None and not self.stopping:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End the thread, and wait until it has ended, ten seconds at most."""
        with self._lock:
            self._stopping.set()
            self._wanted.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self.stopping:
            self._wanted.wait()
            self._wanted.clear()
            try:
                self._work()
            except Exception:
                log.exception("%s", self._failed)
