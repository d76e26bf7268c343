"""The store survives what happens to files and processes."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from labs_helpers.files import SetAside
from labs_helpers.oci import digest
from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.ecr import errors, layers, repositories, uploads
from labs_helpers.sandbox.ecr.repositories import Registry
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.service import store as kit
from labs_helpers.sandbox.service.errors import NoRoom
from labs_helpers.sandbox.service.store import StoreTooNew

HOME = Registry("123456789012", "us-west-2")


@pytest.fixture
def clock() -> Clock:
    return Clock(frozen_at=datetime(2026, 11, 2, 9, tzinfo=UTC))


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    opened = Store(tmp_path / "ecr", clock)
    yield opened
    opened.close()


def push(store: Store, repository: repositories.Repository, data: bytes) -> str:
    upload_id = uploads.initiate(store, repository)
    uploads.append(store, repository, upload_id, io.BytesIO(data))
    name = digest.of_bytes(data)
    uploads.complete(store, repository, upload_id, [name])
    return name


def test_state_is_there_after_a_restart(store: Store, clock: Clock) -> None:
    repository = repositories.create(store, HOME, "demo", tags={"team": "a"})
    name = push(store, repository, b"data")
    store.close()
    again = Store(store.root, clock)
    assert repositories.get(again, HOME, "demo") == repository
    assert repositories.tags(again, repository) == {"team": "a"}
    blob, file = layers.open_blob(again, repository, name)
    with file:
        assert (blob.size, file.read()) == (4, b"data")
    again.close()


def test_only_its_owner_reads_it(store: Store) -> None:
    push(store, repositories.create(store, HOME, "demo"), b"data")
    for path in [store.root, *store.root.rglob("*")]:
        if path.is_dir() or path.suffix == ".sqlite":
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_a_damaged_database_is_set_aside_whole(store: Store, clock: Clock) -> None:
    repository = repositories.create(store, HOME, "demo")
    push(store, repository, b"data")
    half = uploads.initiate(store, repository)
    uploads.append(store, repository, half, io.BytesIO(b"on its way"))
    store.close()
    (store.root / "ecr.sqlite").write_bytes(b"not a database" * 1000)
    with pytest.warns(SetAside, match="The ECR database was damaged .*; ECR starts empty"):
        again = Store(store.root, clock)
    assert repositories.list_all(again, HOME) == []
    (aside,) = store.root.glob("ecr.sqlite.damaged-*")
    assert (aside / "ecr.sqlite").is_file()
    assert [path.read_bytes() for path in (aside / "blobs").glob("*/*/*")] == [b"data"]
    assert (aside / "uploads" / half).read_bytes() == b"on its way"
    push(again, repositories.create(again, HOME, "demo"), b"data")
    again.close()


def test_an_emptied_database_does_not_cost_the_blobs(store: Store, clock: Clock) -> None:
    push(store, repositories.create(store, HOME, "demo"), b"data")
    store.close()
    (store.root / "ecr.sqlite").write_bytes(b"")
    with pytest.warns(SetAside, match="ECR starts empty"):
        again = Store(store.root, clock)
    (kept,) = store.root.glob("*.damaged-*/blobs/*/*/*")
    assert kept.read_bytes() == b"data"
    again.close()


def test_a_database_of_another_program_is_set_aside(tmp_path: Path, clock: Clock) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "ecr.sqlite")) as db, db:
        db.execute("create table repositories (name text)")
    with pytest.warns(SetAside, match="its tables are not those of this program"):
        store = Store(tmp_path, clock)
    assert repositories.list_all(store, HOME) == []
    store.close()


def test_a_newer_database_is_left_alone(store: Store, clock: Clock) -> None:
    store.close()
    with sqlite3.connect(store.root / "ecr.sqlite") as db:
        db.execute("pragma user_version = 99")
    db.close()
    with pytest.raises(StoreTooNew, match="labs reset"):
        Store(store.root, clock)


def test_orphans_of_a_crash_are_swept_at_the_next_start(store: Store, clock: Clock) -> None:
    name = push(store, repositories.create(store, HOME, "demo"), b"data")
    orphan = store.blob_path(digest.of_bytes(b"orphan"))
    orphan.parent.mkdir(parents=True)
    orphan.write_bytes(b"orphan")
    (store.uploads / "left-behind").write_bytes(b"x")
    store.close()
    again = Store(store.root, clock)
    assert list(again.blobs.glob("*/*/*")) == [again.blob_path(name)]
    assert list(again.uploads.iterdir()) == []
    again.close()


def test_a_blob_whose_file_went_missing_can_be_pushed_again(store: Store) -> None:
    repository = repositories.create(store, HOME, "demo")
    name = push(store, repository, b"data")
    store.blob_path(name).unlink()
    assert layers.find(store, repository, name) is None
    push(store, repository, b"data")
    assert layers.find(store, repository, name) == layers.Blob(name, 4)


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    def half() -> None:
        with store.write() as db:
            db.execute("insert into blobs values ('sha256:x', 1)")
            raise OSError("no")

    with pytest.raises(OSError, match="no"):
        half()
    with store.read() as db:
        assert db.execute("select count(*) from blobs").fetchone()[0] == 0


def test_a_full_database_is_told_as_a_full_disk(store: Store) -> None:
    with store.read() as db:
        pages = db.execute("pragma page_count").fetchone()[0]
        db.execute(f"pragma max_page_count = {pages}")
    with pytest.raises(NoRoom, match="no room left on its disk"), store.write() as db:
        db.executemany(
            "insert into blobs values (?, 1)", ((f"sha256:{number:0900}",) for number in range(200))
        )
    with store.read() as db:
        assert db.execute("select count(*) from blobs").fetchone()[0] == 0


def test_a_page_mark_that_finds_the_disk_full_leaves_no_half_key(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = set(store.root.iterdir())
    monkeypatch.setattr(kit.os, "fsync", full)
    secret = store.secret()
    assert store.secret() == secret, "pages could not be read on"
    assert set(store.root.iterdir()) == before


def test_a_part_that_finds_the_disk_full_is_forgotten(store: Store) -> None:
    class Full(io.BytesIO):
        """Some bytes of a part, and then a full disk."""

        def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
            if count := super().readinto(buffer):
                return count
            raise OSError(errno.ENOSPC, "No space left on device")

    repository = repositories.create(store, HOME, "demo")
    upload_id = uploads.initiate(store, repository)
    uploads.append(store, repository, upload_id, io.BytesIO(b"kept"))
    with pytest.raises(NoRoom):
        uploads.append(store, repository, upload_id, Full(b"lost"))
    assert uploads.find(store, repository, upload_id).received == 4


def test_many_threads_write_at_once(store: Store) -> None:
    repository = repositories.create(store, HOME, "demo")
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for step in range(5):
                push(store, repository, f"{number % 2} {step}".encode())
        except BaseException as error:  # noqa: BLE001 - reported below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(list(store.blobs.glob("*/*/*"))) == 10
    assert list(store.uploads.iterdir()) == []


KILLED = """
import io, os, sys
from pathlib import Path
from labs_helpers.oci import digest
from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.ecr import repositories, uploads
from labs_helpers.sandbox.ecr.store import Store
store = Store(Path(sys.argv[1]), Clock())
repository = repositories.create(store, repositories.Registry("123456789012", "us-west-2"), "demo")
number = 0
while True:
    data = os.urandom(5000)
    upload = uploads.initiate(store, repository)
    uploads.append(store, repository, upload, io.BytesIO(data))
    uploads.complete(store, repository, upload, [digest.of_bytes(data)])
    print(digest.of_bytes(data), flush=True)
"""


def test_what_was_acknowledged_survives_kill_9(tmp_path: Path, clock: Clock) -> None:
    root = tmp_path / "killed"
    arguments = [sys.executable, "-c", KILLED, str(root)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        acknowledged = [process.stdout.readline().strip() for _ in range(10)]
        process.send_signal(signal.SIGKILL)
    store = Store(root, clock)
    repository = repositories.get(store, HOME, "demo")
    for name in acknowledged:
        blob, file = layers.open_blob(store, repository, name)
        with file:
            assert digest.of_bytes(file.read()) == name
        assert blob.size == 5000
    with store.read() as db:
        stored = {row["digest"] for row in db.execute("select digest from blobs")}
    files = {f"sha256:{path.name}" for path in store.blobs.glob("*/*/*")}
    assert files == stored >= set(acknowledged)
    store.close()


STOPPED = """
import io, sys, time
from pathlib import Path
from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.ecr import repositories, uploads
from labs_helpers.sandbox.ecr.store import Store
store = Store(Path(sys.argv[1]), Clock())
repository = repositories.create(store, repositories.Registry("123456789012", "us-west-2"), "demo")
upload = uploads.initiate(store, repository)
uploads.append(store, repository, upload, io.BytesIO(b"the first "))
uploads.append(store, repository, upload, io.BytesIO(b"and the second part"))
print(upload, flush=True)
sys.stdin.read()
"""


def test_acknowledged_parts_of_an_upload_survive_kill_9(tmp_path: Path, clock: Clock) -> None:
    root = tmp_path / "killed"
    arguments = [sys.executable, "-c", STOPPED, str(root)]
    pipe = subprocess.PIPE
    with subprocess.Popen(arguments, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        upload = process.stdout.readline().strip()
        process.send_signal(signal.SIGKILL)
    store = Store(root, clock)
    repository = repositories.get(store, HOME, "demo")
    whole = b"the first and the second part"
    assert uploads.find(store, repository, upload).received == len(whole)
    done = uploads.complete(store, repository, upload, [digest.of_bytes(whole)], ecr_parts=False)
    assert done.blob.size == len(whole)
    store.close()


def test_bytes_that_a_power_cut_took_make_no_layer(store: Store, clock: Clock) -> None:
    repository = repositories.create(store, HOME, "demo")
    upload = uploads.initiate(store, repository)
    uploads.append(store, repository, upload, io.BytesIO(b"kept"))
    store.close()
    os.truncate(store.upload_path(upload), 2)
    again = Store(store.root, clock)
    with pytest.raises(errors.InvalidLayer):
        uploads.complete(again, repository, upload, [digest.of_bytes(b"kept")])
    assert layers.find(again, repository, digest.of_bytes(b"kept")) is None
    again.close()


def test_an_upload_left_for_days_gives_its_room_back_at_a_start(store: Store, clock: Clock) -> None:
    repository = repositories.create(store, HOME, "demo")
    forgotten = uploads.initiate(store, repository)
    uploads.append(store, repository, forgotten, io.BytesIO(b"left"))
    clock.advance(timedelta(hours=25))
    recent = uploads.initiate(store, repository)
    store.close()
    again = Store(store.root, clock)
    assert list(again.uploads.iterdir()) == [again.upload_path(recent)]
    with pytest.raises(errors.UploadNotFound):
        uploads.find(again, repository, forgotten)
    again.close()


def test_an_unacknowledged_tail_is_cut_off(store: Store, clock: Clock) -> None:
    repository = repositories.create(store, HOME, "demo")
    upload_id = uploads.initiate(store, repository)
    uploads.append(store, repository, upload_id, io.BytesIO(b"kept"))
    with store.upload_path(upload_id).open("ab") as file:
        file.write(b"written just before the power went")
    store.close()
    again = Store(store.root, clock)
    assert uploads.find(again, repository, upload_id).received == 4
    done = uploads.complete(again, repository, upload_id, [digest.of_bytes(b"kept")])
    assert done.blob.size == 4
    again.close()


def test_a_deleted_repository_takes_its_blobs_but_not_others(store: Store) -> None:
    demo, other = (repositories.create(store, HOME, name) for name in ("demo", "other"))
    shared = push(store, demo, b"shared")
    push(store, demo, b"alone")
    push(store, other, b"shared")
    repositories.delete(store, demo)
    assert list(store.blobs.glob("*/*/*")) == [store.blob_path(shared)]
    with pytest.raises(errors.RepositoryNotFound):
        uploads.initiate(store, demo)
