"""Connections, and the git folders that stand for their repositories."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.service import jobs
from labs_helpers.sandbox.service.store import document

SCHEMA = f"""
create table connections (
    arn text primary key,
    account text not null,
    region text not null,
    body text not null
) strict;
create table repositories (
    id text primary key,
    connection text not null,
    name text not null,
    folder text not null,
    heads text not null,
    unique (connection, name)
) strict;
{jobs.SCHEMA}
"""
"""connections.body: by the names of the API; repositories.name: "owner/name", as a pipeline's
FullRepositoryId; repositories.heads: {{"refs/heads/main": commit}} with tags too, as last seen; ""
before the first look."""

Document = dict[str, Any]
Place = tuple[str, str]
"""(account, region)"""

PENDING, AVAILABLE = "PENDING", "AVAILABLE"


def connection(db: sqlite3.Connection, arn: str) -> Document | None:
    row = db.execute("select body from connections where arn = ?", (arn,)).fetchone()
    return document(row)


def connections(db: sqlite3.Connection, place: Place) -> list[Document]:
    """The connections of an account and region in the order in which they were made."""
    rows = db.execute(
        "select body from connections where account = ? and region = ? order by rowid", place
    )
    return [json.loads(row["body"]) for row in rows]


def save(db: sqlite3.Connection, place: Place, document: Mapping[str, Any]) -> None:
    db.execute(
        "insert into connections values (?, ?, ?, ?)"
        " on conflict do update set body = excluded.body",
        (document["ConnectionArn"], *place, json.dumps(document)),
    )


def repository(db: sqlite3.Connection, arn: str, name: str) -> sqlite3.Row | None:
    found = "select * from repositories where connection = ? and name = ?"
    row: sqlite3.Row | None = db.execute(found, (arn, name)).fetchone()
    return row
