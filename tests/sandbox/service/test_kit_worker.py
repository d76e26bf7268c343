"""A worker is started, woken by commits, and closed by its maker."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from labs_helpers.sandbox.service.store import Store
from labs_helpers.sandbox.service.worker import Worker


class Counting(Worker[Store]):
    """Counts the rows that wait; fails at the first of them when told to."""

    name = "counting"
    topic = "rows"
    failure = "the rows could not be counted"

    def __init__(self, store: Store, fails: bool = False) -> None:
        super().__init__(store)
        self.fails = fails
        self.counts: list[int] = []
        self.counted = threading.Condition()

    def has_work(self) -> bool:
        return self._count() > 0

    def work(self) -> None:
        with self.counted:
            self.counts.append(self._count())
            self.counted.notify_all()
        if self.fails:
            raise OSError("no memory")

    def until(self, count: int) -> None:
        """Wait until the worker has seen that many rows."""
        with self.counted:
            assert self.counted.wait_for(lambda: count in self.counts, timeout=30), self.counts

    def _count(self) -> int:
        with self.store.read() as db:
            return int(db.execute("select count(*) from waiting").fetchone()[0])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path, "Rows", "create table waiting (row);")
    yield opened
    opened.close()


def add(store: Store) -> None:
    with store.write() as db:
        db.execute("insert into waiting values (1)")
        store.notify("rows")


def test_a_commit_wakes_the_worker(store: Store) -> None:
    with closing(Counting(store)) as worker:
        worker.start()
        add(store)
        worker.until(1)
        add(store)
        worker.until(2)


def test_what_waits_from_an_earlier_run_is_done_at_the_start(store: Store) -> None:
    add(store)
    with closing(Counting(store)) as worker:
        worker.start()
        worker.until(1)


def test_a_failure_is_logged_and_the_next_commit_wakes_the_worker(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(Counting(store, fails=True)) as worker:
        worker.start()
        add(store)
        worker.until(1)
        add(store)
        worker.until(2)
    assert "the rows could not be counted" in caplog.text


def test_a_closed_worker_has_no_thread_and_starts_none(store: Store) -> None:
    worker = Counting(store)
    worker.start()
    add(store)
    worker.until(1)
    worker.close()
    add(store)
    assert "counting" not in {thread.name for thread in threading.enumerate()}
