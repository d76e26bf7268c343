"""ECS's state: clusters, task definitions, tasks and services, as documents of the API's names.

Times in the documents are seconds since 1970, by the sandbox clock. Members whose names begin with
"_" are the sandbox's own, and no answer has them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

from labs_helpers.sandbox.ecs.naming import Document, Place
from labs_helpers.sandbox.service import jobs
from labs_helpers.sandbox.service.store import document

SCHEMA = f"""
create table clusters (
    account text not null, region text not null, name text not null,
    body text not null,
    primary key (account, region, name)
) strict;
create table definitions (
    account text not null, region text not null, family text not null, revision integer not null,
    status text not null, body text not null,
    primary key (account, region, family, revision)
) strict;
create table services (
    account text not null, region text not null, cluster text not null, name text not null,
    status text not null, body text not null,
    primary key (account, region, cluster, name)
) strict;
create table tasks (
    id text primary key,
    account text not null, region text not null, cluster text not null,
    service text not null, stopped real, body text not null
) strict;
create index tasks_of_cluster on tasks (account, region, cluster, service);
{jobs.SCHEMA}
"""
"""tasks.service: the name of the task's service, or empty; tasks.stopped: when the task stopped."""

ACTIVE, INACTIVE, DRAINING = "ACTIVE", "INACTIVE", "DRAINING"
STOPPED_TASKS_SECONDS = 3600.0
"""How long a stopped task is shown.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-errors.html
"""

_HERE = "account = ? and region = ?"


def cluster(db: sqlite3.Connection, place: Place, name: str) -> Document | None:
    """The cluster of a name, an INACTIVE one too."""
    found = f"select body from clusters where {_HERE} and name = ?"
    return document(db.execute(found, (*place, name)).fetchone())


def clusters(db: sqlite3.Connection, place: Place) -> list[Document]:
    """Every cluster, by name."""
    rows = db.execute(f"select body from clusters where {_HERE} order by name", place)
    return [json.loads(row["body"]) for row in rows]


def save_cluster(db: sqlite3.Connection, place: Place, document: Mapping[str, Any]) -> None:
    row = (*place, document["clusterName"], json.dumps(document))
    db.execute("insert or replace into clusters values (?, ?, ?, ?)", row)


def definition(
    db: sqlite3.Connection, place: Place, family: str, revision: int | None
) -> Document | None:
    """A revision of a family; without a revision, the latest that is ACTIVE."""
    found = f"select body from definitions where {_HERE} and family = ?"
    if revision is None:
        latest = f"{found} and status = 'ACTIVE' order by revision desc limit 1"
        return document(db.execute(latest, (*place, family)).fetchone())
    return document(db.execute(f"{found} and revision = ?", (*place, family, revision)).fetchone())


def definitions(db: sqlite3.Connection, place: Place) -> list[Document]:
    """Every task definition, by family and revision."""
    rows = db.execute(
        f"select body from definitions where {_HERE} order by family, revision", place
    )
    return [json.loads(row["body"]) for row in rows]


def next_revision(db: sqlite3.Connection, place: Place, family: str) -> int:
    """The revision after the family's last; no number comes twice."""
    found = f"select max(revision) from definitions where {_HERE} and family = ?"
    return int(db.execute(found, (*place, family)).fetchone()[0] or 0) + 1


def save_definition(db: sqlite3.Connection, place: Place, document: Mapping[str, Any]) -> None:
    row = (
        *place,
        document["family"],
        document["revision"],
        document["status"],
        json.dumps(document),
    )
    db.execute("insert or replace into definitions values (?, ?, ?, ?, ?, ?)", row)


def service(db: sqlite3.Connection, place: Place, cluster: str, name: str) -> Document | None:
    """The service of a name, a DRAINING or INACTIVE one too."""
    found = f"select body from services where {_HERE} and cluster = ? and name = ?"
    return document(db.execute(found, (*place, cluster, name)).fetchone())


def services(db: sqlite3.Connection, place: Place, cluster: str) -> list[Document]:
    """Every service of a cluster, by name."""
    found = f"select body from services where {_HERE} and cluster = ? order by name"
    return [json.loads(row["body"]) for row in db.execute(found, (*place, cluster))]


def live_services(db: sqlite3.Connection) -> list[tuple[Place, str, str]]:
    """(place, cluster, name) of every service that is not INACTIVE, of all accounts."""
    rows = db.execute(
        "select account, region, cluster, name from services where status != ?", (INACTIVE,)
    )
    return [((row["account"], row["region"]), row["cluster"], row["name"]) for row in rows]


def save_service(
    db: sqlite3.Connection, place: Place, cluster: str, document: Mapping[str, Any]
) -> None:
    row = (*place, cluster, document["serviceName"], document["status"], json.dumps(document))
    db.execute("insert or replace into services values (?, ?, ?, ?, ?, ?)", row)


def task(db: sqlite3.Connection, place: Place, task_id: str) -> Document | None:
    found = f"select body from tasks where {_HERE} and id = ?"
    return document(db.execute(found, (*place, task_id)).fetchone())


def tasks(
    db: sqlite3.Connection, place: Place, cluster: str, service: str | None = None
) -> list[Document]:
    """The tasks of a cluster, or of one of its services, in the order of their start."""
    found = f"select body from tasks where {_HERE} and cluster = ?"
    values = [*place, cluster]
    if service is not None:
        found += " and service = ?"
        values.append(service)
    return [json.loads(row["body"]) for row in db.execute(f"{found} order by rowid", values)]


def add_task(
    db: sqlite3.Connection, place: Place, cluster: str, service: str, document: Mapping[str, Any]
) -> None:
    row = (document["_id"], *place, cluster, service, None, json.dumps(document))
    db.execute("insert into tasks values (?, ?, ?, ?, ?, ?, ?)", row)


def save_task(db: sqlite3.Connection, document: Mapping[str, Any]) -> None:
    values = (document.get("stoppedAt"), json.dumps(document), document["_id"])
    db.execute("update tasks set stopped = ?, body = ? where id = ?", values)


def forget_old_tasks(db: sqlite3.Connection, now: float) -> None:
    """Delete the tasks that stopped too long ago to be shown."""
    db.execute("delete from tasks where stopped < ?", (now - STOPPED_TASKS_SECONDS,))


def in_use(db: sqlite3.Connection, place: Place, cluster: str) -> Iterator[str]:
    """What keeps a cluster from being deleted: "services", "tasks"."""
    services_here = f"select 1 from services where {_HERE} and cluster = ? and status = ?"
    if db.execute(services_here, (*place, cluster, ACTIVE)).fetchone():
        yield "services"
    tasks_here = f"select 1 from tasks where {_HERE} and cluster = ? and stopped is null"
    if db.execute(tasks_here, (*place, cluster)).fetchone():
        yield "tasks"
