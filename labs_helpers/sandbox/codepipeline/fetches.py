"""Commits that the runner packs: jobs of the kind "git-source", and what became of them.

The sandbox runs no git. The runner does, and puts the artifact into the store with a session of the
action's role.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from labs_helpers.sandbox.codepipeline import executions, store
from labs_helpers.sandbox.iam.service_roles import RoleRefused
from labs_helpers.sandbox.service import jobs, work
from labs_helpers.sandbox.service.jobs import ENDED, Event, Job
from labs_helpers.sandbox.service.store import Store, document

KIND = "git-source"

Environment = Callable[[Mapping[str, Any], Mapping[str, Any], store.Place], dict[str, str]]
"""(definition, action, place) -> variables with a session of the action's role; raises
RoleRefused, ClientError."""


class Fetches:
    """`jobs.Owner` of the jobs; the id of a job is the attempt's. Thread-safe."""

    def __init__(self, state: Store, environment: Environment) -> None:
        self._store = state
        self._environment = environment

    def result(self, attempt: str) -> dict[str, Any] | None:
        """How a job ended; None while the job is not there, waits or runs."""
        with self._store.read() as db:
            row = db.execute("select body from fetches where id = ?", (attempt,)).fetchone()
        return document(row)

    def submit(self, attempt: str, body: dict[str, Any]) -> None:
        """Let the runner do a job; a second call for an attempt changes nothing."""
        with self._store.write() as db:
            if db.execute("select 1 from jobs where id = ?", (attempt,)).fetchone() is None:
                jobs.submit(self._store, db, Job(attempt, KIND, body))

    def claimed(self, job: Job) -> dict[str, Any] | None:
        """The role's session; None once the attempt has ended."""
        place = (job.body["account"], job.body["region"])
        with self._store.read() as db:
            execution = store.execution(db, job.body["execution"])
        made = None if execution is None else executions.find(execution, job.id)
        if execution is None or made is None or made["status"] != executions.IN_PROGRESS:
            return None
        action = executions.action_of(execution, made)
        try:
            return {"credentials": self._environment(execution["declaration"], action, place)}
        except RoleRefused as error:
            self._write(job.id, {"code": "PermissionError", "error": str(error)})
            return None

    def reported(self, job: Job, events: Sequence[Event]) -> None:
        for event in events:
            if event["type"] == ENDED:
                found = {name: value for name, value in event.items() if name != "type"}
                if "fault" in found:
                    found = {"code": "InternalError", "error": found["fault"]}
                self._write(job.id, found)

    def lost(self, job: Job, why: str) -> None:
        """The job has failed, unless the sandbox was restarted.

        Without a result the driver submits the job again. After a restart that is right: a second
        fetch leaves nothing twice. A job over which the runner ended would end each next runner.
        """
        if why != work.RESTARTED:
            self._write(job.id, {"code": "JobFailed", "error": why})

    def forget(self, attempt: str) -> None:
        """The attempt has ended. Most attempts fetch nothing, and then nothing is written."""
        if self.result(attempt) is not None:
            with self._store.write() as db:
                db.execute("delete from fetches where id = ?", (attempt,))

    def _write(self, attempt: str, found: Mapping[str, Any]) -> None:
        with self._store.write() as db:
            db.execute("insert or replace into fetches values (?, ?)", (attempt, json.dumps(found)))
            self._store.notify(store.TOPIC)
