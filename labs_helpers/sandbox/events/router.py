"""Which rules want an event, and what waits for its way to their targets from then on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.events import patterns, store
from labs_helpers.sandbox.events.store import Place
from labs_helpers.sandbox.service.events import API_CALL, Event
from labs_helpers.sandbox.service.store import Store

TOPIC = "deliveries"
"""What the store notifies of after a commit that queued a delivery."""

compiled = lru_cache(maxsize=1024)(patterns.parse)


class Router:
    """Thread-safe."""

    def __init__(self, state: Store, clock: Clock) -> None:
        self._store = state
        self._clock = clock

    def emit(self, event: Event) -> None:
        """Give the event of an AWS service to the rules of the default bus. Nobody waits for the
        targets.

        `service.events.Emit`; raises sqlite3.Error or NoRoom when the event cannot be kept.
        """
        self.offer((event["account"], event["region"]), store.BUS, event)

    def offer(self, place: Place, bus: str, event: Event, hops: int = 0) -> None:
        """Queue an event for every target of every rule of a bus that wants the event.

        hops: other buses that the event came by.
        """
        wanted = [row for row in self._rules(place, bus) if _wants(row, event)]
        if not wanted:
            return
        now = self._clock.now().timestamp()
        with self._store.write() as db:
            for row in wanted:
                arn = store.rule_arn(place, bus, row["name"])
                for target in store.targets(db, place, bus, row["name"]):
                    store.enqueue(db, arn, target, event, hops, now)
            self._store.notify(TOPIC)

    def _rules(self, place: Place, bus: str) -> list[Any]:
        asked = (
            "select name, pattern from rules where account = ? and region = ? and bus = ?"
            " and enabled and pattern is not null order by rowid"
        )
        with self._store.read() as db:
            return db.execute(asked, (*place, bus)).fetchall()


def _wants(row: Any, event: Mapping[str, Any]) -> bool:
    """Whether a rule wants an event.

    On AWS a call becomes an event where a trail logs, and a new account has no trail. Here a call
    is told to those rules alone that name this detail-type.
    """
    if event["detail-type"] == API_CALL and API_CALL not in row["pattern"]:
        return False
    return compiled(row["pattern"]).matches(event)
