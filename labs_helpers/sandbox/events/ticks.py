"""The worker that acts for the rules with a schedule, by the sandbox clock.

When the clock jumps, a rule does what it would have done in the meantime, ``MOST`` times at the
most. The time in which the sandbox did not run is left out, but for one time of each rule.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.events import router, schedules, store
from labs_helpers.sandbox.events.schedules import Schedule
from labs_helpers.sandbox.service.events import event
from labs_helpers.sandbox.service.store import Store
from labs_helpers.sandbox.service.worker import Worker

log = logging.getLogger(__name__)

TOPIC = "rules"
"""What the store notifies of after a commit that changed a rule."""

MOST = 100
"""Times that one rule acts when the clock jumps; later ones of the jump are left out."""


def due_after(schedule: Schedule, last: datetime) -> float | None:
    """When a schedule comes next, in seconds since 1970."""
    found = schedule.after(last)
    return None if found is None else found.timestamp()


class Ticks(Worker[Store]):
    """Queues the events of schedules for the rules' targets."""

    name = "schedules"
    topic = TOPIC
    failure = "the schedules of rules could not be followed"

    def __init__(self, state: Store, clock: Clock) -> None:
        super().__init__(state)
        self._clock = clock
        self._most = 1

    def has_work(self) -> bool:
        """Whether an enabled rule has a schedule."""
        with self.store.read() as db:
            found = db.execute("select 1 from rules where due is not null limit 1").fetchone()
        return found is not None

    def patience(self) -> float | None:
        """Seconds until the next rule is due; a clock that stands still is waited for."""
        if self._clock.frozen:
            return None
        with self.store.read() as db:
            due = db.execute("select min(due) from rules where due is not null").fetchone()[0]
        return None if due is None else max(due - self._clock.now().timestamp(), 1.0)

    def work(self) -> None:
        """Act for every rule whose time has come."""
        now = self._clock.now().timestamp()
        asked = "select * from rules where due <= ? order by due"
        with self.store.read() as db:
            rows = db.execute(asked, (now,)).fetchall()
        for row in rows:
            if self.closing:
                return
            with self.apart(f"rule {row['name']}"):
                self._act(row, now)
        self._most = MOST

    def _act(self, row: Any, now: float) -> None:
        """Queue the events of one rule, and note when the rule is due next, in one transaction."""
        schedule, due = schedules.parse(row["schedule"]), row["due"]
        place = (row["account"], row["region"])
        key = (*place, row["bus"], row["name"])
        arn = store.rule_arn(place, row["bus"], row["name"])
        with self.store.write() as db:
            current = store.rule(db, place, row["bus"], row["name"])
            if current is None or current["due"] != due or current["schedule"] != row["schedule"]:
                return
            targets = store.targets(db, place, row["bus"], row["name"])
            for _ in range(self._most):
                if due is None or due > now:
                    break
                at = datetime.fromtimestamp(due, UTC)
                made = event("aws.events", "Scheduled Event", *place, at, {}, [arn])
                for target in targets:
                    store.enqueue(db, arn, target, made, 0, now)
                due = due_after(schedule, at)
            if due is not None and due <= now:
                log.warning("%s acts no more than %d times at once", arn, self._most)
                due = due_after(schedule, datetime.fromtimestamp(now, UTC))
            db.execute(
                "update rules set due = ?"
                " where account = ? and region = ? and bus = ? and name = ?",
                (due, *key),
            )
            self.store.notify(router.TOPIC)
