"""What ECR tells EventBridge, kept until it is delivered.

Shape of an event: https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html and
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html

An event is written in the transaction of the act that it tells of, and waits as a document of its
registry, kind ``event``, at most ``KEPT`` a registry (the oldest go first). The order of names is
that of the acts. `sandbox/events/delivery.py` delivers.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from labs_helpers.sandbox.ecr.repositories import Registry
from labs_helpers.sandbox.ecr.store import Store

Event = dict[str, Any]
"""An event as EventBridge hands it to a target."""

KIND = "event"
KEPT = 1000

_STEP = 0.000001
"""Seconds between the names of two events of one moment."""


@dataclass(frozen=True)
class Waiting:
    """An event and the name under which its registry keeps it."""

    name: str
    event: Event


def keep(
    db: sqlite3.Connection,
    registry: Registry,
    at: float,
    detail_type: str,
    detail: dict[str, Any],
    resources: Sequence[str] = (),
) -> None:
    """Write an event; `at` is when it happened, in seconds since 1970.

    Whoever calls this calls ``store.event_kept()`` once the transaction is on disk.
    """
    event: Event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": "aws.ecr",
        "account": registry.account,
        "time": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": registry.region,
        "resources": list(resources),
        "detail": detail,
    }
    place = (registry.account, registry.region, KIND)
    name = f"{_after_the_last(db, place, at):020.6f} {event['id']}"
    db.execute(
        "insert into registry_documents values (?, ?, ?, ?, ?)", (*place, name, json.dumps(event))
    )
    db.execute(
        "delete from registry_documents where account = ? and region = ? and kind = ? and name <="
        " (select name from registry_documents where account = ? and region = ? and kind = ?"
        " order by name desc limit 1 offset ?)",
        (*place, *place, KEPT),
    )


def _after_the_last(db: sqlite3.Connection, place: tuple[str, str, str], at: float) -> float:
    """`at`, or a little later when an event of that moment waits: clocks stand, and step back."""
    last = db.execute(
        "select max(name) from registry_documents where account = ? and region = ? and kind = ?",
        place,
    ).fetchone()[0]
    return at if last is None else max(at, float(last.split(" ")[0]) + _STEP)


def any_waiting(store: Store) -> bool:
    """Whether an event waits."""
    with store.read() as db:
        row = db.execute("select 1 from registry_documents where kind = ? limit 1", (KIND,))
        return row.fetchone() is not None


def waiting(store: Store) -> list[Waiting]:
    """Every event not delivered yet, of all registries, the oldest first."""
    with store.read() as db:
        rows = db.execute(
            "select name, body from registry_documents where kind = ? order by name", (KIND,)
        ).fetchall()
    return [Waiting(row["name"], json.loads(row["body"])) for row in rows]


def delivered(store: Store, done: Sequence[Waiting]) -> None:
    """Forget events."""
    with store.write() as db:
        db.executemany(
            "delete from registry_documents where account = ? and region = ? and kind = ?"
            " and name = ?",
            [(one.event["account"], one.event["region"], KIND, one.name) for one in done],
        )
