"""Clusters, and what belongs to a cluster, as JSON documents by the names of the API.

Times in the documents are seconds since 1970, by the sandbox clock.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.service.store import document

SCHEMA = """
create table clusters (
    account text not null,
    region text not null,
    name text not null,
    body text not null,
    primary key (account, region, name)
) strict;
create table parts (
    account text not null,
    region text not null,
    cluster text not null,
    kind text not null,
    name text not null,
    body text not null,
    primary key (account, region, cluster, kind, name)
) strict;
"""
"""parts.kind: NODEGROUP, PROFILE or ENTRY; parts.name: of an access entry the principal's ARN."""

CLUSTER, NODEGROUP, PROFILE, ENTRY = "cluster", "nodegroup", "fargateprofile", "access-entry"

_MAKING = {CLUSTER: 30.0, NODEGROUP: 15.0, PROFILE: 10.0}
_DELETING = {CLUSTER: 10.0, NODEGROUP: 10.0, PROFILE: 5.0}
"""Seconds by the sandbox clock. On AWS a cluster takes about ten minutes, and a node group some
minutes: https://docs.aws.amazon.com/eks/latest/userguide/getting-started-console.html. Here nothing
is made but the record, and the times are short. The statuses and their order are AWS's."""

Document = dict[str, Any]
Place = tuple[str, str]
"""(account, region)"""


def cluster(db: sqlite3.Connection, place: Place, name: str) -> Document | None:
    found = "select body from clusters where account = ? and region = ? and name = ?"
    return document(db.execute(found, (*place, name)).fetchone())


def clusters(db: sqlite3.Connection, place: Place) -> list[Document]:
    rows = db.execute(
        "select body from clusters where account = ? and region = ? order by name", place
    )
    return [json.loads(row["body"]) for row in rows]


def save_cluster(db: sqlite3.Connection, place: Place, document: Mapping[str, Any]) -> None:
    row = (*place, document["name"], json.dumps(document))
    db.execute("insert or replace into clusters values (?, ?, ?, ?)", row)


def forget_cluster(db: sqlite3.Connection, place: Place, name: str) -> None:
    db.execute("delete from parts where account = ? and region = ? and cluster = ?", (*place, name))
    db.execute("delete from clusters where account = ? and region = ? and name = ?", (*place, name))


def part(
    db: sqlite3.Connection, place: Place, cluster: str, kind: str, name: str
) -> Document | None:
    found = (
        "select body from parts where account = ? and region = ? and cluster = ? and kind = ?"
        " and name = ?"
    )
    return document(db.execute(found, (*place, cluster, kind, name)).fetchone())


def parts(db: sqlite3.Connection, place: Place, cluster: str, kind: str) -> dict[str, Document]:
    """Name -> document, by name."""
    rows = db.execute(
        "select name, body from parts where account = ? and region = ? and cluster = ?"
        " and kind = ? order by name",
        (*place, cluster, kind),
    )
    return {row["name"]: json.loads(row["body"]) for row in rows}


def save_part(
    db: sqlite3.Connection, place: Place, kind: str, name: str, document: Mapping[str, Any]
) -> None:
    row = (*place, document["clusterName"], kind, name, json.dumps(document))
    db.execute("insert or replace into parts values (?, ?, ?, ?, ?, ?)", row)


def forget_part(db: sqlite3.Connection, place: Place, cluster: str, kind: str, name: str) -> None:
    db.execute(
        "delete from parts where account = ? and region = ? and cluster = ? and kind = ?"
        " and name = ?",
        (*place, cluster, kind, name),
    )


def status(document: Mapping[str, Any], kind: str, now: float) -> str:
    """CREATING, ACTIVE or DELETING; "" for what is gone by now."""
    if (gone := document.get("deletedAt")) is not None:
        return "DELETING" if now < gone + _DELETING[kind] else ""
    return "CREATING" if now < document["createdAt"] + _MAKING[kind] else "ACTIVE"
