"""What follows a commit: callbacks in order, outside the transaction, and only if it stands."""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.sandbox.service.errors import NoRoom
from labs_helpers.sandbox.service.store import Store, StoreTooNew

SCHEMA = "create table words (word text not null);"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path, "Words", SCHEMA)
    yield opened
    opened.close()


def words(store: Store) -> list[str]:
    with store.read() as db:
        return [row["word"] for row in db.execute("select word from words")]


def add(store: Store, word: str) -> None:
    with store.write() as db:
        db.execute("insert into words values (?)", (word,))


def test_callbacks_run_in_order_after_the_commit(store: Store) -> None:
    seen: list[object] = []
    with store.write() as db:
        store.after_commit(lambda: seen.append(words(store)))
        db.execute("insert into words values ('one')")
        store.after_commit(lambda: seen.append("second"))
        assert seen == []
    assert seen == [["one"], "second"]


def test_a_transaction_that_is_undone_has_no_callbacks(store: Store) -> None:
    seen: list[str] = []
    with suppress(ZeroDivisionError), store.write() as db:
        db.execute("insert into words values ('one')")
        store.after_commit(lambda: seen.append("called"))
        1 / 0  # noqa: B018
    add(store, "two")
    assert (words(store), seen) == (["two"], [])


def test_a_callback_that_fails_undoes_nothing_and_stops_no_other(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise OSError("the callback's own words")

    seen: list[str] = []
    with store.write() as db:
        db.execute("insert into words values ('one')")
        store.after_commit(fail)
        store.after_commit(lambda: seen.append("called"))
    assert (words(store), seen) == (["one"], ["called"])
    assert "the callback's own words" in caplog.text


def test_another_thread_writes_while_a_callback_runs(store: Store) -> None:
    def wait_for_another_writer() -> None:
        other = threading.Thread(target=add, args=(store, "theirs"))
        other.start()
        other.join(timeout=30)
        assert not other.is_alive()

    with store.write() as db:
        db.execute("insert into words values ('ours')")
        store.after_commit(wait_for_another_writer)
    assert words(store) == ["ours", "theirs"]


def test_a_callback_writes_and_its_own_callbacks_run(store: Store) -> None:
    seen: list[list[str]] = []

    def write_again() -> None:
        with store.write() as db:
            db.execute("insert into words values ('two')")
            store.after_commit(lambda: seen.append(words(store)))

    with store.write() as db:
        db.execute("insert into words values ('one')")
        store.after_commit(write_again)
    assert seen == [["one", "two"]]


def test_without_a_transaction_a_callback_runs_at_once(store: Store) -> None:
    seen: list[str] = []
    store.after_commit(lambda: seen.append("called"))
    assert seen == ["called"]


def test_a_topics_subscribers_run_once_a_transaction(store: Store) -> None:
    seen: list[str] = []
    store.subscribe("words", lambda: seen.append("first"))
    store.subscribe("words", lambda: seen.append("second"))
    store.subscribe("others", lambda: seen.append("never"))
    with store.write():
        store.notify("words")
        store.notify("words")
        assert seen == []
    assert seen == ["first", "second"]
    store.notify("words")
    assert seen == ["first", "second"] * 2


def test_a_transaction_within_a_transaction_is_refused(store: Store) -> None:
    with store.write(), pytest.raises(RuntimeError, match="open on this thread"):
        add(store, "one")


def test_the_secret_stays_and_is_the_stores_own(store: Store, tmp_path: Path) -> None:
    other = Store(tmp_path / "other", "Words", SCHEMA)
    again = Store(tmp_path, "Words", SCHEMA)
    assert store.secret() == again.secret() != other.secret()
    other.close()
    again.close()


def test_a_later_versions_database_is_left_alone(store: Store, tmp_path: Path) -> None:
    newer = Store(tmp_path / "newer", "Words", SCHEMA, version=2)
    newer.close()
    with pytest.raises(StoreTooNew, match="has schema 2, this program knows up to 1"):
        Store(tmp_path / "newer", "Words", SCHEMA)


def test_threads_one_after_another_share_a_connection(store: Store) -> None:
    used = []

    def look() -> None:
        with store.read() as db:
            used.append(db)

    for _ in range(5):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert len(set(map(id, used))) == 1


def test_threads_at_once_have_a_connection_each(store: Store) -> None:
    both_read = threading.Barrier(2, timeout=60)

    def look(_: int) -> sqlite3.Connection:
        with store.read() as db, store.read() as within:
            assert within is db
            both_read.wait()
            return db

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(look, range(2))
    assert one is not other


def test_a_connection_that_is_lent_is_closed_when_its_block_ends(store: Store) -> None:
    with store.read() as db:
        store.close()
        assert db.execute("select 1").fetchone()[0] == 1
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        db.execute("select 1")


def full(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_leaves_the_store_a_secret(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labs_helpers.sandbox.service.store._make_secret", full)
    assert len(store.secret()) == 32
    assert store.secret() == store.secret()


def test_a_commit_that_finds_no_room_leaves_no_transaction_behind(store: Store) -> None:
    with store.read() as db:
        (pages,) = db.execute("pragma page_count").fetchone()
        db.execute(f"pragma max_page_count = {pages}")
    with pytest.raises(NoRoom), store.write() as db:
        db.execute("insert into words values (?)", ("x" * 100_000,))
    with store.read() as db:
        db.execute("pragma max_page_count = 100000")
    add(store, "one")
    assert words(store) == ["one"]
