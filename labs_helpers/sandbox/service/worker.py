"""A thread that does the work which waits in a store: started, woken and closed by its maker."""

from __future__ import annotations

import logging
import sqlite3
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from labs_helpers.sandbox.service.store import Store

log = logging.getLogger(__name__)

S = TypeVar("S", bound=Store)


class Worker(ABC, Generic[S]):
    """Calls ``work`` after each wake-up, and when ``patience`` is at its end, until ``close``.

    The thread begins with the first wake-up, and whoever wakes the worker does not wait. What
    ``work`` raises is logged, and the next wake-up finds the thread alive. Thread-safe.
    """

    name: str
    """Of the thread."""
    topic: str
    """The store's topic that wakes the worker."""
    failure: str
    """What the log says when ``work`` raises."""

    def __init__(self, store: S) -> None:
        self.store = store
        self._woken = threading.Event()
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @abstractmethod
    def work(self) -> None:
        """Do all the work that waits; stop soon once ``closing``."""

    @abstractmethod
    def has_work(self) -> bool:
        """Whether work waits, for example since an earlier run."""

    def patience(self) -> float | None:
        """Seconds after which ``work`` is called without a wake-up; None waits for one."""
        return None

    @contextmanager
    def apart(self, what: str) -> Iterator[None]:
        """One piece of the work: where the piece fails, the log says so, and the others go on.

        what: names the piece in the log. Errors of the database end all the work until the next
        wake-up: the disk may be full.
        """
        try:
            yield
        except sqlite3.Error:
            raise
        except Exception:
            log.exception("%s: %s", self.failure, what)

    @property
    def closing(self) -> bool:
        """Whether ``work`` is to stop."""
        return self._closing.is_set()

    def start(self) -> None:
        """Wake up now if work waits, and from now on after each notification of the topic."""
        self.store.subscribe(self.topic, self.wake)
        if self.has_work():
            self.wake()

    def wake(self) -> None:
        """Let the thread look for work."""
        with self._lock:
            self._woken.set()
            if self._thread is None and not self.closing:
                self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
                self._thread.start()

    def close(self) -> None:
        """End the thread, and wait for that up to ten seconds; unfinished work stays waiting."""
        with self._lock:
            self._closing.set()
            self._woken.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self.closing:
            self._woken.wait(self.patience())
            self._woken.clear()
            try:
                self.work()
            except Exception:
                log.exception("%s", self.failure)
