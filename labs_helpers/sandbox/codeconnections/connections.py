"""The handshake of a connection, the watch over its folders, and what a pipeline asks.

On AWS a person finishes the handshake in the console, where GitHub asks which repositories AWS may
see: https://docs.aws.amazon.com/dtconsole/latest/userguide/connections-update.html. Here `labs
connect` does, and names the folder that stands for the repository.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from labs_helpers.sandbox.codeconnections import store
from labs_helpers.sandbox.control_api import ControlRefused, Routes
from labs_helpers.sandbox.service import jobs
from labs_helpers.sandbox.service.jobs import Event, Job
from labs_helpers.sandbox.service.store import Store
from labs_helpers.sandbox.service.work import Desk

KIND = "git-watch"

Pushed = Callable[[str, str, Sequence[Mapping[str, Any]]], None]
"""Called with connection, repository and pushes, after the commit of the store.

A push: {"ref", "commit", "paths"} of a branch ("refs/heads/main") or a tag ("refs/tags/v1"); paths:
the files that the push of a branch changed, None where nobody knows (runner/git_watch.py).
"""


class Connections:
    """The connections of every account; `jobs.Owner` of the watches. Thread-safe.

    Each repository has one watch as long as the repository is there. When a watch ends, with the
    runner or the sandbox, a new watch follows. A commit made in between is new to that watch and
    starts the pipelines, once: a push waits for nobody's sandbox.
    """

    def __init__(self, state: Store, desk: Desk, pushed: Pushed) -> None:
        self.store = state
        self._desk = desk
        self._pushed = pushed
        self._pieces: dict[str, str] = {}
        with state.write() as db:
            # the watches of the sandbox before this one: their runner is told to end them
            db.execute("delete from jobs")
            for row in db.execute("select * from repositories order by rowid").fetchall():
                self._watch(db, row["id"], row["folder"])

    def folder(self, arn: str, repository: str) -> str:
        """The folder of a repository; raises LookupError, with a sentence, where there is none."""
        with self.store.read() as db:
            found = store.connection(db, arn)
            row = store.repository(db, arn, repository)
        if found is None:
            raise LookupError(f"Connection {arn} not found")
        if found["ConnectionStatus"] != store.AVAILABLE:
            raise LookupError(
                f"Connection {arn} is not available: its status is {found['ConnectionStatus']}. "
                "labs connect finishes its handshake."
            )
        if row is None:
            raise LookupError(
                f"No Branch or repository [{repository}] found for the connection {arn}: labs "
                f"connect {found['ConnectionName']} {repository} FOLDER adds the repository"
            )
        return str(row["folder"])

    def finish(self, wanted: str, repository: str, folder: str) -> store.Document:
        """Finish the handshake of a connection and add a repository; raises ControlRefused.

        wanted: the connection's name or ARN, in any account.
        """
        if repository.count("/") != 1 or not all(repository.split("/")):
            raise ControlRefused(400, f"{repository!r} is no repository: write OWNER/NAME")
        if not Path(folder).is_absolute():
            raise ControlRefused(400, f"{folder!r} is no absolute path")
        with self.store.write() as db:
            rows = db.execute("select * from connections order by rowid").fetchall()
            found = [
                (row, body)
                for row in rows
                for body in [json.loads(row["body"])]
                if wanted in (row["arn"], body["ConnectionName"])
            ]
            if len(found) != 1:
                raise ControlRefused(404, _which(wanted, [body for _, body in found]))
            row, body = found[0]
            body["ConnectionStatus"] = store.AVAILABLE
            store.save(db, (row["account"], row["region"]), body)
            self._place(db, row["arn"], repository, folder)
        return dict(body)

    def _place(self, db: sqlite3.Connection, arn: str, repository: str, folder: str) -> None:
        """In a transaction: the folder of a repository. In the same folder, nothing is new."""
        before = store.repository(db, arn, repository)
        if before is not None and before["folder"] == folder:
            return
        if before is not None:
            self.forget(db, before["id"])
        made = str(uuid.uuid4())
        row = (made, arn, repository, folder, "")
        db.execute("insert into repositories values (?, ?, ?, ?, ?)", row)
        self._watch(db, made, folder)

    def _watch(self, db: sqlite3.Connection, repository: str, folder: str) -> None:
        """In a transaction: a new watch over the folder of a repository; repository: its id."""
        body = {"repository": repository, "folder": folder}
        jobs.submit(self.store, db, Job(str(uuid.uuid4()), KIND, body))

    def forget(self, db: sqlite3.Connection, repository: str) -> None:
        """In a transaction: remove a repository, and end its watch; repository: its id."""
        db.execute("delete from repositories where id = ?", (repository,))
        for row in db.execute("select * from jobs").fetchall():
            watched = json.loads(row["body"])["repository"]
            if watched == repository and not jobs.withdraw(db, row["id"]):
                self.store.after_commit(partial(self._desk.stop, row["id"]))

    def routes(self) -> Routes:
        """POST /_labs/connections {"connection", "repository", "folder"} -> {"arn", "status"}."""

        def finish(sent: dict[str, Any]) -> dict[str, Any]:
            given = [str(sent.get(name, "")) for name in ("connection", "repository", "folder")]
            found = self.finish(*given)
            return {"arn": found["ConnectionArn"], "status": found["ConnectionStatus"]}

        return {("POST", "/_labs/connections"): finish}

    def claimed(self, job: Job) -> dict[str, Any] | None:
        """Branches and tags as last seen; None once the repository is another's or gone."""
        with self.store.read() as db:
            row = _repository(db, job)
        return None if row is None else {"refs": _refs(row)}

    def reported(self, job: Job, events: Sequence[Event]) -> None:
        """Tell of what was pushed. What the first look finds is not new."""
        for event in events:
            if event["type"] == "look":
                text = self._pieces.pop(job.id, "") + event["text"]
                if event["more"]:
                    self._pieces[job.id] = text
                else:
                    self._seen(job, json.loads(text))
            if event["type"] == jobs.ENDED:
                self._again(job)

    def _seen(self, job: Job, look: Mapping[str, Any]) -> None:
        with self.store.write() as db:
            row = _repository(db, job)
            if row is None:
                return
            before = _refs(row)
            kept = {
                ref: commit for ref, commit in (before or {}).items() if ref not in look["gone"]
            }
            db.execute(
                "update repositories set heads = ? where id = ?",
                (json.dumps({**kept, **look["refs"]}), row["id"]),
            )
            if before is None or not look["refs"]:
                return
            pushes = [
                {"ref": ref, "commit": commit, "paths": look["paths"].get(ref)}
                for ref, commit in look["refs"].items()
            ]
            told = (row["connection"], row["name"], pushes)
            self.store.after_commit(partial(self._pushed, *told))

    def lost(self, job: Job, why: str) -> None:
        """Watch again, as soon as a runner is there: a commit in between is seen then."""
        self._again(job)

    def _again(self, job: Job) -> None:
        """The watch has ended: another watch, while the repository is there."""
        self._pieces.pop(job.id, None)
        with self.store.write() as db:
            db.execute("delete from jobs where id = ?", (job.id,))
            if (row := _repository(db, job)) is not None:
                self._watch(db, row["id"], row["folder"])


def _repository(db: sqlite3.Connection, job: Job) -> sqlite3.Row | None:
    """The repository that a job watches; None once it is gone."""
    wanted = (job.body["repository"],)
    row: sqlite3.Row | None = db.execute(
        "select * from repositories where id = ?", wanted
    ).fetchone()
    return row


def _refs(row: sqlite3.Row) -> dict[str, str] | None:
    """The branches and tags of a repository, as last seen; None before the first look."""
    if not row["heads"]:
        return None
    # before there were triggers, "heads" had the branches by their short names
    found = json.loads(row["heads"]).items()
    return {ref if ref.startswith("refs/") else f"refs/heads/{ref}": at for ref, at in found}


def _which(wanted: str, found: list[store.Document]) -> str:
    if not found:
        return f"there is no connection {wanted}: aws codeconnections list-connections"
    arns = ", ".join(each["ConnectionArn"] for each in found)
    return f"several connections have the name {wanted}; give the ARN: {arns}"
