"""The state of load balancing: the targets, the last look at the listeners, and their ports."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import Any, NamedTuple

from labs_helpers.sandbox.service import jobs

Document = dict[str, Any]

SCHEMA = f"""
create table targets (
    target_group text not null, id text not null, port integer not null,
    owner text not null, state text not null, reason text not null, description text not null,
    primary key (target_group, id, port)
) strict;
create table ports (listener text primary key, port integer not null) strict;
create table looks (one integer primary key check (one = 1), body text not null) strict;
{jobs.SCHEMA}
"""
"""targets.owner: the ARN of the service of ECS that registered the target, or empty; ports: of this
machine's loopback address; looks: what `moto.balancers.look` found last."""

INITIAL, HEALTHY, UNHEALTHY, DRAINING = "initial", "healthy", "unhealthy", "draining"

NO_LOOK: Document = {"balancers": {}, "listeners": {}, "groups": {}}


class Target(NamedTuple):
    """group: the ARN of the target group; id: an address."""

    group: str
    id: str
    port: int


def look(db: sqlite3.Connection) -> Document:
    row = db.execute("select body from looks").fetchone()
    return NO_LOOK if row is None else json.loads(row["body"])


def save_look(db: sqlite3.Connection, body: Document) -> None:
    db.execute("insert or replace into looks values (1, ?)", (json.dumps(body),))


def ports(db: sqlite3.Connection) -> dict[str, int]:
    """Listener -> port of the loopback address."""
    return {row["listener"]: row["port"] for row in db.execute("select * from ports")}


def save_ports(db: sqlite3.Connection, found: dict[str, int]) -> None:
    db.execute("delete from ports")
    db.executemany("insert into ports values (?, ?)", found.items())


def targets(db: sqlite3.Connection, group: str = "", owner: str = "") -> list[sqlite3.Row]:
    """The targets of a group, of an owner, or all; in the order of their registration."""
    if group:
        return db.execute(
            "select * from targets where target_group = ? order by rowid", (group,)
        ).fetchall()
    if owner:
        return db.execute("select * from targets where owner = ?", (owner,)).fetchall()
    return db.execute("select * from targets order by rowid").fetchall()


def register(db: sqlite3.Connection, each: Target, owner: str) -> None:
    """A new target, or one that was draining: its checks begin again."""
    row = (
        *each,
        owner,
        INITIAL,
        "Elb.RegistrationInProgress",
        "Target registration is in progress",
    )
    db.execute("insert or replace into targets values (?, ?, ?, ?, ?, ?, ?)", row)


def drain(db: sqlite3.Connection, each: Target) -> bool:
    """Send a target no further request; False for a target that is not registered."""
    told = ("Target.DeregistrationInProgress", "Target deregistration is in progress")
    changed = db.execute(
        "update targets set state = ?, reason = ?, description = ? "
        "where target_group = ? and id = ? and port = ?",
        (DRAINING, *told, *each),
    )
    return changed.rowcount > 0


def forget(db: sqlite3.Connection, each: Target) -> None:
    db.execute("delete from targets where target_group = ? and id = ? and port = ?", each)


def forget_groups(db: sqlite3.Connection, there: Iterable[str]) -> None:
    """Forget the targets of groups that are gone."""
    known = set(there)
    for row in db.execute("select distinct target_group from targets").fetchall():
        if row["target_group"] not in known:
            db.execute("delete from targets where target_group = ?", (row["target_group"],))


def healthy(db: sqlite3.Connection, each: Target, state: str, reason: str, said: str) -> bool:
    """What a check found, unless the target is draining; whether the state has changed."""
    changed = db.execute(
        "update targets set state = ?, reason = ?, description = ? "
        "where target_group = ? and id = ? and port = ? and state != ? and state != ?",
        (state, reason, said, *each, DRAINING, state),
    )
    return changed.rowcount > 0
