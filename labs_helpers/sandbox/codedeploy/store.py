"""CodeDeploy's state: applications, deployment groups, configurations and deployments.

Times in the documents are seconds since 1970, by the sandbox clock. A deployment's document is
changed by the driver and by operations: each change names the version that the change was made of,
so that none is lost.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.service.store import document

SCHEMA = """
create table applications (
    account text not null, region text not null, name text not null, body text not null,
    primary key (account, region, name)
) strict;
create table groups (
    account text not null, region text not null, application text not null, name text not null,
    body text not null,
    primary key (account, region, application, name)
) strict;
create table configs (
    account text not null, region text not null, name text not null, body text not null,
    primary key (account, region, name)
) strict;
create table deployments (
    number integer primary key,
    account text not null, region text not null, id text not null unique,
    application text not null, deployment_group text not null,
    active integer not null, version integer not null, body text not null
) strict;
create index deployments_of_group
    on deployments (account, region, application, deployment_group, active);
"""
"""deployments.body: `deployments.new`; active: the deployment has not ended."""

TOPIC = "deployments"
"""What the store notifies of after a commit that changed a deployment."""

Document = dict[str, Any]
Place = tuple[str, str]
"""(account, region)"""

_HERE = "account = ? and region = ?"


def application(db: sqlite3.Connection, place: Place, name: str) -> Document | None:
    found = f"select body from applications where {_HERE} and name = ?"
    return document(db.execute(found, (*place, name)).fetchone())


def applications(db: sqlite3.Connection, place: Place) -> list[str]:
    """Names."""
    rows = db.execute(f"select name from applications where {_HERE} order by name", place)
    return [row["name"] for row in rows]


def save_application(db: sqlite3.Connection, place: Place, body: Mapping[str, Any]) -> None:
    row = (*place, body["applicationName"], json.dumps(body))
    db.execute("insert or replace into applications values (?, ?, ?, ?)", row)


def rename_application(db: sqlite3.Connection, place: Place, old: str, new: str) -> None:
    """The groups and deployments go with the application."""
    for table in ("groups", "deployments"):
        change = f"update {table} set application = ? where {_HERE} and application = ?"
        db.execute(change, (new, *place, old))
    db.execute(f"delete from applications where {_HERE} and name = ?", (*place, old))


def delete_application(db: sqlite3.Connection, place: Place, name: str) -> None:
    """With its groups; its deployments remain readable by their IDs."""
    db.execute(f"delete from applications where {_HERE} and name = ?", (*place, name))
    db.execute(f"delete from groups where {_HERE} and application = ?", (*place, name))


def group(db: sqlite3.Connection, place: Place, owner: str, name: str) -> Document | None:
    """A deployment group of an application."""
    found = f"select body from groups where {_HERE} and application = ? and name = ?"
    return document(db.execute(found, (*place, owner, name)).fetchone())


def groups(db: sqlite3.Connection, place: Place, owner: str) -> list[Document]:
    """The deployment groups of an application, by name."""
    found = f"select body from groups where {_HERE} and application = ? order by name"
    return [json.loads(row["body"]) for row in db.execute(found, (*place, owner))]


def all_groups(db: sqlite3.Connection, place: Place) -> list[Document]:
    """The deployment groups of every application."""
    rows = db.execute(f"select body from groups where {_HERE}", place)
    return [json.loads(row["body"]) for row in rows]


def save_group(db: sqlite3.Connection, place: Place, owner: str, body: Mapping[str, Any]) -> None:
    row = (*place, owner, body["deploymentGroupName"], json.dumps(body))
    db.execute("insert or replace into groups values (?, ?, ?, ?, ?)", row)


def delete_group(db: sqlite3.Connection, place: Place, owner: str, name: str) -> None:
    statement = f"delete from groups where {_HERE} and application = ? and name = ?"
    db.execute(statement, (*place, owner, name))


def config(db: sqlite3.Connection, place: Place, name: str) -> Document | None:
    """A deployment configuration of the account's own."""
    found = f"select body from configs where {_HERE} and name = ?"
    return document(db.execute(found, (*place, name)).fetchone())


def configs(db: sqlite3.Connection, place: Place) -> list[str]:
    """Names."""
    rows = db.execute(f"select name from configs where {_HERE} order by name", place)
    return [row["name"] for row in rows]


def save_config(db: sqlite3.Connection, place: Place, body: Mapping[str, Any]) -> None:
    row = (*place, body["deploymentConfigName"], json.dumps(body))
    db.execute("insert or replace into configs values (?, ?, ?, ?)", row)


def delete_config(db: sqlite3.Connection, place: Place, name: str) -> None:
    db.execute(f"delete from configs where {_HERE} and name = ?", (*place, name))


def deployment(db: sqlite3.Connection, place: Place, number: str) -> tuple[Document, int] | None:
    """A deployment and the version of its document."""
    found = f"select body, version from deployments where {_HERE} and id = ?"
    row = db.execute(found, (*place, number)).fetchone()
    return None if row is None else (json.loads(row["body"]), row["version"])


def deployments(
    db: sqlite3.Connection, place: Place, application: str = "", group: str = ""
) -> list[Document]:
    """The newest first; of all applications, of one, or of one of its groups."""
    found, values = f"select body from deployments where {_HERE}", list(place)
    for column, value in (("application", application), ("deployment_group", group)):
        if value:
            found += f" and {column} = ?"
            values.append(value)
    return [json.loads(row["body"]) for row in db.execute(f"{found} order by number desc", values)]


def at_work(db: sqlite3.Connection) -> list[tuple[Place, str]]:
    """(place, ID) of every deployment that has not ended, the oldest first."""
    rows = db.execute("select account, region, id from deployments where active order by number")
    return [((row["account"], row["region"]), row["id"]) for row in rows]


def add_deployment(db: sqlite3.Connection, place: Place, body: Mapping[str, Any]) -> None:
    db.execute(
        "insert into deployments (account, region, id, application, deployment_group, active,"
        " version, body) values (?, ?, ?, ?, ?, ?, 1, ?)",
        (*place, body["id"], body["application"], body["group"], _active(body), json.dumps(body)),
    )


def save_deployment(db: sqlite3.Connection, body: Mapping[str, Any], version: int) -> bool:
    """Write a deployment whose document had a version; False where it has another by now."""
    changed = db.execute(
        "update deployments set active = ?, version = version + 1, body = ?"
        " where id = ? and version = ?",
        (_active(body), json.dumps(body), body["id"], version),
    )
    return changed.rowcount == 1


def _active(body: Mapping[str, Any]) -> bool:
    return body["status"] not in ("Succeeded", "Failed", "Stopped")
