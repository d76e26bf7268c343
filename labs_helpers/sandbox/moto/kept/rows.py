"""The rows of moto's services in SQLite: `<folder>/services.sqlite`.

services    which versions wrote a service's rows
backends    the state of one account in one region, apart from its shards
shards      one object: its class, its attributes, and the digest of its body
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from labs_helpers.runtime.database import dated
from labs_helpers.sandbox.database import Database

SHAPE = 1
"""The version of what graph.py and classes.py write."""

_SCHEMA = """
create table services (
    service text primary key,
    moto text not null,
    shape integer not null,
    written_at text not null
) strict;
create table backends (
    service text not null,
    account text not null,
    region text not null,
    content blob not null,
    sha256 text not null,
    primary key (service, account, region)
) strict;
create table shards (
    service text not null,
    number integer not null,
    class text not null,
    content blob not null,
    sha256 text not null,
    body text not null,
    primary key (service, number)
) strict;
create table keys (
    name text primary key,
    value blob not null
) strict;
create index bodies on shards (body) where body != '';
"""
_KEPT_ASIDE = ("services", "backends", "shards")

Place = tuple[str, str, str]
"""(service, account, region)"""
Shard = tuple[str, int]
"""(service, number)"""


@dataclass
class Change:
    """What one transaction writes. A shard is (class, attributes, digest of its body or "")."""

    backends: dict[Place, bytes] = field(default_factory=dict)
    shards: dict[Shard, tuple[str, bytes, str]] = field(default_factory=dict)
    gone: set[Shard] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.backends or self.shards or self.gone)


class Rows:
    """Thread-safe."""

    def __init__(self, folder: Path) -> None:
        """Open what is there; rows that are damaged or of another version are set aside at once."""
        path = folder / "services.sqlite"
        self.database = Database(path, _SCHEMA, "the other services of AWS")
        self._version = metadata.version("moto")
        self.aside: set[str] = set()
        """The services whose rows were set aside."""
        if self.database.notices:
            self.aside.add("s3")  # whose bodies mean nothing without the database
        self._services = {service for service, *_ in self._read("select service from services")}
        for service, moto, shape in self._read("select service, moto, shape from services"):
            if (moto, shape) != (self._version, SHAPE):
                reason = f"it was written with moto {moto}, and this is moto {self._version}"
                if moto == self._version:
                    reason = "it was written by another version of the labs"
                self.set_aside(service, reason)
        for service in sorted(self._services):
            if not self._is_sound(service):
                self.set_aside(service, "a checksum is wrong")

    @property
    def services(self) -> frozenset[str]:
        """The packages of moto that have rows."""
        return frozenset(self._services)

    def backends(self, service: str) -> list[tuple[str, str, bytes]]:
        """(account, region, content) of each backend of a service."""
        wanted = "select account, region, content from backends where service = ? order by 1, 2"
        return [(row[0], row[1], row[2]) for row in self._read(wanted, service)]

    def shards(self, service: str) -> dict[int, tuple[str, bytes, str]]:
        """By number: the shards of a service."""
        wanted = "select number, class, content, body from shards where service = ?"
        return {row[0]: (row[1], row[2], row[3]) for row in self._read(wanted, service)}

    def bodies(self) -> set[str]:
        """The digests of all bodies that are referred to."""
        return {row[0] for row in self._read("select body from shards where body != ''")}

    def write(self, change: Change) -> set[str]:
        """Write in one transaction; the bodies that nobody refers to any more.

        Raises sqlite3.Error, and then nothing is changed.
        """
        services = {place[0] for place in (*change.backends, *change.shards, *change.gone)}
        now = datetime.now(UTC).isoformat()
        left: set[str] = set()
        with self.database.write() as connection:
            for shard in (*change.gone, *change.shards):
                left |= _body_of(connection, shard)
            connection.executemany(
                "insert or replace into services values (?, ?, ?, ?)",
                [(service, self._version, SHAPE, now) for service in services],
            )
            connection.executemany(
                "insert or replace into backends values (?, ?, ?, ?, ?)",
                [(*place, content, _sum(content)) for place, content in change.backends.items()],
            )
            connection.executemany(
                "insert or replace into shards values (?, ?, ?, ?, ?, ?)",
                [
                    (*shard, kind, content, _sum(content), body)
                    for shard, (kind, content, body) in change.shards.items()
                ],
            )
            connection.executemany(
                "delete from shards where service = ? and number = ?", list(change.gone)
            )
            unused = {body for body in left if not _is_used(connection, body)}
        self._services |= services
        return unused

    def key(self, name: str, make: Callable[[], bytes]) -> bytes:
        """The key of this name, made by the first call; raises sqlite3.Error."""
        with self.database.write() as connection:
            wanted = "select value from keys where name = ?"
            found = connection.execute(wanted, (name,)).fetchone()
            value = make() if found is None else bytes(found[0])
            connection.execute("insert or replace into keys values (?, ?)", (name, value))
        return value

    def drop_shards(self, service: str, numbers: Iterable[int]) -> None:
        """Remove shards that nothing refers to; raises sqlite3.Error."""
        with self.database.write() as connection:
            connection.executemany(
                "delete from shards where service = ? and number = ?",
                [(service, number) for number in numbers],
            )

    def set_aside(self, service: str, reason: str) -> None:
        """Move a service's rows to a file of a dated name, and say so; raises sqlite3.Error."""
        aside = dated(self.database.path.with_name(f"{service}.sqlite"))
        aside.touch(mode=0o600)
        with self.database.read() as connection, closing(sqlite3.connect(aside)) as other:
            if connection is None:
                return
            other.executescript(_SCHEMA)
            for table in _KEPT_ASIDE:
                found = connection.execute(f"select * from {table} where service = ?", (service,))
                for row in found:
                    marks = ", ".join("?" * len(row))
                    other.execute(f"insert into {table} values ({marks})", tuple(row))
            other.commit()
        with self.database.write() as connection:
            for table in _KEPT_ASIDE:
                connection.execute(f"delete from {table} where service = ?", (service,))
        self._services.discard(service)
        self.aside.add(service)
        self.database.notice(
            f"What the service {service} held was not usable ({reason}). "
            f"It is kept as {aside}; {service} starts empty, the other services stay."
        )

    def _is_sound(self, service: str) -> bool:
        return all(
            _sum(content) == checksum
            for table in ("backends", "shards")
            for content, checksum in self._read(
                f"select content, sha256 from {table} where service = ?", service
            )
        )

    def _read(self, wanted: str, *values: str) -> Iterator[sqlite3.Row]:
        with self.database.read() as connection:
            return iter(connection.execute(wanted, values).fetchall() if connection else [])


def _body_of(connection: sqlite3.Connection, shard: Shard) -> set[str]:
    wanted = "select body from shards where service = ? and number = ? and body != ''"
    return {row[0] for row in connection.execute(wanted, shard)}


def _is_used(connection: sqlite3.Connection, body: str) -> bool:
    wanted = "select 1 from shards where body = ? and body != '' limit 1"
    return connection.execute(wanted, (body,)).fetchone() is not None


def _sum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
