"""The runner: does the jobs of a sandbox's desk, and leaves nothing running."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from labs_helpers.runner import runner as runner_module
from labs_helpers.runner.desk import ENDED, Away, Claim, Event, Lost
from labs_helpers.runner.runner import RUNNER_STOPS, SANDBOX_AWAY, STOPPED, Job, Kind, Runner


class FakeDesk:
    """A desk in memory: jobs to claim, ids to stop, and what was reported."""

    def __init__(self) -> None:
        self.jobs: list[Mapping[str, Any]] = []
        self.stops: list[str] = []
        self.events: list[tuple[str, int, Event]] = []
        self.away = False
        self.lost = False
        self.asked: list[list[str]] = []
        self.ended = threading.Event()
        self._changed = threading.Condition()

    def put(self, job_id: str, kind: str = "demo", **body: Any) -> None:
        with self._changed:
            self.jobs.append({"id": job_id, "kind": kind, "body": body})
            self._changed.notify_all()

    def claim(
        self,
        kinds: Sequence[str],
        running: Sequence[str],
        held: Sequence[str],
        seconds: float = 0.05,
    ) -> Claim:
        assert set(running) <= set(held)
        with self._changed:
            if self.away:
                raise Away("nobody answers")
            self.asked.append(list(kinds))
            fitting = [each for each in self.jobs if each["kind"] in kinds]
            stop = [each for each in running if each in self.stops]
            if not fitting and not stop:
                self._changed.wait(0.05)
            if fitting and not stop:
                self.jobs.remove(fitting[0])
                return Claim(fitting[0], [])
            return Claim(None, stop)

    def hang_up(self) -> None:
        """No claim of this desk waits for long."""

    def report(self, job: str, number: int, events: Sequence[Event]) -> None:
        if self.lost:
            raise Lost("gone")
        self.events += [(job, number + n, each) for n, each in enumerate(events)]
        if any(each["type"] == ENDED for each in events):
            self.ended.set()


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def run(desk: FakeDesk) -> Iterator[Callable[..., Runner]]:
    started: list[tuple[Runner, threading.Thread]] = []

    def begin(work: Callable[[Job], None], most: int = 2) -> Runner:
        runner = Runner(desk, {"demo": Kind(work, most)})  # type: ignore[arg-type]
        thread = threading.Thread(target=runner.run)
        thread.start()
        started.append((runner, thread))
        return runner

    yield begin
    for runner, thread in started:
        runner.close()
        thread.join(30)
        assert not thread.is_alive()


def test_a_job_is_done_and_its_events_are_numbered(
    desk: FakeDesk, run: Callable[..., Runner]
) -> None:
    def work(job: Job) -> None:
        job.report({"type": "phase"}, {"type": "phase"})
        job.ended(status=job.body["wanted"])

    run(work)
    desk.put("a", wanted="SUCCEEDED")
    assert desk.ended.wait(30)
    assert desk.events == [
        ("a", 1, {"type": "phase"}),
        ("a", 2, {"type": "phase"}),
        ("a", 3, {"type": ENDED, "status": "SUCCEEDED"}),
    ]


def test_a_job_that_fails_ends_with_the_reason(desk: FakeDesk, run: Callable[..., Runner]) -> None:
    def work(job: Job) -> None:
        raise ValueError("no such thing")

    run(work)
    desk.put("a")
    assert desk.ended.wait(30)
    fault = "The labs' runner failed: ValueError: no such thing"
    assert desk.events == [("a", 1, {"type": ENDED, "fault": fault})]


def test_a_kind_has_its_places_and_no_more(desk: FakeDesk, run: Callable[..., Runner]) -> None:
    go, both = threading.Event(), threading.Barrier(3)

    def work(job: Job) -> None:
        if job.id != "c":
            both.wait(30)
        go.wait(30)
        job.ended()

    run(work, most=2)
    for each in ("a", "b", "c"):
        desk.put(each)
    both.wait(30)
    desk.asked.clear()
    while not desk.asked:
        threading.Event().wait(0.01)
    assert desk.asked[-1] == []
    assert [each["id"] for each in desk.jobs] == ["c"]
    go.set()
    while len([each for each in desk.events if each[2]["type"] == ENDED]) < 3:
        threading.Event().wait(0.01)


def ending(reasons: list[str]) -> Callable[[Job], None]:
    """Work that goes on until the job has to end."""

    def work(job: Job) -> None:
        called = threading.Event()
        job.on_stop(called.set)
        called.wait(30)
        reasons.append(job.stopping)
        late = threading.Event()
        job.on_stop(late.set)
        assert late.is_set()
        job.ended(status="STOPPED")

    return work


def test_a_stop_ends_the_job(desk: FakeDesk, run: Callable[..., Runner]) -> None:
    reasons: list[str] = []
    run(ending(reasons))
    desk.put("a")
    desk.stops.append("a")
    assert desk.ended.wait(30)
    assert reasons == [STOPPED]


def test_jobs_end_when_the_sandbox_goes_away(
    desk: FakeDesk, run: Callable[..., Runner], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "AWAY_SECONDS", 0.0)
    monkeypatch.setattr(runner_module, "_PAUSE", 0.01)
    reasons: list[str] = []
    running = threading.Event()

    def work(job: Job) -> None:
        running.set()
        ending(reasons)(job)

    run(work)
    desk.put("a")
    assert running.wait(30)
    desk.away = True
    assert desk.ended.wait(30)
    assert reasons == [SANDBOX_AWAY]
    desk.away = False
    desk.ended.clear()
    desk.put("b")
    desk.stops.append("b")
    assert desk.ended.wait(30)


def test_jobs_end_with_the_runner(desk: FakeDesk, run: Callable[..., Runner]) -> None:
    reasons: list[str] = []
    running = threading.Event()

    def work(job: Job) -> None:
        running.set()
        ending(reasons)(job)

    runner = run(work)
    desk.put("a")
    assert running.wait(30)
    runner.close()
    assert desk.ended.wait(30)
    assert reasons == [RUNNER_STOPS]


def test_a_lost_job_ends_quietly_and_others_go_on(
    desk: FakeDesk, run: Callable[..., Runner]
) -> None:
    tried = threading.Event()

    def work(job: Job) -> None:
        tried.set()
        job.ended()

    run(work)
    desk.lost = True
    desk.put("a")
    assert tried.wait(30)
    desk.lost = False
    desk.put("b")
    assert desk.ended.wait(30)
    assert [each[0] for each in desk.events] == ["b"]
