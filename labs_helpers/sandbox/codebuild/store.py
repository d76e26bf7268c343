"""CodeBuild's state: projects and builds, as JSON documents by the names of the API.

Times in the documents are seconds since 1970, by the sandbox clock.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.service import jobs
from labs_helpers.sandbox.service.store import document

SCHEMA = f"""
create table projects (
    account text not null,
    region text not null,
    name text not null,
    created real not null,
    modified real not null,
    builds integer not null default 0,
    body text not null,
    primary key (account, region, name)
) strict;
create table builds (
    id text not null,
    account text not null,
    region text not null,
    project text not null,
    number integer not null,
    status text not null,
    stopping integer not null default 0,
    request text not null,
    body text not null,
    primary key (account, region, id)
) strict;
create index builds_of_project on builds (account, region, project, number);
{jobs.SCHEMA}
"""
"""builds.request: StartBuild's parameters, for RetryBuild; builds.number: within the project."""

Document = dict[str, Any]
Place = tuple[str, str]
"""(account, region)"""

RUNNING = "IN_PROGRESS"


def project(db: sqlite3.Connection, place: Place, name: str) -> Document | None:
    """A project with its times and the number of its builds."""
    found = "select * from projects where account = ? and region = ? and name = ?"
    row = db.execute(found, (*place, name)).fetchone()
    return document(row)


def save_project(db: sqlite3.Connection, place: Place, document: Mapping[str, Any]) -> None:
    """Write a project; the count of its builds stays."""
    db.execute(
        "insert into projects (account, region, name, created, modified, body)"
        " values (?, ?, ?, ?, ?, ?) on conflict do update"
        " set modified = excluded.modified, body = excluded.body",
        (
            *place,
            document["name"],
            document["created"],
            document["lastModified"],
            json.dumps(document),
        ),
    )


def next_number(db: sqlite3.Connection, place: Place, name: str) -> int:
    """The number of the project's next build, which no other build gets."""
    row = db.execute(
        "update projects set builds = builds + 1 where account = ? and region = ? and name = ?"
        " returning builds",
        (*place, name),
    ).fetchone()
    return int(row[0])


def add_build(
    db: sqlite3.Connection, place: Place, document: Mapping[str, Any], request: Mapping[str, Any]
) -> None:
    """Write a new build, with the parameters that started the build."""
    db.execute(
        "insert into builds (id, account, region, project, number, status, request, body)"
        " values (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            document["id"],
            *place,
            document["projectName"],
            document["buildNumber"],
            document["buildStatus"],
            json.dumps(request),
            json.dumps(document),
        ),
    )


def save_build(db: sqlite3.Connection, place: Place, document: Mapping[str, Any]) -> None:
    """Write what changed of a build."""
    db.execute(
        "update builds set status = ?, body = ? where account = ? and region = ? and id = ?",
        (document["buildStatus"], json.dumps(document), *place, document["id"]),
    )


def build(db: sqlite3.Connection, place: Place, build_id: str) -> sqlite3.Row | None:
    """The row of a build; its body is JSON."""
    found = "select * from builds where account = ? and region = ? and id = ?"
    row: sqlite3.Row | None = db.execute(found, (*place, build_id)).fetchone()
    return row


def running(db: sqlite3.Connection, place: Place, name: str) -> int:
    """How many builds of a project are in progress."""
    counted = (
        "select count(*) from builds where account = ? and region = ? and project = ?"
        " and status = ?"
    )
    return int(db.execute(counted, (*place, name, RUNNING)).fetchone()[0])
