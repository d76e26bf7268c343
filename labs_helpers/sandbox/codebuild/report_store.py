"""Report groups, reports and test cases, as JSON documents by the names of the API."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from labs_helpers.sandbox.service.store import document

SCHEMA = """
create table groups (
    arn text primary key,
    account text not null,
    region text not null,
    body text not null
) strict;
create table reports (
    arn text primary key,
    report_group text not null,
    account text not null,
    region text not null,
    body text not null
) strict;
create table cases (
    report text not null,
    number integer not null,
    body text not null,
    primary key (report, number)
) strict;
"""
"""Apart from codebuild.sqlite, which is older than reports are."""

Document = dict[str, Any]
Place = tuple[str, str]
"""(account, region)"""


def group(db: sqlite3.Connection, arn: str) -> Document | None:
    return document(db.execute("select body from groups where arn = ?", (arn,)).fetchone())


def groups(db: sqlite3.Connection, place: Place) -> list[Document]:
    rows = db.execute("select body from groups where account = ? and region = ?", place)
    return [json.loads(row["body"]) for row in rows]


def save_group(db: sqlite3.Connection, place: Place, document: Mapping[str, Any]) -> None:
    row = (document["arn"], *place, json.dumps(document))
    db.execute("insert or replace into groups values (?, ?, ?, ?)", row)


def report(db: sqlite3.Connection, arn: str) -> Document | None:
    return document(db.execute("select body from reports where arn = ?", (arn,)).fetchone())


def reports(db: sqlite3.Connection, place: Place, of_group: str = "") -> list[Document]:
    """The reports of a place, or those of one group, in the order in which they were made."""
    rows = db.execute(
        "select body from reports where account = ? and region = ?"
        " and (? = '' or report_group = ?) order by rowid",
        (*place, of_group, of_group),
    )
    return [json.loads(row["body"]) for row in rows]


def save_report(db: sqlite3.Connection, place: Place, document: Mapping[str, Any]) -> None:
    row = (document["arn"], document["reportGroupArn"], *place, json.dumps(document))
    db.execute(
        "insert into reports values (?, ?, ?, ?, ?) on conflict do update set body = excluded.body",
        row,
    )


def add_cases(db: sqlite3.Connection, arn: str, found: Sequence[Mapping[str, Any]]) -> None:
    first = db.execute("select count(*) from cases where report = ?", (arn,)).fetchone()[0]
    rows = [(arn, first + number, json.dumps(each)) for number, each in enumerate(found)]
    db.executemany("insert into cases values (?, ?, ?)", rows)


def cases(db: sqlite3.Connection, arn: str) -> list[Document]:
    rows = db.execute("select body from cases where report = ? order by number", (arn,))
    return [json.loads(row["body"]) for row in rows]


def delete_report(db: sqlite3.Connection, arn: str) -> None:
    db.execute("delete from cases where report = ?", (arn,))
    db.execute("delete from reports where arn = ?", (arn,))


def delete_group(db: sqlite3.Connection, arn: str) -> None:
    db.execute("delete from groups where arn = ?", (arn,))
