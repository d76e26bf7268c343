"""The worker that delivers ECR's events to EventBridge, in order and at least once.

An event leaves its queue after every rule has had it. `kill -9` before that leaves the event in the
queue, for the next start.
"""

from __future__ import annotations

from collections.abc import Callable

from labs_helpers.sandbox.ecr import events
from labs_helpers.sandbox.ecr.events import Event
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.service.worker import Worker


class EventDelivery(Worker[Store]):
    """Delivers the events of one store."""

    name = "events"
    topic = events.TOPIC
    failure = "events could not be delivered"

    def __init__(self, store: Store, publish: Callable[[Event], None]) -> None:
        """publish: gives an event to EventBridge, and raises nothing for a target that fails."""
        super().__init__(store)
        self._publish = publish

    def has_work(self) -> bool:
        """Whether an event is queued."""
        return not events.is_empty(self.store)

    def work(self) -> None:
        """Deliver the queued events, the oldest first.

        Raises sqlite3.Error when a delivered event cannot be removed; the next time delivers it
        again.
        """
        delivered = []
        try:
            for queued in events.queue(self.store):
                if self.closing:
                    break
                self._publish(queued.event)
                delivered.append(queued)
        finally:
            if delivered:
                events.remove(self.store, delivered)
