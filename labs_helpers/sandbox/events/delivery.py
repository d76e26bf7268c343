"""The thread that delivers ECR's events to EventBridge, in order and at least once.

An event is forgotten only after every rule has had it; `kill -9` before that leaves it waiting in
the store, for the next start. The thread starts with the first event.
"""

from __future__ import annotations

from collections.abc import Callable

from labs_helpers.sandbox.background import Background
from labs_helpers.sandbox.ecr import events
from labs_helpers.sandbox.ecr.events import Event
from labs_helpers.sandbox.ecr.store import Store


class EventDelivery:
    """Delivers what one store keeps; thread-safe."""

    def __init__(self, store: Store, publish: Callable[[Event], None]) -> None:
        """publish: gives an event to EventBridge, and raises nothing for a target that fails.

        What waits from an earlier run is delivered now.
        """
        self._store = store
        self._publish = publish
        self._thread = Background("events", self.deliver_waiting, "events could not be delivered")
        store.event_kept = self.wake
        store.before_close.append(self.stop)
        if events.any_waiting(store):
            self.wake()

    def wake(self) -> None:
        """There is something to deliver."""
        self._thread.wake()

    def stop(self) -> None:
        """End the thread after the event under way; the others are left waiting."""
        self._thread.stop()

    def deliver_waiting(self) -> None:
        """Deliver what waits, the oldest first; raises sqlite3.Error when it cannot be forgotten.

        It is then delivered again the next time.
        """
        done = []
        try:
            for one in events.waiting(self._store):
                if self._thread.stopping:
                    break
                self._publish(one.event)
                done.append(one)
        finally:
            if done:
                events.delivered(self._store, done)
