"""Where ECR's state lives: one SQLite database beside the blobs' files.

    <root>/ecr.sqlite             repositories, images, tags, tokens, settings
    <root>/blobs/sha256/ab/<hex>  layers and configurations, by content
    <root>/uploads/<id>           layers on their way in

A call is acknowledged after its transaction is on disk (WAL, synchronous=FULL); a blob's file is
on disk under its final name before the row that names it is committed. `kill -9` at any moment
therefore loses nothing acknowledged and leaves at most an orphan file, removed at the next start.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from labs_helpers.oci import digest as digests
from labs_helpers.runtime.database import DatabaseFile, create, transaction
from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.database import explicit
from labs_helpers.sandbox.ecr import errors, schema
from labs_helpers.sandbox.ecr.hashing import RunningHashes
from labs_helpers.workspace import LabsError, is_full

UPLOAD_LIFE = timedelta(days=1)
"""How long an upload that was left unfinished may still be resumed after a restart."""


@contextmanager
def naming_a_full_disk() -> Iterator[None]:
    """Let what fails for want of room leave the block as NoRoom."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        if is_full(error):
            raise errors.NoRoom() from error
        raise


class StoreTooNew(LabsError):
    """The database was written by a later version of this program."""


class Store:
    """Thread-safe: each thread reads through its own connection, writers take turns."""

    def __init__(self, root: Path, clock: Clock) -> None:
        """Open or create the state under `root`.

        A damaged database is set aside with its blobs (a SetAside warning), never deleted.
        Raises StoreTooNew, OSError, sqlite3.Error.
        """
        self.root = root
        self.clock = clock
        self.uploads = root / "uploads"
        self.blobs = root / "blobs"
        self.hashes = RunningHashes()
        #: called after a scan was asked for, once that is on disk
        self.scan_queued: Callable[[], None] = _nobody
        #: called after an event for EventBridge was kept, once that is on disk
        self.event_kept: Callable[[], None] = _nobody
        #: called before the connections are closed
        self.before_close: list[Callable[[], None]] = []
        self._file = DatabaseFile(
            root / "ecr.sqlite",
            prepare=self._prepare,
            what="ECR database",
            then="ECR starts empty",
            # without their rows, the files would be removed as orphans
            beside=(self.blobs, self.uploads),
        )
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._writing = threading.RLock()
        self._file.open().close()
        for folder in (self.uploads, self.blobs, self.blobs / "sha256"):
            folder.mkdir(mode=0o700, exist_ok=True)
        self._remove_orphans()

    def blob_path(self, digest: str) -> Path:
        """The file of a blob; raises DigestError when `digest` is not one."""
        parsed = digests.parse(digest)
        return self.blobs / parsed.algorithm / parsed.hex[:2] / parsed.hex

    def upload_path(self, upload_id: str) -> Path:
        """The file of an upload; `upload_id` must come from the uploads table."""
        return self.uploads / upload_id

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """This thread's connection; rows are `sqlite3.Row`. Raises NoRoom on a full disk."""
        with naming_a_full_disk():
            yield self._connection()

    @contextmanager
    def write(self, after: Callable[[], None] | None = None) -> Iterator[sqlite3.Connection]:
        """A transaction: committed to disk when the block ends, undone when it raises.

        `after` runs once it is committed, before the next writer: for removing files. Raises
        NoRoom on a full disk.
        """
        with self._writing, naming_a_full_disk():
            connection = self._connection()
            if connection.in_transaction:
                raise RuntimeError("a transaction is open on this thread already")
            with transaction(connection):
                yield connection
            if after:
                after()

    def close(self) -> None:
        """Close every connection; the store is not used after this."""
        for end in self.before_close:
            end()
        with self._writing:
            for connection in self._connections:
                connection.close()
            self._connections.clear()

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = explicit(self._file.connect())
            self._local.connection = connection
            with self._writing:
                self._connections.append(connection)
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        version = connection.execute("pragma user_version").fetchone()[0]
        if version > schema.VERSION:
            raise StoreTooNew(
                f"{self._file.path} has schema {version}, this program knows up to "
                f"{schema.VERSION}: use the newer version of the labs, or labs reset"
            )
        if version == 0:
            if connection.execute("select 1 from sqlite_master").fetchone():
                raise sqlite3.DatabaseError("its tables are not those of this program")
            create(connection, f"{schema.SCHEMA}pragma user_version = {schema.VERSION};")

    def _remove_orphans(self) -> None:
        with self.write() as connection:
            known = {row["digest"] for row in connection.execute("select digest from blobs")}
            connection.execute(
                "delete from uploads where started_at < ?",
                ((self.clock.now() - UPLOAD_LIFE).timestamp(),),
            )
            uploads = {row["id"] for row in connection.execute("select id from uploads")}
            for path in self.blobs.glob("*/*/*"):
                if f"{path.parent.parent.name}:{path.name}" not in known:
                    path.unlink()
            for path in self.uploads.iterdir():
                if path.name not in uploads:
                    path.unlink()


def _nobody() -> None:
    """What is called while nobody scans or delivers: scan and event wait in the store."""
