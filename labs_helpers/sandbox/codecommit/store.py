"""The rows of repositories; what they hold is in git folders (bare.py)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.service.store import document

SCHEMA = """
create table repositories (
    id text primary key,
    account text not null,
    region text not null,
    name text not null,
    body text not null,
    unique (account, region, name)
) strict;
"""
"""repositories.body: RepositoryMetadata by the names of the API, with "tags"; times in seconds."""

Document = dict[str, Any]
Place = tuple[str, str]
"""(account, region)"""


def find(db: sqlite3.Connection, place: Place, name: str) -> Document | None:
    row = db.execute(
        "select body from repositories where account = ? and region = ? and name = ?",
        (*place, name),
    ).fetchone()
    return document(row)


def by_id(db: sqlite3.Connection, wanted: str) -> Document | None:
    row = db.execute("select body from repositories where id = ?", (wanted,)).fetchone()
    return document(row)


def every(db: sqlite3.Connection, place: Place) -> list[Document]:
    """The repositories of an account and region by name."""
    rows = db.execute(
        "select body from repositories where account = ? and region = ? order by name", place
    )
    return [json.loads(row["body"]) for row in rows]


def ids(db: sqlite3.Connection) -> set[str]:
    return {row["id"] for row in db.execute("select id from repositories")}


def save(db: sqlite3.Connection, place: Place, document: Mapping[str, Any]) -> None:
    db.execute(
        "insert into repositories values (?, ?, ?, ?, ?)"
        " on conflict (id) do update set name = excluded.name, body = excluded.body",
        (document["repositoryId"], *place, document["repositoryName"], json.dumps(document)),
    )


def delete(db: sqlite3.Connection, wanted: str) -> None:
    db.execute("delete from repositories where id = ?", (wanted,))
