"""The event history's rows: bounded in number and in age, the newest first when they are read.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events.html
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from labs_helpers.sandbox.cloudtrail import record
from labs_helpers.sandbox.cloudtrail.record import Call

CAPACITY = 5_000
"""Events of all accounts and regions together; the oldest go first. AWS has no such bound."""

LIFE = timedelta(days=90)
"""How long an event stays, by the sandbox's clock."""

SCHEMA = """
create table events (
    number integer primary key autoincrement,
    account text not null,
    region text not null,
    at real not null,
    id text not null,
    name text not null,
    source text not null,
    username text not null,
    access_key_id text not null,
    read_only text not null,      -- "true" or "false", as LookupEvents spells them
    record text not null          -- the CloudTrailEvent, JSON
);
create index events_by_time on events (account, region, at, number);
create table event_resources (
    number integer not null references events on delete cascade,
    type text not null,
    name text not null,
    primary key (number, type, name)
) without rowid;
"""

COLUMNS: Mapping[str, str] = {
    "EventId": "id",
    "EventName": "name",
    "EventSource": "source",
    "Username": "username",
    "AccessKeyId": "access_key_id",
    "ReadOnly": "read_only",
}
"""The lookup attributes that are columns."""

_OF_RESOURCES = {"ResourceName": "name", "ResourceType": "type"}


def add(db: sqlite3.Connection, calls: Iterable[Call], role_arn: record.RoleArn) -> list[str]:
    """Append the records of calls, and delete what is too old or too much; the records, as JSON."""
    newest, oldest = 0, 0.0
    added = []
    for call in calls:
        document = record.of(call, role_arn)
        added.append(json.dumps(document, default=str))
        number = db.execute(
            "insert into events (account, region, at, id, name, source, username, access_key_id,"
            " read_only, record) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                call.principal.account,
                _storable(call.region),
                # as eventTime has it, so that StartTime and EndTime agree with what is shown
                int(call.at.timestamp()),
                call.id,
                _storable(call.operation),
                _storable(call.source),
                record.username(call.principal),
                call.principal.access_key_id,
                str(call.read_only).lower(),
                added[-1],
            ),
        ).lastrowid
        db.executemany(
            "insert or ignore into event_resources values (?, ?, ?)",
            [
                (number, each["type"], _storable(name))
                for each in document.get("resources", ())
                for name in names_of(each["ARN"])
            ],
        )
        newest, oldest = number or 0, (call.at - LIFE).timestamp()
    db.execute("delete from events where number <= ? or at < ?", (newest - CAPACITY, oldest))
    return added


def _storable(text: str) -> str:
    """JSON can name half of a pair of surrogates, for which a database has no bytes."""
    return text.encode(errors="replace").decode()


def names_of(arn: str) -> tuple[str, ...]:
    """Under which names LookupEvents finds a resource: its ARN, and its own name."""
    own = arn.split(":", 5)[5]
    _, slash, name = own.partition("/")
    return (arn, name if slash else own.rpartition(":")[2])


def after(
    db: sqlite3.Connection,
    place: tuple[str, str],
    attribute: tuple[str, str] | None,
    between: tuple[datetime | None, datetime | None],
    last: list[str] | None,
    limit: int,
) -> list[tuple[list[str], dict[str, Any]]]:
    """Events of an account and region, the newest first, each with its key in `paging`."""
    where, values = ["account = ?", "region = ?"], [*place]
    if attribute and attribute[0] in _OF_RESOURCES:
        column = _OF_RESOURCES[attribute[0]]
        where.append(
            "exists (select 1 from event_resources where event_resources.number = events.number"
            f" and event_resources.{column} = ?)"
        )
        values.append(attribute[1])
    elif attribute:
        where.append(f"{COLUMNS[attribute[0]]} = ?")
        values.append(attribute[1])
    bounds: list[float] = []
    for time, sign in zip(between, (">=", "<="), strict=True):
        if time is not None:
            where.append(f"at {sign} ?")
            bounds.append(time.timestamp())
    if last is not None:
        where.append("(at, number) < (?, ?)")
        bounds += [float(last[0]), int(last[1])]
    rows = db.execute(
        f"select * from events where {' and '.join(where)} order by at desc, number desc limit ?",
        (*values, *bounds, limit),
    ).fetchall()
    return [([str(row["at"]), str(row["number"])], _event(db, row)) for row in rows]


def _event(db: sqlite3.Connection, row: sqlite3.Row) -> dict[str, Any]:
    """A row in the shape of the API's ``Event``."""
    found = db.execute(
        "select type, name from event_resources where number = ? order by type, name",
        (row["number"],),
    )
    return {
        "EventId": row["id"],
        "EventName": row["name"],
        "ReadOnly": row["read_only"],
        "AccessKeyId": row["access_key_id"],
        "EventTime": datetime.fromtimestamp(row["at"], UTC),
        "EventSource": row["source"],
        "Username": row["username"],
        "Resources": [{"ResourceType": kind, "ResourceName": name} for kind, name in found],
        "CloudTrailEvent": row["record"],
    }
