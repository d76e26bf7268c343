"""A small SQLite database that is there when something was kept, and set aside when damaged.

Written in WAL with synchronous=FULL: what a transaction wrote outlives `kill -9`.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

log = logging.getLogger(__name__)

_BUSY_SECONDS = 30.0


class Database:
    """Thread-safe; its file is made by the first write, so that a start need not wait for it.

    `notices` says, for people, what was set aside since the start.
    """

    def __init__(self, path: Path, schema: str, what: str) -> None:
        """schema: SQL of "create table" statements; what: of what this is the memory, for people.

        A file that is no sound database of this schema is renamed to a dated name.
        """
        self.path = path
        self.notices: list[str] = []
        self._schema = schema
        self._what = what
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
        with self._lock:
            connection = self._connection or self._open()
            connection.execute("begin immediate")
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    def close(self) -> None:
        """Close it; it is not used after this."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def notice(self, message: str) -> None:
        """Say something that the owner must know, in the log and to `labs status`."""
        log.error("%s", message)
        self.notices.append(message)

    def aside(self, name: str) -> Path:
        """A path beside the database that is free, dated: `<name>.damaged-<date>`."""
        stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        path = self.path.with_name(f"{name}.damaged-{stamp}")
        number = 1
        while path.exists():
            number += 1
            path = self.path.with_name(f"{name}.damaged-{stamp}-{number}")
        return path

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self._connection = self._checked()
        except sqlite3.OperationalError:
            raise  # locked, read-only or full: the file itself may be sound
        except sqlite3.DatabaseError as error:
            aside = self.aside(self.path.name)
            for path in self.path.parent.glob(f"{self.path.name}*"):
                if path.name in (f"{self.path.name}{end}" for end in ("", "-wal", "-shm")):
                    path.rename(aside.with_name(path.name.replace(self.path.name, aside.name, 1)))
            self.notice(
                f"The memory of {self._what} was damaged ({error}). "
                f"It is kept as {aside}; {self._what} start empty."
            )
            self._connection = self._checked()
        return self._connection

    def _checked(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = full")
            problem = connection.execute("pragma quick_check(1)").fetchone()[0]
            if problem != "ok":
                raise sqlite3.DatabaseError(problem)
            self._same_tables(connection)
        except BaseException:
            connection.close()
            raise
        self.path.chmod(0o600)
        return connection

    def _same_tables(self, connection: sqlite3.Connection) -> None:
        """Make the tables of a new database; a foreign one has others."""
        with closing(sqlite3.connect(":memory:")) as model:
            model.executescript(self._schema)
            wanted = _tables(model)
        found = _tables(connection)
        if not found:
            connection.executescript(f"begin immediate;{self._schema};commit;")
        elif found != wanted:
            raise sqlite3.DatabaseError("its tables are not those of this program")


def _tables(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """The names of tables, each with its columns."""
    names = connection.execute(
        "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'"
    ).fetchall()
    return {
        name: [row[1] for row in connection.execute(f"pragma table_info({name})")]
        for (name,) in map(tuple, names)
    }
