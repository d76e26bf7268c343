"""CodePipeline's state: pipelines, their versions and executions, as JSON documents.

Times in the documents are seconds since 1970, by the sandbox clock.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from labs_helpers.sandbox.service import jobs
from labs_helpers.sandbox.service.store import document

SCHEMA = f"""
create table pipelines (
    account text not null,
    region text not null,
    name text not null,
    body text not null,
    primary key (account, region, name)
) strict;
create table versions (
    account text not null,
    region text not null,
    name text not null,
    version integer not null,
    body text not null,
    primary key (account, region, name, version)
) strict;
create table executions (
    number integer primary key,
    account text not null,
    region text not null,
    pipeline text not null,
    id text not null unique,
    active integer not null,
    body text not null
) strict;
create index executions_of_pipeline on executions (account, region, pipeline, active);
create table fetches (
    id text primary key,
    body text not null
) strict;
{jobs.SCHEMA}
"""
"""pipelines.body: {{"declaration", "created", "updated", "transitions", "seen", "tags"}};
executions.body: executions.py; active: the execution has not ended; fetches: fetches.py, by the
attempt's id."""

TOPIC = "pipelines"
"""What the store notifies of after a commit that changed an execution."""

Document = dict[str, Any]
Place = tuple[str, str]
"""(account, region)"""


def at(seconds: float) -> datetime:
    """A time of a document as answers have it."""
    return datetime.fromtimestamp(seconds, UTC)


def pipeline(db: sqlite3.Connection, place: Place, name: str) -> Document | None:
    found = "select body from pipelines where account = ? and region = ? and name = ?"
    row = db.execute(found, (*place, name)).fetchone()
    return document(row)


def pipelines(db: sqlite3.Connection, place: Place) -> list[Document]:
    """The pipelines of an account and region by name."""
    found = "select body from pipelines where account = ? and region = ? order by name"
    return [json.loads(row["body"]) for row in db.execute(found, place)]


def save_pipeline(db: sqlite3.Connection, place: Place, document: Mapping[str, Any]) -> None:
    """Write a pipeline, and its definition as a version."""
    made = document["declaration"]
    for statement, key in (
        ("insert or replace into pipelines values (?, ?, ?, ?)", (*place, made["name"])),
        (
            "insert or ignore into versions values (?, ?, ?, ?, ?)",
            (*place, made["name"], made["version"]),
        ),
    ):
        body = document if "pipelines" in statement else made
        db.execute(statement, (*key, json.dumps(body)))


def version(db: sqlite3.Connection, place: Place, name: str, number: int) -> Document | None:
    row = db.execute(
        "select body from versions where account = ? and region = ? and name = ? and version = ?",
        (*place, name, number),
    ).fetchone()
    return document(row)


def delete_pipeline(db: sqlite3.Connection, place: Place, name: str) -> None:
    """Remove a pipeline with its versions and executions."""
    for table, column in (("pipelines", "name"), ("versions", "name"), ("executions", "pipeline")):
        db.execute(
            f"delete from {table} where account = ? and region = ? and {column} = ?",
            (*place, name),
        )


def add_execution(db: sqlite3.Connection, place: Place, document: Mapping[str, Any]) -> None:
    db.execute(
        "insert into executions (account, region, pipeline, id, active, body)"
        " values (?, ?, ?, ?, 1, ?)",
        (*place, document["pipeline"], document["id"], json.dumps(document)),
    )


def save_execution(db: sqlite3.Connection, document: Mapping[str, Any]) -> None:
    db.execute(
        "update executions set active = ?, body = ? where id = ?",
        (document["status"] in ACTIVE, json.dumps(document), document["id"]),
    )


ACTIVE = ("InProgress", "Stopping")


def executions(
    db: sqlite3.Connection, place: Place, name: str, only_active: bool = False
) -> list[Document]:
    """The executions of a pipeline, the oldest first."""
    rows = db.execute(
        "select body from executions where account = ? and region = ? and pipeline = ?"
        " and active >= ? order by number",
        (*place, name, int(only_active)),
    )
    return [json.loads(row["body"]) for row in rows]


def execution(db: sqlite3.Connection, execution_id: str) -> Document | None:
    found = "select body from executions where id = ?"
    row = db.execute(found, (execution_id,)).fetchone()
    return document(row)


def at_work(db: sqlite3.Connection) -> list[tuple[Place, str]]:
    """Each pipeline that has an execution which has not ended."""
    rows = db.execute(
        "select distinct account, region, pipeline from executions where active = 1 order by 1,2,3"
    )
    return [((row["account"], row["region"]), row["pipeline"]) for row in rows]


def everything(db: sqlite3.Connection) -> list[tuple[Place, Document]]:
    """Every pipeline of every account and region."""
    rows = db.execute("select account, region, body from pipelines order by account, region, name")
    return [((row["account"], row["region"]), json.loads(row["body"])) for row in rows]
