"""The loop of the runner: claims jobs while there is a place, and does each on a thread of its own.

A job ends early when the sandbox asks for that, when the sandbox has lost the job or is away for
`AWAY_SECONDS`, and when the runner itself is told to end.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from labs_helpers.runner.desk import ENDED, Away, Desk, Event, Lost

log = logging.getLogger(__name__)

AWAY_SECONDS = 10.0
"""Seconds without an answer of the sandbox after which nobody waits for the running jobs."""
_PAUSE = 1.0
"""Seconds between two claims while no sandbox answers."""
_STOP_SECONDS = 8.0
"""Seconds that the jobs have to end when the runner is told to end."""

STOPPED = "the stop was asked for"
RUNNER_STOPS = "the labs were stopped while it ran"
SANDBOX_AWAY = "the sandbox went away"


class Job:
    """A job that this runner has claimed; for the thread that does the job.

    id: the job's; body: as the service submitted it, and what the service added at the claim;
    stopping: why the job has to end, "" while it need not.
    """

    def __init__(self, desk: Desk, document: Mapping[str, Any]) -> None:
        self.id = str(document["id"])
        self.kind = str(document["kind"])
        self.body: dict[str, Any] = dict(document["body"])
        self.stopping = ""
        self.desk = desk
        self._number = 1
        self._reporting = threading.Lock()
        self._stopped = threading.Event()
        self._on_stop: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    def report(self, *events: Event) -> None:
        """Report events, in order; returns when the service has them. Raises Lost."""
        with self._reporting:
            self.desk.report(self.id, self._number, events)
            self._number += len(events)

    def ended(self, **facts: Any) -> None:
        """Report the job's end; the last report. Raises Lost."""
        self.report({"type": ENDED, **facts})

    def on_stop(self, callback: Callable[[], None]) -> None:
        """Call back once the job has to end; at once where it has to already. From any thread."""
        with self._lock:
            if not self.stopping:
                self._on_stop.append(callback)
                return
        callback()

    def wait(self, seconds: float) -> bool:
        """Wait; True as soon as the job has to end."""
        return self._stopped.wait(seconds)

    def stop(self, why: str) -> None:
        """Have the job end; a second call changes nothing."""
        with self._lock:
            if self.stopping:
                return
            self.stopping = why
            callbacks, self._on_stop = self._on_stop, []
        self._stopped.set()
        for callback in callbacks:
            callback()


@dataclass(frozen=True)
class Kind:
    """work: does a job and reports its end; most: how many run at once.

    lasts: whether a job goes on until the job has to end, so that no place is about to be free.
    """

    work: Callable[[Job], None]
    most: int
    lasts: bool = False


class Runner:
    """Does jobs until `close`."""

    def __init__(self, desk: Desk, kinds: Mapping[str, Kind]) -> None:
        self._desk = desk
        self._kinds = kinds
        self._running: dict[str, tuple[Job, threading.Thread]] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()

    def run(self) -> None:
        """Claim and do jobs; returns after `close`, once the jobs have ended."""
        away_since: float | None = None
        while not self._closing.is_set():
            try:
                # a job that ends makes a place: with places taken, the next claim comes soon
                crowded = self._is_crowded()
                found = self._desk.claim(
                    self._places(), self._ids(), self._held(), *([_PAUSE] if crowded else [])
                )
            except Away as error:
                away_since = away_since or time.monotonic()
                if time.monotonic() - away_since > AWAY_SECONDS:
                    self._stop_all(SANDBOX_AWAY)
                log.debug("%s", error)
                self._closing.wait(_PAUSE)
                continue
            away_since = None
            for each in found.stop:
                self._stop(each)
            if found.job is not None:
                self._begin(Job(self._desk, found.job))
        self._stop_all(RUNNER_STOPS)
        until = time.monotonic() + _STOP_SECONDS
        for _, thread in list(self._running.values()):
            thread.join(max(until - time.monotonic(), 0))

    def is_busy(self) -> bool:
        """Whether a job runs."""
        with self._lock:
            return bool(self._running)

    def close(self) -> None:
        """End the jobs and the loop; for signal handlers too."""
        self._closing.set()
        self._desk.hang_up()

    def _places(self) -> list[str]:
        with self._lock:
            taken = [job.kind for job, _ in self._running.values()]
        return [name for name, kind in self._kinds.items() if taken.count(name) < kind.most]

    def _is_crowded(self) -> bool:
        """Whether a kind of jobs has no place, and may have one soon."""
        full = self._kinds.keys() - self._places()
        with self._lock:
            ending = {job.kind for job, _ in self._running.values() if job.stopping}
        return any(not self._kinds[name].lasts or name in ending for name in full)

    def _ids(self) -> list[str]:
        """The jobs that go on; those that are ending already need no second word."""
        with self._lock:
            return [job.id for job, _ in self._running.values() if not job.stopping]

    def _held(self) -> list[str]:
        """The jobs that have not ended."""
        with self._lock:
            return list(self._running)

    def _begin(self, job: Job) -> None:
        thread = threading.Thread(target=self._do, args=(job,), name=job.id, daemon=True)
        with self._lock:
            self._running[job.id] = (job, thread)
        thread.start()

    def _do(self, job: Job) -> None:
        try:
            self._kinds[job.kind].work(job)
        except Lost as error:
            log.info("the job %s ends without a report: %s", job.id, error)
        except Exception as error:
            log.exception("the job %s failed", job.id)
            self._fault(job, error)
        finally:
            with self._lock:
                self._running.pop(job.id, None)

    def _fault(self, job: Job, error: Exception) -> None:
        try:
            job.ended(fault=f"The labs' runner failed: {type(error).__name__}: {error}")
        except Lost as lost:
            log.info("the failure of the job %s is not reported: %s", job.id, lost)

    def _stop(self, job_id: str) -> None:
        with self._lock:
            found = self._running.get(job_id)
        if found is not None:
            # a stop ends processes, which may take seconds, and the loop has other jobs
            threading.Thread(target=found[0].stop, args=(STOPPED,), daemon=True).start()

    def _stop_all(self, why: str) -> None:
        with self._lock:
            jobs = [job for job, _ in self._running.values()]
        for job in jobs:
            job.stop(why)
