"""Jobs: a service submits them, a runner claims them, and nothing is forgotten."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.runtime import process_identity
from labs_helpers.sandbox.control_api import ControlRefused
from labs_helpers.sandbox.service import jobs, work, work_routes
from labs_helpers.sandbox.service.jobs import ENDED, Event, Job
from labs_helpers.sandbox.service.store import Store
from labs_helpers.sandbox.service.work import Desk

ME = process_identity.noted(os.getpid())


class Service:
    """An owner that writes down what it is told."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Event]] = []
        self.losses: dict[str, str] = {}
        self.given: dict[str, Any] | None = {"key": "made at the claim"}
        self.told = threading.Event()

    def claimed(self, job: Job) -> dict[str, Any] | None:
        if job.body.get("broken"):
            raise ValueError("broken")
        return self.given

    def reported(self, job: Job, events: Sequence[Event]) -> None:
        self.events += [(job.id, each) for each in events]

    def lost(self, job: Job, why: str) -> None:
        self.losses[job.id] = why
        self.told.set()


class Room:
    """A desk over the jobs of one service."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder, "Demo", jobs.SCHEMA)
        self.service = Service()
        self.desk = Desk()
        self.desk.serve(self.store, {"demo": self.service})

    def submit(self, *ids: str, **body: Any) -> None:
        with self.store.write() as db:
            for each in ids:
                jobs.submit(self.store, db, Job(each, "demo", body))

    def claim(
        self,
        seconds: float = 0,
        kinds: Sequence[str] = ("demo",),
        running: Sequence[str] = (),
        note: Mapping[str, Any] = ME,
        held: Sequence[str] = ("a", "b"),
    ) -> dict[str, Any]:
        return self.desk.claim(note, kinds, running, held, seconds)

    def close(self) -> None:
        self.desk.close()
        self.store.close()


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    made.close()


def test_jobs_are_claimed_in_order_each_once_with_what_the_service_adds(room: Room) -> None:
    room.submit("a", "b", commands=["true"])
    first, second = room.claim()["job"], room.claim()["job"]
    assert first == {
        "id": "a",
        "kind": "demo",
        "body": {"commands": ["true"], "key": "made at the claim"},
    }
    assert second["id"] == "b"
    assert room.claim() == {"job": None, "stop": []}


def test_a_job_that_the_runner_no_longer_holds_is_lost(room: Room) -> None:
    """The runner gave the job up, or never heard that the job was its own."""
    room.submit("a", "b")
    room.claim()
    room.claim(held=["a"])
    assert room.service.losses == {}
    assert room.claim(held=["b"]) == {"job": None, "stop": []}
    assert room.service.losses == {"a": work.GIVEN_UP}
    assert room.desk.facts()["claimed"] == 1
    with pytest.raises(ControlRefused):
        room.desk.report(ME, "a", 1, [{"type": "ended"}])


def test_a_runner_gets_only_kinds_that_it_has_a_place_for(room: Room) -> None:
    room.submit("a")
    assert room.claim(kinds=("other",))["job"] is None
    assert room.claim(kinds=())["job"] is None
    assert room.claim(kinds=("other", "demo"))["job"]["id"] == "a"


def test_a_waiting_claim_is_answered_by_the_next_job_and_by_the_end(room: Room) -> None:
    answers: list[Any] = []
    threads = []
    for _ in range(2):
        thread = threading.Thread(target=lambda: answers.append(room.claim(40)["job"]))
        thread.start()
        threads.append(thread)
    room.submit("a")
    room.desk.close()
    for thread in threads:
        thread.join(30)
    assert sorted(each["id"] if each else "" for each in answers) in (["", "a"], ["", ""])


def test_a_transaction_that_is_undone_submits_nothing(room: Room) -> None:
    def submit_and_fail() -> None:
        with room.store.write() as db:
            jobs.submit(room.store, db, Job("a", "demo", {}))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        submit_and_fail()
    assert room.claim()["job"] is None


def test_events_reach_the_service_in_order_and_each_once(room: Room) -> None:
    room.submit("a")
    room.claim()
    one, two, end = {"type": "phase", "n": 1}, {"type": "phase", "n": 2}, {"type": ENDED}
    room.desk.report(ME, "a", 1, [one])
    room.desk.report(ME, "a", 1, [one, two])  # the acknowledgement was lost, and two came along
    room.desk.report(ME, "a", 3, [end])
    assert room.service.events == [("a", one), ("a", two), ("a", end)]
    assert room.desk.facts()["claimed"] == 0


def test_only_the_runner_of_a_job_reports(room: Room) -> None:
    room.submit("a", "b")
    room.claim()
    other = {"pid": 1, "process_started": 0.0}
    room.claim(note=other, kinds=())
    for note, job in ((other, "a"), (ME, "b"), (ME, "gone")):
        with pytest.raises(ControlRefused) as refused:
            room.desk.report(note, job, 1, [{"type": ENDED}])
        assert refused.value.status == 410
    assert room.service.events == []


def test_a_stop_reaches_the_runner_of_a_running_job(room: Room) -> None:
    room.submit("a")
    room.claim()
    assert room.claim(running=["a"])["stop"] == []
    answers: list[Any] = []
    waiting = threading.Thread(target=lambda: answers.append(room.claim(40, running=["a"])))
    waiting.start()
    room.desk.stop("a")
    waiting.join(30)
    assert answers == [{"job": None, "stop": ["a"]}]


def test_a_job_that_the_desk_does_not_know_is_to_end(room: Room) -> None:
    assert room.claim(running=["of an earlier sandbox"])["stop"] == ["of an earlier sandbox"]


def test_a_waiting_job_can_be_withdrawn_and_a_claimed_one_cannot(room: Room) -> None:
    room.submit("a", "b")
    room.claim()
    with room.store.write() as db:
        assert not jobs.withdraw(db, "a")
        assert jobs.withdraw(db, "b")
    assert room.claim()["job"] is None


def test_a_job_with_nothing_to_do_any_longer_is_passed_over(room: Room) -> None:
    room.submit("a")
    room.service.given = None
    assert room.claim()["job"] is None
    assert room.desk.facts() == {"runners": [os.getpid()], "waiting": 0, "claimed": 0}


def test_a_service_that_fails_at_the_claim_loses_this_job_only(room: Room) -> None:
    room.submit("a", broken=True)
    room.submit("b")
    assert room.claim()["job"]["id"] == "b"
    assert room.service.losses == {"a": "The sandbox could not begin this; its log says why."}


def test_after_a_restart_waiting_jobs_wait_and_claimed_jobs_are_lost(tmp_path: Path) -> None:
    before = Room(tmp_path)
    before.submit("running", "waiting")
    before.claim()
    before.close()
    after = Room(tmp_path)
    assert after.service.losses == {"running": work.RESTARTED}
    assert after.claim(running=["running"])["stop"] == ["running"]
    assert after.claim()["job"]["id"] == "waiting"
    after.close()


def test_the_jobs_of_a_runner_that_ended_are_lost(room: Room) -> None:
    runner = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    note = process_identity.noted(runner.pid)
    room.submit("a")
    assert room.claim(note=note)["job"]["id"] == "a"
    runner.communicate(b"\n")
    assert room.service.told.wait(30)
    assert room.service.losses == {"a": work.RUNNER_ENDED}
    room.desk.close()  # which waits for the thread that forgets the job
    assert room.desk.facts() == {"runners": [], "waiting": 0, "claimed": 0}


def test_a_job_for_which_no_runner_is_there_is_lost_in_the_end(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "PATIENCE", 0.0)
    room.submit("a")
    assert room.service.told.wait(30)
    assert room.service.losses == {"a": work.NO_RUNNER}


def test_after_the_close_nothing_looks_at_the_stores(room: Room) -> None:
    room.submit("a")
    room.desk.close()
    assert "jobs" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize(
    "sent", [{}, {"runner": 1}, {"runner": {}, "kinds": 1, "running": [], "held": []}]
)
def test_what_is_no_claim_or_report_is_refused(room: Room, sent: dict[str, Any]) -> None:
    routes = work_routes.routes(room.desk)
    for what in ("claim", "report"):
        with pytest.raises(ControlRefused) as refused:
            routes["POST", f"/_labs/work/{what}"](sent)
        assert refused.value.status == 400


CLAIM: dict[str, Any] = {"runner": ME, "kinds": ["demo"], "running": [], "held": [], "seconds": 0}


@pytest.mark.parametrize(
    "wrong",
    [
        # with these, a claim would wait without a pause and without an end
        {"seconds": float("nan")},
        {"seconds": "inf"},
        {"seconds": 10**400},
        {"runner": {}},
        {"runner": {"pid": 1 << 80, "process_started": 1.0}},
        {"runner": {"pid": -1, "process_started": 1.0}},
    ],
)
def test_a_claim_with_odd_numbers_claims_nothing(room: Room, wrong: dict[str, Any]) -> None:
    room.submit("a")
    with pytest.raises(ControlRefused) as refused:
        work_routes.routes(room.desk)["POST", "/_labs/work/claim"]({**CLAIM, **wrong})
    assert refused.value.status == 400
    assert room.desk.facts() == {"runners": [], "waiting": 1, "claimed": 0}


def test_kinds_that_nobody_has_are_passed_over(room: Room) -> None:
    room.submit("a")
    kinds = [*(f"kind{number}" for number in range(300_000)), "demo"]
    found = work_routes.routes(room.desk)["POST", "/_labs/work/claim"]({**CLAIM, "kinds": kinds})
    assert found["job"]["id"] == "a"
