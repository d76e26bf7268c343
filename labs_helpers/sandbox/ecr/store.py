"""Where ECR's state lives: one SQLite database beside the blobs' files.

    <root>/ecr.sqlite             repositories, images, tags, tokens, settings
    <root>/blobs/sha256/ab/<hex>  layers and configurations, by content
    <root>/uploads/<id>           layers on their way in

A call is acknowledged after its transaction is on disk (WAL, synchronous=FULL); a blob's file is
on disk under its final name before the row that names it is committed. `kill -9` at any moment
therefore loses nothing acknowledged and leaves at most an orphan file, removed at the next start.
"""

from __future__ import annotations

import shutil
import sqlite3
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

from labs_helpers.oci import digest as digests
from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.ecr import errors, schema
from labs_helpers.sandbox.ecr.hashing import RunningHashes
from labs_helpers.workspace import LabsError, SetAside, is_full

UPLOAD_LIFE = timedelta(days=1)
"""How long an upload that was left unfinished may still be resumed after a restart."""
_BUSY_SECONDS = 30.0


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
        self._database = root / "ecr.sqlite"
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._writing = threading.RLock()
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._make_folders()
        self._open()
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
            connection.execute("begin immediate")
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()
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
            connection = self._connect()
            self._local.connection = connection
            with self._writing:
                self._connections.append(connection)
        return connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._database,
            timeout=_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,  # close() closes them all, from the thread that stops us
        )
        connection.row_factory = sqlite3.Row
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
        connection.execute("pragma foreign_keys = on")
        return connection

    def _open(self) -> None:
        try:
            self._check()
        except sqlite3.OperationalError:
            raise  # locked, read-only or full: the file itself may be sound
        except sqlite3.DatabaseError as error:
            self._set_aside(error)
            self._check()

    def _check(self) -> None:
        with closing(self._connect()) as connection:
            problem = connection.execute("pragma quick_check(1)").fetchone()[0]
            if problem != "ok":
                raise sqlite3.DatabaseError(problem)
            version = connection.execute("pragma user_version").fetchone()[0]
            if version > schema.VERSION:
                raise StoreTooNew(
                    f"{self._database} has schema {version}, this program knows up to "
                    f"{schema.VERSION}: use the newer version of the labs, or labs reset"
                )
            if version == 0:
                if any(self.blobs.glob("*/*/*")):
                    # emptied or lost: as a new one it would have the blobs removed as orphans
                    raise sqlite3.DatabaseError("it is empty, and there are blobs beside it")
                connection.executescript(
                    f"begin immediate;{schema.SCHEMA}pragma user_version = {schema.VERSION};commit;"
                )
        self._database.chmod(0o600)

    def _set_aside(self, error: sqlite3.DatabaseError) -> None:
        stamp = self.clock.now().strftime("%Y%m%dT%H%M%SZ")
        aside = self.root / f"damaged-{stamp}"
        number = 1
        while aside.exists():
            number += 1
            aside = self.root / f"damaged-{stamp}-{number}"
        aside.mkdir(mode=0o700)
        # The blobs go with it: without their rows they would be removed as orphans.
        for path in [*self.root.glob("ecr.sqlite*"), self.blobs, self.uploads]:
            shutil.move(path, aside / path.name)
        self._make_folders()
        warnings.warn(
            f"The ECR database was damaged ({error}). It is kept in {aside}; ECR starts empty.",
            SetAside,
            stacklevel=2,
        )

    def _make_folders(self) -> None:
        for folder in (self.uploads, self.blobs, self.blobs / "sha256"):
            folder.mkdir(mode=0o700, exist_ok=True)

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
