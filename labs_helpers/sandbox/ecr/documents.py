"""JSON documents that ECR stores whole: policies, rules, templates, scan findings.

Each document belongs to a registry, a repository or an image, and is deleted with its owner.
`kind` says what the document is (`lifecycle-policy`); `name` tells several of a kind apart (a
prefix, an id), and is empty where there is one.
"""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from typing import Any

from labs_helpers.sandbox.ecr.image_rows import Image
from labs_helpers.sandbox.ecr.repositories import Registry, Repository, require
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.service.errors import ServiceError

Owner = Registry | Repository | Image

_TIMES = ("createdAt", "updatedAt")


def _place(owner: Owner) -> tuple[str, dict[str, str | int]]:
    if isinstance(owner, Registry):
        return "registry_documents", {"account": owner.account, "region": owner.region}
    if isinstance(owner, Repository):
        return "repository_documents", {"repository_id": owner.id}
    return "image_documents", {"image_id": owner.id}


def put(store: Store, owner: Owner, kind: str, body: Any, name: str = "") -> None:
    """Store `body` (anything that JSON can spell) in place of the document that was there.

    Raises RepositoryNotFound when the repository was deleted since it was read.
    """
    with store.write() as db:
        put_within(db, owner, kind, body, name)


def put_within(db: sqlite3.Connection, owner: Owner, kind: str, body: Any, name: str = "") -> None:
    """Like put, in the transaction of the caller."""
    table, key = _place(owner)
    columns = [*key, "kind", "name", "body"]
    marks = ", ".join("?" * len(columns))
    if isinstance(owner, Repository):
        require(db, owner)
    db.execute(
        f"insert or replace into {table} ({', '.join(columns)}) values ({marks})",
        (*key.values(), kind, name, json.dumps(body)),
    )


def get(
    store: Store, owner: Owner, kind: str, name: str = "", missing: ServiceError | None = None
) -> Any:
    """The document; without one, None, or raises ``missing``."""
    found = list_all(store, owner, kind).get(name)
    if found is None and missing is not None:
        raise missing
    return found


def list_all(store: Store, owner: Owner, kind: str) -> dict[str, Any]:
    """Every document of a kind, by name, in order of name."""
    with store.read() as db:
        return _all_within(db, owner, kind)


def get_within(db: sqlite3.Connection, owner: Owner, kind: str, name: str = "") -> Any:
    """The document or None, in the transaction of the caller."""
    return _all_within(db, owner, kind).get(name)


def _all_within(db: sqlite3.Connection, owner: Owner, kind: str) -> dict[str, Any]:
    table, key = _place(owner)
    where = " and ".join(f"{column} = ?" for column in [*key, "kind"])
    rows = db.execute(
        f"select name, body from {table} where {where} order by name", (*key.values(), kind)
    ).fetchall()
    return {row["name"]: json.loads(row["body"]) for row in rows}


def delete(store: Store, owner: Owner, kind: str, name: str = "") -> Any:
    """Remove a document and return it; None when there was none."""
    document = get(store, owner, kind, name)
    table, key = _place(owner)
    where = " and ".join(f"{column} = ?" for column in [*key, "kind", "name"])
    with store.write() as db:
        db.execute(f"delete from {table} where {where}", (*key.values(), kind, name))
    return document


def with_times(document: dict[str, Any]) -> dict[str, Any]:
    """A document with createdAt and updatedAt, stored as seconds since 1970, as datetimes."""
    times = {name: datetime.fromtimestamp(document[name], UTC) for name in _TIMES}
    return {**document, **times}
