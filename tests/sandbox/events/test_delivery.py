"""Events reach EventBridge in order and at least once, and nobody who pushes waits for them."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.ecr import events, repositories
from labs_helpers.sandbox.ecr.events import Event
from labs_helpers.sandbox.ecr.repositories import Registry
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.events.delivery import EventDelivery

HOME = Registry("123456789012", "us-west-2")
CLOCK = Clock(frozen_at=datetime(2026, 11, 2, 9, tzinfo=UTC))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "ecr", CLOCK)
    yield opened
    opened.close()


def keep(store: Store, *names: str) -> None:
    for name in names:
        with store.write() as db:
            at = CLOCK.now().timestamp()
            events.add(store, db, HOME, at, "ECR Image Action", {"name": name})


@contextmanager
def delivering(store: Store, publish: Callable[[Event], None]) -> Iterator[EventDelivery]:
    """A started delivery, which is closed before its store."""
    with closing(EventDelivery(store, publish)) as delivery:
        delivery.start()
        yield delivery


class Bus:
    """Where events arrive; ``until`` waits for a number of them."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._changed = threading.Condition()

    def publish(self, event: Event) -> None:
        with self._changed:
            self.names.append(event["detail"]["name"])
            self._changed.notify_all()

    def until(self, count: int) -> list[str]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.names) >= count, timeout=30), self.names
            return list(self.names)


def test_events_arrive_in_the_order_of_the_acts(store: Store) -> None:
    bus = Bus()
    names = [str(number) for number in range(50)]
    with delivering(store, bus.publish):
        keep(store, *names)
        assert bus.until(50) == names


def test_what_was_delivered_is_forgotten(store: Store) -> None:
    bus = Bus()
    with delivering(store, bus.publish):
        keep(store, "one")
        bus.until(1)
    assert events.queue(store) == []


def test_no_thread_runs_before_the_first_event(store: Store) -> None:
    before = set(threading.enumerate())
    with delivering(store, Bus().publish):
        assert set(threading.enumerate()) <= before


def test_whoever_keeps_an_event_does_not_wait_for_its_delivery(store: Store) -> None:
    bus, hold = Bus(), threading.Event()

    def slow(event: Event) -> None:
        assert hold.wait(30)
        bus.publish(event)

    with delivering(store, slow):
        keep(store, "one", "two")
        assert bus.names == []
        hold.set()
        assert bus.until(2) == ["one", "two"]


def test_an_event_that_breaks_off_is_delivered_again_with_the_next(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    bus, broken = Bus(), threading.Event()

    def once_broken(event: Event) -> None:
        if not broken.is_set():
            broken.set()
            raise OSError("no memory")
        bus.publish(event)

    with delivering(store, once_broken):
        keep(store, "one")
        assert broken.wait(30)
        keep(store, "two")
        assert bus.until(2) == ["one", "two"]
    assert "events could not be delivered" in caplog.text


def test_events_left_by_a_closed_store_are_delivered_by_the_next(tmp_path: Path) -> None:
    first = Store(tmp_path / "ecr", CLOCK)
    keep(first, "one", "two")
    first.close()
    again, bus = Store(tmp_path / "ecr", CLOCK), Bus()
    with delivering(again, bus.publish):
        assert bus.until(2) == ["one", "two"]
    again.close()


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.sandbox.events import test_delivery as here
from labs_helpers.sandbox.events.delivery import EventDelivery

def publish(event):
    with open(sys.argv[2], "a") as arrived:
        arrived.write(event["detail"]["name"] + " ")
    if event["detail"]["name"] == sys.argv[3]:
        os.kill(os.getpid(), signal.SIGKILL)

store = here.Store(Path(sys.argv[1]), here.CLOCK)
here.keep(store, "one", "two", "three")
EventDelivery(store, publish).work()
signal.pause()
"""


@pytest.mark.parametrize("last", ["one", "two", "three"])
def test_an_event_outlives_kill_9_at_any_moment_of_its_delivery(tmp_path: Path, last: str) -> None:
    root, arrived = tmp_path / "ecr", tmp_path / "arrived"
    command = [sys.executable, "-c", KILLED, str(root), str(arrived), last]
    killed = subprocess.run(command, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    store, bus = Store(root, CLOCK), Bus()
    with delivering(store, bus.publish):
        # what had arrived may arrive again; what had not does
        assert bus.until(3) == ["one", "two", "three"]
    assert arrived.read_text().split()[-1] == last
    store.close()


def test_nothing_is_kept_for_a_repository_that_only_exists(store: Store) -> None:
    repositories.create(store, HOME, "demo")
    assert events.is_empty(store)
