"""The SQLite databases of sandbox and engine: opening one, and keeping a damaged one.

A damaged database is moved into a dated folder, together with the files that mean nothing without
the database, and a new database takes its place. A full disk, a lock or a missing permission
(`sqlite3.OperationalError`) is no damage: the database may be sound, and stays.
"""

from __future__ import annotations

import sqlite3
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from labs_helpers.files import SetAside, unused

BUSY_SECONDS = 30.0
"""How long a connection waits for another one's transaction."""


def warned(message: str) -> None:
    """Issue a SetAside warning."""
    warnings.warn(message, SetAside, stacklevel=2)


@dataclass(frozen=True)
class DatabaseFile:
    """Where a database is, and what a learner reads when the database is damaged.

    ``prepare`` makes the tables each time the database is opened, see ``create``. It raises
    sqlite3.DatabaseError, with the reason, for a database of another program. ``what`` is the
    database's name and ``then`` what its loss means, as in "The <what> was damaged (...). It is
    kept in ...; <then>.". ``beside`` are folders with files that rows of the database name: these
    folders are moved with a damaged database, and files in them mean that an empty database is a
    damaged one. ``synchronous`` is SQLite's: with FULL a transaction survives a power cut, with
    NORMAL it survives the end of the process only.
    """

    path: Path
    prepare: Callable[[sqlite3.Connection], None]
    what: str
    then: str
    beside: tuple[Path, ...] = ()
    synchronous: Literal["FULL", "NORMAL"] = "FULL"

    def open(self, tell: Callable[[str], None] = warned) -> sqlite3.Connection:
        """A connection to a sound database with its tables; makes a missing one, mode 0600.

        ``tell`` is called with a sentence about a damaged database. Raises OSError, sqlite3.Error,
        and what ``prepare`` raises.
        """
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            return self._checked()
        except sqlite3.OperationalError:
            raise  # locked, read-only or full: the database may be sound
        except sqlite3.DatabaseError as error:
            aside = self._set_aside()
            tell(f"The {self.what} was damaged ({error}). It is kept in {aside}; {self.then}.")
        return self._checked()

    def connect(self) -> sqlite3.Connection:
        """Another connection, for use from any thread; raises sqlite3.Error."""
        connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, check_same_thread=False)
        with _closed_on_error(connection):
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {self.synchronous}")
            connection.execute("PRAGMA foreign_keys = ON")
        return connection

    def _checked(self) -> sqlite3.Connection:
        connection = self.connect()
        with _closed_on_error(connection):
            problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if problem != "ok":
                raise sqlite3.DatabaseError(problem)
            if not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                self._check_that_nothing_is_beside()
            self.prepare(connection)
            self.path.chmod(0o600)
        return connection

    def _check_that_nothing_is_beside(self) -> None:
        """Raise DatabaseError when there are files beside an empty database.

        The database was lost or emptied. Used as a new one, it would have these files removed,
        since no row names them.
        """
        for folder in self.beside:
            if any(path.is_file() for path in folder.rglob("*")):
                raise sqlite3.DatabaseError(f"it is empty, and {folder.name} beside it is not")

    def _set_aside(self) -> Path:
        aside = dated(self.path)
        aside.mkdir(mode=0o700)
        # the database first: after a kill between two renames, the next start sees the damage
        database = [self.path.with_name(self.path.name + end) for end in ("", "-wal", "-shm")]
        for path in (*database, *self.beside):
            if path.exists():
                path.rename(aside / path.name)
        return aside


def dated(path: Path) -> Path:
    """A new path beside a damaged ``path``: ``<name>.damaged-<date>``, UTC."""
    return unused(path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"))


def create(connection: sqlite3.Connection, schema: str) -> None:
    """Run statements, each ended by ";", in one transaction."""
    connection.executescript(f"BEGIN IMMEDIATE;{schema}COMMIT;")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """A transaction that keeps other writers out from its beginning.

    Committed when the block ends, rolled back when the block raises. The connection must not begin
    transactions by itself (``isolation_level`` None).
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.commit()
    except BaseException:
        # also where the commit itself found no room: the next one may have the connection
        connection.rollback()
        raise


@contextmanager
def without_waiting(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """A connection whose transactions do not wait for the disk, until the block ends.

    They survive `kill -9`; a power cut may undo the last ones.
    https://www.sqlite.org/pragma.html#pragma_synchronous
    """
    (before,) = connection.execute("PRAGMA synchronous").fetchone()
    connection.execute("PRAGMA synchronous = NORMAL")
    try:
        yield connection
    finally:
        connection.execute(f"PRAGMA synchronous = {before}")


@contextmanager
def _closed_on_error(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.close()
        raise
