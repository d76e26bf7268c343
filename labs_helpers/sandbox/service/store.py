"""The state of a service: one SQLite database, and callbacks after a commit.

A transaction is on disk when its block ends (WAL, synchronous=FULL), so that the changes
outlive `kill -9` once they are acknowledged.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from labs_helpers.files import LabsError, is_full
from labs_helpers.runtime.commit_count import CommitCount
from labs_helpers.runtime.database import DatabaseFile, create, warned, without_waiting
from labs_helpers.sandbox.database import explicit, opened
from labs_helpers.sandbox.service.errors import NoRoom

log = logging.getLogger(__name__)

Callback = Callable[[], None]

_SECRET_BYTES = 32


def document(row: sqlite3.Row | None) -> dict[str, Any] | None:
    """The JSON object in the column "body" of a row; None for no row."""
    return None if row is None else json.loads(row["body"])


@contextmanager
def naming_a_full_disk() -> Iterator[None]:
    """Turn an error for want of disk space into NoRoom."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        if is_full(error):
            raise NoRoom() from error
        raise


class StoreTooNew(LabsError):
    """The database was written by a later version of this program."""


class Store:
    """Thread-safe: a thread that reads has a connection for itself, and writers take turns.

    A connection takes 100 kB, and 5 kB more for each statement that it remembers. So a thread has
    one only while it reads or writes, and there are no more than threads were at work at once.

    `notices` says, for people, what was damaged or set aside since the start.
    """

    def __init__(
        self, root: Path, service: str, schema: str, version: int = 1, beside: Sequence[Path] = ()
    ) -> None:
        """Open or create ``<root>/<service>.sqlite`` (the service's name in lower case).

        schema: SQL statements, each ended by ";"; version: of the schema; beside: folders with
        files that only the rows name. A damaged database is set aside with those folders, with a
        SetAside warning. Raises StoreTooNew, OSError, sqlite3.Error.
        """
        self.root = root
        self._schema = schema
        self._version = version
        self._file = DatabaseFile(
            root / f"{service.lower()}.sqlite",
            prepare=self._prepare,
            what=f"{service} database",
            then=f"{service} starts empty",
            beside=tuple(beside),
        )
        self._local = threading.local()
        self._free: list[sqlite3.Connection] = []
        self._closed = False
        self._lending = threading.Lock()
        self._writing = threading.RLock()
        self._subscribers: dict[str, list[Callback]] = {}
        self.notices: list[str] = []
        self._secret: bytes | None = None
        self._commits = CommitCount(self._file.path, "application_id")
        what = f"{service}'s records"
        opened(self._file, self._commits, what, self._notice).close()

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection, this thread's until the block ends; rows are `sqlite3.Row`.

        Raises NoRoom on a full disk.
        """
        with naming_a_full_disk(), self._lent() as connection:
            yield connection

    @contextmanager
    def write(self, waiting: bool = True) -> Iterator[sqlite3.Connection]:
        """A transaction: committed to disk when the block ends, undone when the block raises.

        The transaction's callbacks run after that. waiting: False for a transaction which does not
        wait for the disk: it survives `kill -9`, but a power cut may undo it. Raises NoRoom on a
        full disk.
        """
        if self._pending is not None:
            raise RuntimeError("a transaction is open on this thread already")
        callbacks: list[Callback] = []
        self._local.pending = callbacks
        try:
            with self._writing, naming_a_full_disk(), self._lent() as own, ExitStack() as stack:
                if not waiting:
                    stack.enter_context(without_waiting(own))
                yield stack.enter_context(self._commits.counted(own, noted=waiting))
        finally:
            self._local.pending = None
        for callback in callbacks:
            _run(callback)

    def after_commit(self, callback: Callback) -> None:
        """Run ``callback`` once this thread's transaction is on disk; at once without one.

        Callbacks run on this thread, in the order of their registration; other writers need not
        wait for them, and a callback may write. What a callback raises is logged: the commit stands
        and the other callbacks run. A transaction that is undone runs none.
        """
        if self._pending is None:
            _run(callback)
        else:
            self._pending.append(callback)

    def subscribe(self, topic: str, callback: Callback) -> None:
        """Run ``callback`` after each commit that notifies of the topic."""
        self._subscribers.setdefault(topic, []).append(callback)

    def notify(self, topic: str) -> None:
        """Run the topic's subscribers after the commit, once for the whole transaction."""
        for callback in self._subscribers.get(topic, ()):
            if callback not in (self._pending or ()):
                self.after_commit(callback)

    def secret(self) -> bytes:
        """32 random bytes of this store, for the tokens that a client hands back.

        The file ``<root>/signing-key`` keeps them; the first call makes the file. On a full disk
        they last as long as this store, so that lists can be read there.
        """
        if self._secret is None:
            try:
                self._secret = self._kept_secret()
            except NoRoom:
                self._secret = secrets.token_bytes(_SECRET_BYTES)
        return self._secret

    def _kept_secret(self) -> bytes:
        path = self.root / "signing-key"
        with naming_a_full_disk():
            try:
                return _read_secret(path)
            except FileNotFoundError:
                _make_secret(path)
                return _read_secret(path)

    def close(self) -> None:
        """Close every connection, one that is lent when its block ends. Nobody may ask again."""
        with self._lending:
            self._closed = True
            free, self._free = self._free, []
        for connection in free:
            connection.close()

    @property
    def _pending(self) -> list[Callback] | None:
        """The callbacks of this thread's transaction; None when no transaction is open."""
        pending: list[Callback] | None = getattr(self._local, "pending", None)
        return pending

    @contextmanager
    def _lent(self) -> Iterator[sqlite3.Connection]:
        """This thread's connection: a free one, or within another block that block's."""
        own: sqlite3.Connection | None = getattr(self._local, "own", None)
        if own is not None:
            yield own
            return
        with self._lending:
            # the last one that was given back: it remembers the latest statements
            own = self._free.pop() if self._free else None
        own = self._local.own = own or explicit(self._file.connect())
        try:
            yield own
        finally:
            self._local.own = None
            with self._lending:
                keep = not self._closed
                if keep:
                    self._free.append(own)
            if not keep:
                own.close()

    def _notice(self, message: str) -> None:
        """Tell the owner something: in a SetAside warning, and in `labs status`."""
        warned(message)
        self.notices.append(message)

    def _prepare(self, connection: sqlite3.Connection) -> None:
        version = connection.execute("pragma user_version").fetchone()[0]
        if version > self._version:
            raise StoreTooNew(
                f"{self._file.path} has schema {version}, this program knows up to "
                f"{self._version}: use the newer version of the labs, or labs reset"
            )
        if version == 0:
            if connection.execute("select 1 from sqlite_master").fetchone():
                raise sqlite3.DatabaseError("its tables are not those of this program")
            create(connection, f"{self._schema}pragma user_version = {self._version};")


def _run(callback: Callback) -> None:
    try:
        callback()
    except Exception:
        log.exception("what follows a commit failed; the commit stands")


def _read_secret(path: Path) -> bytes:
    found = path.read_bytes()
    if len(found) != _SECRET_BYTES:
        # a crash cut the write short, so that nothing signed with this key was handed out
        path.unlink()
        raise FileNotFoundError(path)
    return found


def _make_secret(path: Path) -> None:
    """Write the secret to a file of its own and link the file, so that two makers agree."""
    beside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_SECRET_BYTES))
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(beside)
    except FileExistsError:
        return
    finally:
        beside.unlink()
