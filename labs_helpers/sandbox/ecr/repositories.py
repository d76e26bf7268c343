"""Registries and repositories: their names, and their rows in the store.

Source: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_Repository.html
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from labs_helpers.defaults import registry as registry_host
from labs_helpers.sandbox.ecr import blobs, errors, wildcards
from labs_helpers.sandbox.ecr.store import Store

DEFAULT_ENCRYPTION: Mapping[str, str] = {"encryptionType": "AES256"}


@dataclass(frozen=True)
class Registry:
    """One account's registry in one region."""

    account: str
    region: str

    @property
    def host(self) -> str:
        """The registry's host name, as in `docker login`."""
        return registry_host(self.account, self.region)

    def arn(self, repository: str) -> str:
        """The ARN of a repository of this registry, existing or not (`*` for all)."""
        return f"arn:aws:ecr:{self.region}:{self.account}:repository/{repository}"


@dataclass(frozen=True)
class Repository:
    """A stored repository; `id` is the database's, and no answer shows it."""

    id: int
    registry: Registry
    name: str
    created_at: datetime
    mutability: str
    mutability_exclusions: Sequence[Mapping[str, str]]
    scan_on_push: bool
    encryption: Mapping[str, str]

    @property
    def account(self) -> str:
        """The registryId."""
        return self.registry.account

    @property
    def names(self) -> dict[str, str]:
        """The members with which ECR's answers and errors name the repository."""
        return {"registryId": self.account, "repositoryName": self.name}

    @property
    def arn(self) -> str:
        """The repositoryArn."""
        return self.registry.arn(self.name)

    @property
    def uri(self) -> str:
        """The repositoryUri, AWS-shaped in every mode."""
        return f"{self.registry.host}/{self.name}"

    def is_immutable(self, tag: str) -> bool:
        """Whether nobody can move `tag` to another image (immutability and its exclusions).

        Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
        """
        excluded = any(
            wildcards.matches(each["filter"], tag) for each in self.mutability_exclusions
        )
        return {
            "IMMUTABLE": True,
            "IMMUTABLE_WITH_EXCLUSION": not excluded,
            "MUTABLE_WITH_EXCLUSION": excluded,
        }.get(self.mutability, False)


def create(
    store: Store,
    registry: Registry,
    name: str,
    *,
    mutability: str = "MUTABLE",
    mutability_exclusions: Sequence[Mapping[str, str]] = (),
    scan_on_push: bool = False,
    encryption: Mapping[str, str] = DEFAULT_ENCRYPTION,
    tags: Mapping[str, str] | None = None,
) -> Repository:
    """Create a repository, whose name the caller validates; raises RepositoryAlreadyExists."""
    with store.write() as db:
        if _row(db, registry, name):
            raise errors.RepositoryAlreadyExists(repositoryName=name, registryId=registry.account)
        cursor = db.execute(
            "insert into repositories (account, region, name, created_at, mutability,"
            " mutability_exclusions, scan_on_push, encryption) values (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                registry.account,
                registry.region,
                name,
                store.clock.now().timestamp(),
                mutability,
                json.dumps(list(mutability_exclusions)),
                scan_on_push,
                json.dumps(dict(encryption)),
            ),
        )
        db.executemany(
            "insert into repository_tags (repository_id, key, value) values (?, ?, ?)",
            [(cursor.lastrowid, key, value) for key, value in (tags or {}).items()],
        )
    return get(store, registry, name)


def get(store: Store, registry: Registry, name: str) -> Repository:
    """The repository; raises RepositoryNotFound."""
    with store.read() as db:
        row = _row(db, registry, name)
    if row is None:
        raise errors.RepositoryNotFound(repositoryName=name, registryId=registry.account)
    return _repository(row)


def list_all(store: Store, registry: Registry) -> list[Repository]:
    """Every repository of the registry, in the order of names."""
    with store.read() as db:
        rows = db.execute(
            "select * from repositories where account = ? and region = ? order by name",
            (registry.account, registry.region),
        ).fetchall()
    return [_repository(row) for row in rows]


def with_document(store: Store, kind: str) -> list[Repository]:
    """Every repository, of all registries, that has a document of a kind (`documents`)."""
    with store.read() as db:
        rows = db.execute(
            "select * from repositories where id in"
            " (select repository_id from repository_documents where kind = ?)"
            " order by account, region, name",
            (kind,),
        ).fetchall()
    return [_repository(row) for row in rows]


def delete(store: Store, repository: Repository, *, force: bool = False) -> None:
    """Delete a repository with its content; with images, force is needed: RepositoryNotEmpty."""
    with store.write() as db:
        require(db, repository)
        images = db.execute(
            "select 1 from images where repository_id = ? limit 1", (repository.id,)
        ).fetchone()
        if images and not force:
            raise errors.RepositoryNotEmpty(**repository.names)
        db.execute("delete from repositories where id = ?", (repository.id,))
        blobs.remove_unused(store, db)


def set_mutability(
    store: Store,
    repository: Repository,
    mutability: str,
    exclusions: Sequence[Mapping[str, str]] = (),
) -> Repository:
    """Set whether tags may be moved; returns the changed repository."""
    return _update(
        store, repository, mutability=mutability, mutability_exclusions=json.dumps(list(exclusions))
    )


def set_scan_on_push(store: Store, repository: Repository, scan_on_push: bool) -> Repository:
    """Set whether an image is scanned when it is pushed; returns the changed repository."""
    return _update(store, repository, scan_on_push=scan_on_push)


def tags(store: Store, repository: Repository) -> dict[str, str]:
    """The resource tags, by key."""
    with store.read() as db:
        rows = db.execute(
            "select key, value from repository_tags where repository_id = ? order by key",
            (repository.id,),
        ).fetchall()
    return {row["key"]: row["value"] for row in rows}


def tag(store: Store, repository: Repository, changes: Mapping[str, str]) -> None:
    """Add or replace resource tags."""
    with store.write() as db:
        require(db, repository)
        db.executemany(
            "insert or replace into repository_tags (repository_id, key, value) values (?, ?, ?)",
            [(repository.id, key, value) for key, value in changes.items()],
        )


def untag(store: Store, repository: Repository, keys: Iterable[str]) -> None:
    """Remove resource tags; a key without a tag is no error."""
    with store.write() as db:
        db.executemany(
            "delete from repository_tags where repository_id = ? and key = ?",
            [(repository.id, key) for key in keys],
        )


def _row(db: sqlite3.Connection, registry: Registry, name: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        "select * from repositories where account = ? and region = ? and name = ?",
        (registry.account, registry.region, name),
    ).fetchone()
    return row


def require(db: sqlite3.Connection, repository: Repository) -> None:
    """Raise RepositoryNotFound if the repository was deleted since it was read."""
    if not db.execute("select 1 from repositories where id = ?", (repository.id,)).fetchone():
        raise errors.RepositoryNotFound(**repository.names)


def _update(store: Store, repository: Repository, **columns: Any) -> Repository:
    assignments = ", ".join(f"{column} = ?" for column in columns)
    with store.write() as db:
        require(db, repository)
        db.execute(
            f"update repositories set {assignments} where id = ?",
            (*columns.values(), repository.id),
        )
    return get(store, repository.registry, repository.name)


def _repository(row: sqlite3.Row) -> Repository:
    return Repository(
        id=row["id"],
        registry=Registry(row["account"], row["region"]),
        name=row["name"],
        created_at=datetime.fromtimestamp(row["created_at"], UTC),
        mutability=row["mutability"],
        mutability_exclusions=json.loads(row["mutability_exclusions"]),
        scan_on_push=bool(row["scan_on_push"]),
        encryption=json.loads(row["encryption"]),
    )
