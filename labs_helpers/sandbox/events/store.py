"""EventBridge's state: buses, rules, targets, and deliveries that are not done yet.

Times are seconds since 1970, by the sandbox clock. Every account and region has the bus "default",
with a row only once the bus has a policy or tags.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from labs_helpers.sandbox.service.store import Store

SCHEMA = """
create table buses (
    account text not null,
    region text not null,
    name text not null,
    created real not null,
    modified real not null,
    description text,
    policy text,
    tags text not null default '{}',
    primary key (account, region, name)
) strict;
create table rules (
    account text not null,
    region text not null,
    bus text not null,
    name text not null,
    enabled integer not null,
    pattern text,
    schedule text,
    due real,
    body text not null,
    tags text not null default '{}',
    primary key (account, region, bus, name)
) strict;
create index rules_by_due on rules (due) where due is not null;
create table targets (
    account text not null,
    region text not null,
    bus text not null,
    rule text not null,
    id text not null,
    arn text not null,
    body text not null,
    primary key (account, region, bus, rule, id)
) strict;
create table deliveries (
    number integer primary key autoincrement,
    rule text not null,
    target text not null,
    event text not null,
    hops integer not null,
    since real not null,
    due real not null,
    attempts integer not null default 0
) strict;
create index deliveries_by_due on deliveries (due);
"""
"""rules.due: when the schedule comes next; deliveries.rule: the ARN; .hops: buses between the first
bus and the rule's; .since: when the event arrived at the rule; .attempts: those that failed."""

BUS = "default"
"""The bus that events of AWS services arrive on:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus.html"""

Document = dict[str, Any]
Place = tuple[str, str]
"""(account, region)"""


def opened(root: Path) -> Store:
    """The state under a folder; raises what `Store` raises."""
    return Store(root, "Events", SCHEMA)


def bus_arn(place: Place, name: str) -> str:
    return f"arn:aws:events:{place[1]}:{place[0]}:event-bus/{name}"


def rule_arn(place: Place, bus: str, name: str) -> str:
    """A rule of the default bus has no bus in its ARN:
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html#amazoneventbridge-resources-for-iam-policies
    """
    path = name if bus == BUS else f"{bus}/{name}"
    return f"arn:aws:events:{place[1]}:{place[0]}:rule/{path}"


def bus(db: sqlite3.Connection, place: Place, name: str) -> Mapping[str, Any] | None:
    """The row of a bus; of the default bus without a row, an empty one."""
    asked = "select * from buses where account = ? and region = ? and name = ?"
    row = db.execute(asked, (*place, name)).fetchone()
    if row is not None:
        return dict(row)
    unmade = {"name": BUS, "created": None, "modified": None, "description": None}
    return {**unmade, "policy": None, "tags": "{}"} if name == BUS else None


def policies(store: Store, arn: str) -> Iterator[str]:
    """The policy of the event bus that an ARN names, if the bus has a policy."""
    parts = arn.split(":", 5)
    if len(parts) == 6 and parts[5].startswith("event-bus/"):
        with store.read() as db:
            found = bus(db, (parts[4], parts[3]), parts[5].removeprefix("event-bus/"))
        if found is not None and found["policy"]:
            yield str(found["policy"])


def rule(db: sqlite3.Connection, place: Place, bus_name: str, name: str) -> Document | None:
    """The row of a rule, with `body` and `tags` read."""
    asked = "select * from rules where account = ? and region = ? and bus = ? and name = ?"
    row = db.execute(asked, (*place, bus_name, name)).fetchone()
    return None if row is None else read(row)


def read(row: sqlite3.Row) -> Document:
    """A row of rules, with `body` and `tags` read."""
    return {**dict(row), "body": json.loads(row["body"]), "tags": json.loads(row["tags"])}


def targets(db: sqlite3.Connection, place: Place, bus_name: str, name: str) -> list[Document]:
    """The targets of a rule, as PutTargets had them, in the order in which they came."""
    asked = (
        "select body from targets where account = ? and region = ? and bus = ? and rule = ?"
        " order by rowid"
    )
    return [json.loads(row["body"]) for row in db.execute(asked, (*place, bus_name, name))]


def enqueue(
    db: sqlite3.Connection, rule_arn: str, target: Document, event: Document, hops: int, now: float
) -> None:
    """Let an event wait for its way to a target."""
    db.execute(
        "insert into deliveries (rule, target, event, hops, since, due) values (?, ?, ?, ?, ?, ?)",
        (rule_arn, json.dumps(target), json.dumps(event), hops, now, now),
    )
