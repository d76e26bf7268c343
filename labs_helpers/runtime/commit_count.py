"""How many transactions a database has committed: counted in the database, and in a file beside it.

SQLite takes an emptied database for a new one, and drops without a word whatever follows a damaged
place in the write-ahead log (https://www.sqlite.org/walformat.html#recovery). Transactions that
were acknowledged are then missing from a database that is sound. The file beside the database is
written after each commit, so that its number is never above the database's unless some were lost.
"""

from __future__ import annotations

import logging
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from labs_helpers.files import LabsError, write_text
from labs_helpers.runtime.database import dated, transaction

log = logging.getLogger(__name__)

Field = Literal["user_version", "application_id"]
"""The number in a database's header that counts: https://www.sqlite.org/pragma.html"""

_PARTS = ("", "-wal", "-shm")


class CommitCount:
    """The count of one database. Call ``before_opening``, open, ``loss``; then ``counted``."""

    def __init__(self, database: Path, field: Field) -> None:
        self._database = database
        self._field = field
        self._file = database.with_name(database.name + ".commits")
        self._noted = 0
        self._copy: Path | None = None

    @property
    def expects_a_database(self) -> bool:
        """Whether transactions were committed, even where no database is left."""
        return self._read() > 0

    def before_opening(self) -> None:
        """Read the number beside, and copy the files that opening them may change.

        Opening drops a damaged write-ahead log, and that of an emptied database. Raises OSError.
        """
        self._noted = self._read()
        wal = self._database.with_name(self._database.name + "-wal")
        if self._noted == 0 or not (wal.exists() or _is_empty(self._database)):
            return
        self._copy = dated(self._database)
        self._copy.mkdir(mode=0o700)
        for part in _PARTS:
            path = self._database.with_name(self._database.name + part)
            if path.exists():
                shutil.copy2(path, self._copy / path.name)

    def loss(self, connection: sqlite3.Connection, what: str) -> str:
        """A sentence on what is missing, and where the files are kept; empty when nothing is.

        ``what`` names the content in the plural: "IAM's users and roles".
        """
        found = self._in(connection)
        copy, self._copy = self._copy, None
        if found >= self._noted:
            if copy is not None:
                shutil.rmtree(copy, ignore_errors=True)
            return ""
        kept = f"The files as they were found are kept in {copy}" if copy else "No file is left"
        said = (
            f"The memory of {what} was damaged: {found} of {self._noted} changes are left. "
            f"{kept}; {what} go on with what is left."
        )
        self._write(found)
        return said

    @contextmanager
    def counted(
        self, connection: sqlite3.Connection, noted: bool = True
    ) -> Iterator[sqlite3.Connection]:
        """A transaction (`runtime.database.transaction`) that counts as one.

        noted: False for a transaction that a power cut may undo, so that its loss is no damage.
        """
        with transaction(connection):
            number = self._in(connection) + 1
            yield connection
            connection.execute(f"pragma {self._field} = {number}")
        if noted:
            self._write(number)

    def _in(self, connection: sqlite3.Connection) -> int:
        return int(connection.execute(f"pragma {self._field}").fetchone()[0])

    def _read(self) -> int:
        try:
            return int(self._file.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return 0  # of an earlier version, or cut short by a power cut: then nothing is known

    def _write(self, number: int) -> None:
        try:
            write_text(self._file, f"{number}\n", mode=0o600)
        except LabsError as error:
            # the transaction is on disk; a number that stays behind only sees less
            log.warning("a commit is not counted: %s", error)


def _is_empty(path: Path) -> bool:
    return not path.exists() or path.stat().st_size == 0
