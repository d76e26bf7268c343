"""A small SQLite database that is there when something was kept, and set aside when damaged.

Written in WAL with synchronous=FULL: what a transaction wrote outlives `kill -9`.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from labs_helpers.runtime import database
from labs_helpers.runtime.database import DatabaseFile, transaction


class Database:
    """Thread-safe; its file is made by the first write, so that a start need not wait for it.

    `notices` says, for people, what was set aside since the start.
    """

    def __init__(self, path: Path, schema: str, what: str) -> None:
        """schema: SQL of "create table" statements; what: of what this is the memory, for people.

        Each statement ends with ";". A file that is no sound database of this schema is set aside.
        """
        self.path = path
        self.notices: list[str] = []
        self._schema = schema
        self._file = DatabaseFile(
            path, self._same_tables, what=f"memory of {what}", then=f"{what} start empty"
        )
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        if path.exists():
            self._open()

    @property
    def exists(self) -> bool:
        """Whether anything was ever written."""
        return self._connection is not None

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection | None]:
        """The connection, whose rows are `sqlite3.Row`; None when nothing was ever written."""
        with self._lock:
            yield self._connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction: on disk when the block ends, undone when it raises."""
        with self._lock, transaction(self._connection or self._open()) as connection:
            yield connection

    def close(self) -> None:
        """Close it; it is not used after this."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def notice(self, message: str) -> None:
        """Say something that the owner must know: a SetAside warning, and in `labs status`."""
        database.warned(message)
        self.notices.append(message)

    def _open(self) -> sqlite3.Connection:
        self._connection = explicit(self._file.open(self.notice))
        return self._connection

    def _same_tables(self, connection: sqlite3.Connection) -> None:
        """Make the tables of a new database; a foreign one has others."""
        with closing(sqlite3.connect(":memory:")) as model:
            model.executescript(self._schema)
            wanted = _tables(model)
        found = _tables(connection)
        if not found:
            database.create(connection, self._schema)
        elif found != wanted:
            raise sqlite3.DatabaseError("its tables are not those of this program")


def explicit(connection: sqlite3.Connection) -> sqlite3.Connection:
    """The connection, beginning no transaction by itself and giving rows as `sqlite3.Row`."""
    connection.isolation_level = None
    connection.row_factory = sqlite3.Row
    return connection


def _tables(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """The names of tables, each with its columns."""
    names = connection.execute(
        "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'"
    ).fetchall()
    return {
        name: [row[1] for row in connection.execute(f"pragma table_info({name})")]
        for (name,) in names
    }
