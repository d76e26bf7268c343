"""The desk between the services' jobs (jobs.py) and the runner, which claims jobs and does them.

The runner claims a job by a long poll (work_routes.py), does the job, and reports events.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from labs_helpers.runtime import process_identity
from labs_helpers.sandbox.control_api import ControlRefused
from labs_helpers.sandbox.service.jobs import ENDED, TOPIC, Event, Job, Owner
from labs_helpers.sandbox.service.store import Store

log = logging.getLogger(__name__)

RESTARTED = "The sandbox was restarted while this ran."
RUNNER_ENDED = "The labs' runner ended while this ran. `labs start` starts a new one."
NO_RUNNER = "The labs' runner does not run, and nothing else does this. `labs start` starts it."

GIVEN_UP = "The labs' runner gave this up, because the sandbox did not take its report."

PATIENCE = 60.0
"""Seconds that a job waits where no runner is alive, before the job is lost."""
_LOOKS = 1.0
"""Seconds between two looks at whether the runners of claimed jobs are alive."""
_LONGEST_POLL = 50.0
"""Seconds; less than the timeout of the sandbox's server."""


@dataclass
class _Runner:
    """A runner that has called. note: what tells its process from others (process_identity)."""

    note: Mapping[str, Any]
    numbers: dict[str, int] = field(default_factory=dict)
    """By job, the number of the last event that was handed on."""


class Desk:
    """Hands jobs of several services to runners; thread-safe."""

    def __init__(self) -> None:
        self._stores: list[Store] = []
        self._owners: dict[str, tuple[Store, Owner]] = {}
        self._runners: dict[str, _Runner] = {}
        self._stopping: set[str] = set()
        self._changed = threading.Condition()
        self._turn = 0
        self._closing = False
        self._watch: threading.Thread | None = None
        self._alone_since: float | None = None

    def serve(self, store: Store, owners: Mapping[str, Owner]) -> None:
        """Hand out the store's jobs; owners: by kind. Jobs claimed before a restart are lost."""
        self._stores.append(store)
        self._owners |= {kind: (store, owner) for kind, owner in owners.items()}
        store.subscribe(TOPIC, self._wake)
        with store.read() as db:
            rows = db.execute("select * from jobs where runner is not null").fetchall()
        for row in rows:
            self._lose(store, row, RESTARTED)
        if self._rows("1"):
            self._wake()

    def stop(self, job_id: str) -> None:
        """Have the runner end a claimed job, soon. The runner reports how the job ended."""
        with self._changed:
            self._stopping.add(job_id)
            self._turned()

    def claim(
        self,
        note: Mapping[str, Any],
        kinds: Sequence[str],
        running: Sequence[str],
        held: Sequence[str],
        seconds: float,
    ) -> dict[str, Any]:
        """The next job of these kinds, and which of the running jobs to end; waits for either.

        note: of the runner's process; kinds: those that the runner has a place for; held: its jobs
        that have not ended: the others that the runner once claimed are lost.
        """
        kinds = [kind for kind in self._owners if kind in kinds]
        name = json.dumps(note, sort_keys=True)
        until = time.monotonic() + min(seconds, _LONGEST_POLL)
        with self._changed:
            self._runners.setdefault(name, _Runner(note))
        for store, row in self._rows("runner = ?", name):
            if row["id"] not in held:
                self._lose(store, row, GIVEN_UP)
        while True:
            turn = self._turn
            stop = self._to_end(name, running)
            found = self._take(name, kinds) if not stop else None
            if found or stop:
                return {"job": found, "stop": stop}
            with self._changed:
                while self._turn == turn and not self._closing and time.monotonic() < until:
                    self._changed.wait(until - time.monotonic())
                if self._closing or time.monotonic() >= until:
                    return {"job": None, "stop": []}

    def report(
        self, note: Mapping[str, Any], job_id: str, number: int, events: Sequence[Event]
    ) -> None:
        """Events of a job; number: of the first of them, counted from 1.

        Events that were reported before are passed over, so that a runner may report again what was
        not acknowledged. Raises ControlRefused (410) for a job that this runner does not have.
        """
        name = json.dumps(note, sort_keys=True)
        found = self._find(job_id)
        runner = self._runners.get(name)
        if found is None or runner is None or found[1]["runner"] != name:
            raise ControlRefused(410, f"the job {job_id} is not this runner's")
        store, row = found
        seen = runner.numbers.get(job_id, 0)
        new = list(events)[max(seen + 1 - number, 0) :]
        if new:
            self._owners[row["kind"]][1].reported(_job(row), new)
            runner.numbers[job_id] = number + len(events) - 1
        if any(each.get("type") == ENDED for each in new):
            self._forget(store, job_id)

    def facts(self) -> dict[str, Any]:
        """{"runners": [pid], "waiting": n, "claimed": n}."""
        rows = self._rows("1")
        claimed = sum(row["runner"] is not None for _, row in rows)
        alive = [each.note["pid"] for each in self._alive()]
        return {"runners": alive, "waiting": len(rows) - claimed, "claimed": claimed}

    def close(self) -> None:
        """Answer every waiting runner, so that the server can end; nothing reads stores then."""
        with self._changed:
            self._closing = True
            watch = self._watch
            self._turned()
        if watch is not None:
            watch.join()

    def _wake(self) -> None:
        with self._changed:
            if self._watch is None and not self._closing:
                self._watch = threading.Thread(target=self._look_on, name="jobs", daemon=True)
                self._watch.start()
            self._turned()

    def _turned(self) -> None:
        """Wake whoever waits; with the lock held."""
        self._turn += 1
        self._changed.notify_all()

    def _take(self, runner: str, kinds: Sequence[str]) -> dict[str, Any] | None:
        """Claim the first waiting job of these kinds; the job as the runner gets the job."""
        for store in self._stores:
            while row := self._mark(store, runner, kinds):
                job = _job(row)
                try:
                    given = self._owners[job.kind][1].claimed(job)
                except Exception:
                    log.exception("the job %s cannot begin", job.id)
                    self._lose(store, row, "The sandbox could not begin this; its log says why.")
                    continue
                if given is not None:
                    return {"id": job.id, "kind": job.kind, "body": {**job.body, **given}}
                self._forget(store, job.id)
        return None

    def _mark(self, store: Store, runner: str, kinds: Sequence[str]) -> sqlite3.Row | None:
        marks = ", ".join("?" * len(kinds))
        asked = f"select * from jobs where runner is null and kind in ({marks}) order by rowid"
        with store.read() as db:
            if db.execute(f"{asked} limit 1", tuple(kinds)).fetchone() is None:
                return None
        with store.write() as db:
            row: sqlite3.Row | None = db.execute(f"{asked} limit 1", tuple(kinds)).fetchone()
            if row is not None:
                db.execute("update jobs set runner = ? where id = ?", (runner, row["id"]))
        return row

    def _to_end(self, runner: str, running: Sequence[str]) -> list[str]:
        """Which of a runner's jobs are to end: those asked to, and those lost."""
        if not running:
            return []
        own = {row["id"] for _, row in self._rows("runner = ?", runner)}
        return [each for each in running if each not in own or each in self._stopping]

    def _look_on(self) -> None:
        """While there are jobs: those whose runner has ended are lost."""
        while True:
            with self._changed:
                if self._closing or not self._rows("1"):
                    self._watch = None
                    return
                self._changed.wait_for(lambda: self._closing, _LOOKS)
            try:
                self._look()
            except Exception:
                log.exception("the jobs could not be looked at")

    def _look(self) -> None:
        for store, row in self._rows("runner is not null"):
            if not process_identity.is_alive(json.loads(row["runner"])):
                self._lose(store, row, RUNNER_ENDED)
        if self._alive():
            self._alone_since = None
            return
        self._alone_since = self._alone_since or time.monotonic()
        if time.monotonic() - self._alone_since > PATIENCE:
            for store, row in self._rows("runner is null"):
                self._lose(store, row, NO_RUNNER)
            # what an owner submits again, because it is always needed, waits as long again
            self._alone_since = None

    def _alive(self) -> list[_Runner]:
        with self._changed:
            known = list(self._runners.items())
        for name, runner in known:
            if not process_identity.is_alive(runner.note):
                self._runners.pop(name, None)
        return list(self._runners.values())

    def _lose(self, store: Store, row: sqlite3.Row, why: str) -> None:
        """Tell the owner, then forget the job. After a kill in between, the owner is told again."""
        log.warning("the job %s is lost: %s", row["id"], why)
        self._owners[row["kind"]][1].lost(_job(row), why)
        self._forget(store, row["id"])

    def _find(self, job_id: str) -> tuple[Store, sqlite3.Row] | None:
        return next(iter(self._rows("id = ?", job_id)), None)

    def _rows(self, where: str, *values: str) -> list[tuple[Store, sqlite3.Row]]:
        found = []
        for store in self._stores:
            with store.read() as db:
                rows = db.execute(f"select * from jobs where {where} order by rowid", values)
                found += [(store, row) for row in rows.fetchall()]
        return found

    def _forget(self, store: Store, job_id: str) -> None:
        with store.write() as db:
            db.execute("delete from jobs where id = ?", (job_id,))
        with self._changed:
            self._stopping.discard(job_id)
            for runner in self._runners.values():
                runner.numbers.pop(job_id, None)
            self._turned()


def _job(row: sqlite3.Row) -> Job:
    return Job(row["id"], row["kind"], json.loads(row["body"]))
