"""Tags of rules and event buses, each found by exactly its ARN."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence

from labs_helpers.sandbox.events import store
from labs_helpers.sandbox.events.errors import LimitExceeded, no_bus, no_rule
from labs_helpers.sandbox.events.store import Place
from labs_helpers.sandbox.service.store import Store

_TAGS = 50
"""https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-tagging.html"""


def of(state: Store, arn: str) -> dict[str, str]:
    """The tags of a rule or an event bus; raises NotFound."""
    with state.read() as db:
        return _find(db, arn)


def tag(state: Store, arn: str, tags: Mapping[str, str]) -> None:
    """Set tags; raises NotFound, LimitExceeded."""
    with state.write() as db:
        found = _find(db, arn) | dict(tags)
        if len(found) > _TAGS:
            raise LimitExceeded()
        _keep(db, arn, found)


def untag(state: Store, arn: str, keys: Sequence[str]) -> None:
    """Remove tags; a key without a tag is no error. Raises NotFound."""
    with state.write() as db:
        found = _find(db, arn)
        _keep(db, arn, {key: value for key, value in found.items() if key not in keys})


def tagged(state: Store, place: Place) -> Iterator[tuple[str, str, dict[str, str]]]:
    """(ARN, type as the tagging API names the type, tags) of each rule and bus."""
    with state.read() as db:
        buses = db.execute("select * from buses where account = ? and region = ?", place).fetchall()
        rules = db.execute("select * from rules where account = ? and region = ?", place).fetchall()
    for row in buses:
        yield store.bus_arn(place, row["name"]), "events:event-bus", json.loads(row["tags"])
    for row in rules:
        arn = store.rule_arn(place, row["bus"], row["name"])
        yield arn, "events:rule", json.loads(row["tags"])


def _find(db: sqlite3.Connection, arn: str) -> dict[str, str]:
    place, bus, rule = _parts(arn)
    row = store.rule(db, place, bus, rule) if rule else store.bus(db, place, bus)
    is_named = store.rule_arn(place, bus, rule) if rule else store.bus_arn(place, bus)
    if row is None or is_named != arn:
        raise no_rule(rule, bus) if rule else no_bus(bus or arn[:200])
    tags = row["tags"]
    found: dict[str, str] = tags if rule else json.loads(tags)
    return dict(found)


def _keep(db: sqlite3.Connection, arn: str, tags: Mapping[str, str]) -> None:
    place, bus, rule = _parts(arn)
    text = json.dumps(tags)
    if rule:
        db.execute(
            "update rules set tags = ? where account = ? and region = ? and bus = ? and name = ?",
            (text, *place, bus, rule),
        )
        return
    db.execute(
        "insert into buses (account, region, name, created, modified, tags)"
        " values (?, ?, ?, 0, 0, ?) on conflict do update set tags = excluded.tags",
        (*place, bus, text),
    )


def _parts(arn: str) -> tuple[Place, str, str]:
    """(place, bus, rule) that an ARN names; an empty rule for a bus's."""
    parts = (arn.split(":", 5) + [""] * 6)[:6]
    kind, _, path = parts[5].partition("/")
    place = (parts[4], parts[3])
    if kind == "event-bus":
        return place, path, ""
    bus, slash, rule = path.rpartition("/")
    return place, bus if slash else store.BUS, rule
