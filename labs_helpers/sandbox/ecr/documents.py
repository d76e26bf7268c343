"""JSON documents that ECR keeps whole: policies, rules, templates, scan findings.

Each belongs to a registry, a repository or an image and goes when its owner does. `kind` says
what it is (`lifecycle-policy`), `name` which one of several (a prefix, an id), else empty.
"""

from __future__ import annotations

import json
from typing import Any

from labs_helpers.sandbox.ecr.images import Image
from labs_helpers.sandbox.ecr.repositories import Registry, Repository, require
from labs_helpers.sandbox.ecr.store import Store

Owner = Registry | Repository | Image


def _place(owner: Owner) -> tuple[str, dict[str, str | int]]:
    if isinstance(owner, Registry):
        return "registry_documents", {"account": owner.account, "region": owner.region}
    if isinstance(owner, Repository):
        return "repository_documents", {"repository_id": owner.id}
    return "image_documents", {"image_id": owner.id}


def put(store: Store, owner: Owner, kind: str, body: Any, name: str = "") -> None:
    """Keep `body` (anything that JSON can spell), replacing what was there.

    Raises RepositoryNotFound when the repository was deleted since it was read.
    """
    table, key = _place(owner)
    columns = [*key, "kind", "name", "body"]
    marks = ", ".join("?" * len(columns))
    with store.write() as db:
        if isinstance(owner, Repository):
            require(db, owner)
        db.execute(
            f"insert or replace into {table} ({', '.join(columns)}) values ({marks})",
            (*key.values(), kind, name, json.dumps(body)),
        )


def get(store: Store, owner: Owner, kind: str, name: str = "") -> Any | None:
    """The document, or None."""
    return list_all(store, owner, kind).get(name)


def list_all(store: Store, owner: Owner, kind: str) -> dict[str, Any]:
    """Every document of a kind, by name, in order of name."""
    table, key = _place(owner)
    where = " and ".join(f"{column} = ?" for column in [*key, "kind"])
    with store.read() as db:
        rows = db.execute(
            f"select name, body from {table} where {where} order by name", (*key.values(), kind)
        ).fetchall()
    return {row["name"]: json.loads(row["body"]) for row in rows}


def delete(store: Store, owner: Owner, kind: str, name: str = "") -> Any | None:
    """Remove a document; returns what it held, or None when there was none."""
    before = get(store, owner, kind, name)
    table, key = _place(owner)
    where = " and ".join(f"{column} = ?" for column in [*key, "kind", "name"])
    with store.write() as db:
        db.execute(f"delete from {table} where {where}", (*key.values(), kind, name))
    return before
