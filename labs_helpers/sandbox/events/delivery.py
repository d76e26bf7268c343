"""The thread that delivers ECR's events to EventBridge, in order and at least once.

An event is forgotten only after every rule has had it; `kill -9` before that leaves it waiting in
the store, for the next start. The thread starts with the first event.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from labs_helpers.sandbox.ecr import events
from labs_helpers.sandbox.ecr.events import Event
from labs_helpers.sandbox.ecr.store import Store

log = logging.getLogger(__name__)


class EventDelivery:
    """Delivers what one store keeps; thread-safe."""

    def __init__(self, store: Store, publish: Callable[[Event], None]) -> None:
        """publish: gives an event to EventBridge, and raises nothing for a target that fails.

        What waits from an earlier run is delivered now.
        """
        self._store = store
        self._publish = publish
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        store.event_kept = self.wake
        store.before_close.append(self.stop)
        if events.any_waiting(store):
            self.wake()

    def wake(self) -> None:
        """There is something to deliver."""
        with self._lock:
            self._wanted.set()
            if self._thread is None and not self._stopping.is_set():
                self._thread = threading.Thread(target=self._run, name="events", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End the thread after the event under way; the others are left waiting."""
        with self._lock:
            self._stopping.set()
            self._wanted.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def deliver_waiting(self) -> None:
        """Deliver what waits, the oldest first; raises sqlite3.Error when it cannot be forgotten.

        It is then delivered again the next time.
        """
        done = []
        try:
            for one in events.waiting(self._store):
                if self._stopping.is_set():
                    break
                self._publish(one.event)
                done.append(one)
        finally:
            if done:
                events.delivered(self._store, done)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wanted.wait()
            self._wanted.clear()
            try:
                self.deliver_waiting()
            except Exception:
                # the thread delivers the next event, and then what is left, all the same
                log.exception("events could not be delivered")
