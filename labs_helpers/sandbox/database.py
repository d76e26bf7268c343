"""A small SQLite database, made by the first write and set aside when damaged.

A transaction outlives `kill -9` (WAL, synchronous=FULL).
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from labs_helpers.runtime import database
from labs_helpers.runtime.commit_count import CommitCount
from labs_helpers.runtime.database import DatabaseFile


class Database:
    """Thread-safe. The first write makes the file, so that a start need not wait for that.

    `notices` says, for people, what was set aside since the start.
    """

    def __init__(self, path: Path, schema: str, what: str) -> None:
        """schema: SQL of "create table" statements, each ended by ";"; what: names the content.

        A file that is no sound database of this schema is set aside.
        """
        self.path = path
        self.notices: list[str] = []
        self._schema = schema
        self._file = DatabaseFile(
            path, self._same_tables, what=f"memory of {what}", then=f"{what} start empty"
        )
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._what = what
        self._commits = CommitCount(path, "user_version")
        if path.exists() or self._commits.expects_a_database:
            self._open()

    @property
    def exists(self) -> bool:
        """Whether the file exists."""
        return self._connection is not None

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection | None]:
        """The connection, whose rows are `sqlite3.Row`; None before the first write."""
        with self._lock:
            yield self._connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction: on disk when the block ends, undone when the block raises."""
        with self._lock, self._commits.counted(self._connection or self._open()) as connection:
            yield connection

    def close(self) -> None:
        """Close the connection; nobody uses the database after this."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def notice(self, message: str) -> None:
        """Tell the owner something: in a SetAside warning, and in `labs status`."""
        database.warned(message)
        self.notices.append(message)

    def _open(self) -> sqlite3.Connection:
        self._connection = opened(self._file, self._commits, self._what, self.notice)
        return self._connection

    def _same_tables(self, connection: sqlite3.Connection) -> None:
        """Make the tables of a new database; raise DatabaseError for a database with others."""
        with closing(sqlite3.connect(":memory:")) as model:
            model.executescript(self._schema)
            wanted = _tables(model)
        found = _tables(connection)
        if not found:
            database.create(connection, self._schema)
        elif found != wanted:
            raise sqlite3.DatabaseError("its tables are not those of this program")


def opened(
    file: DatabaseFile, commits: CommitCount, what: str, tell: Callable[[str], None]
) -> sqlite3.Connection:
    """A sound database; ``tell`` is called with a sentence about what was damaged or is missing."""
    told: list[str] = []
    commits.before_opening()
    connection = explicit(file.open(told.append))
    # what is set aside as a whole has been told already
    if (loss := commits.loss(connection, what)) and not told:
        told.append(loss)
    for sentence in told:
        tell(sentence)
    return connection


def explicit(connection: sqlite3.Connection) -> sqlite3.Connection:
    """The connection, which begins no transaction by itself and returns `sqlite3.Row`."""
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
