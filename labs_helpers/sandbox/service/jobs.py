"""Jobs: work that the sandbox's process cannot do itself, as a service writes and owns the work.

The sandbox starts no program (confinement.py). A service that needs one, for the commands of a
build or the container of a task, writes a job into its own store, in the transaction that makes the
build or the task: `submit`. The runner, a process of its own (labs_helpers/runner), claims jobs,
does them, and reports events (work.py). The service that owns the job turns the events into its
state: `Owner`.

A job is waiting, or claimed by one runner. Waiting jobs outlive a restart of the sandbox. A claimed
job does not: its runner is told to end the job, and `Owner.lost` says why.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from labs_helpers.sandbox.service.store import Store

SCHEMA = """
create table jobs (
    id text primary key,
    kind text not null,
    body text not null,
    runner text
) strict;
"""
"""The table of jobs, for the schema of a service's store. runner: the process that claimed the job;
null while the job waits."""

TOPIC = "jobs"
"""What a store notifies of after a commit that submitted a job."""

ENDED = "ended"
"""The ``type`` of a job's last event; every other type is the owner's own."""

Event = dict[str, Any]
"""What a runner reports: a JSON object with a ``type``."""


@dataclass(frozen=True)
class Job:
    """kind: which function of the runner does the job; body: a JSON object, as submitted."""

    id: str
    kind: str
    body: dict[str, Any]


class Owner(Protocol):
    """The service whose jobs of a kind these are. Every call may come from any thread.

    A kill between two transactions can repeat a call or leave it out, so that each has to look at
    the service's own state first: an event or a loss of a build that has ended changes nothing.
    """

    def claimed(self, job: Job) -> dict[str, Any] | None:
        """What the runner gets beside the body, such as credentials that are made only now.

        None where there is nothing to do any longer: the job goes, and `claimed` has said why in
        the service's state.
        """

    def reported(self, job: Job, events: Sequence[Event]) -> None:
        """Events of a claimed job, in order and each once; the last of a job is of type ENDED."""

    def lost(self, job: Job, why: str) -> None:
        """Nobody does the job, or does it any longer; why: a sentence for people."""


def submit(store: Store, db: sqlite3.Connection, job: Job) -> None:
    """Let a job wait for a runner, in the open transaction of the store."""
    row = (job.id, job.kind, json.dumps(job.body), None)
    db.execute("insert into jobs values (?, ?, ?, ?)", row)
    store.notify(TOPIC)


def withdraw(db: sqlite3.Connection, job_id: str) -> bool:
    """Remove a waiting job; False for a job that a runner has claimed, or that is gone."""
    return db.execute("delete from jobs where id = ? and runner is null", (job_id,)).rowcount > 0
