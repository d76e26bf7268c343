"""The pipelines at work: every change of an execution goes through here."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.codepipeline import events, executions, machine, store
from labs_helpers.sandbox.codepipeline.errors import TooMany
from labs_helpers.sandbox.codepipeline.machine import Change
from labs_helpers.sandbox.service.events import Emit
from labs_helpers.sandbox.service.store import Store

MOST = 50
"""Executions of a pipeline that have not ended.

https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
"""


class Pipelines:
    """Thread-safe. The methods with `db` are called in a transaction."""

    def __init__(self, state: Store, clock: Clock, emit: Emit) -> None:
        self.store = state
        self.clock = clock
        self._emit = emit

    def start(
        self,
        db: sqlite3.Connection,
        place: store.Place,
        pipeline: store.Document,
        trigger: Mapping[str, str],
        variables: Mapping[str, str] | None = None,
        overrides: Sequence[Mapping[str, str]] = (),
    ) -> store.Document:
        """A new execution; raises TooMany. variables: None for those that have default values."""
        declaration = pipeline["declaration"]
        if variables is None:
            variables = {
                each["name"]: each["defaultValue"]
                for each in declaration.get("variables", [])
                if "defaultValue" in each
            }
        at = self.clock.now().timestamp()
        made = executions.new(declaration, trigger, at, variables, overrides)
        return self.add(db, place, made)

    def add(
        self, db: sqlite3.Connection, place: store.Place, made: store.Document
    ) -> store.Document:
        """Let an execution begin; raises TooMany.

        An automatic rollback is not added this way: it has the place of the one that failed.
        """
        self.check_room(db, place, made["pipeline"])
        store.add_execution(db, place, made)
        self.advance(db, place, made["pipeline"])
        return made

    def check_room(self, db: sqlite3.Connection, place: store.Place, name: str) -> None:
        """Raise TooMany where no further execution of a pipeline can run."""
        if len(store.executions(db, place, name, only_active=True)) >= MOST:
            raise TooMany(
                f"The pipeline {name} has {MOST} executions in progress, which is the "
                "most that a pipeline can have"
            )

    def advance(self, db: sqlite3.Connection, place: store.Place, name: str) -> None:
        """Let the pipeline's executions go on, and tell of what changed after the commit."""
        pipeline = store.pipeline(db, place, name)
        if pipeline is None:
            return
        active = store.executions(db, place, name, only_active=True)
        at = self.clock.now().timestamp()
        changes = machine.advance(active, pipeline["transitions"], at)
        changed = {each.execution["id"] for each in changes}
        back = {each["id"]: str(each.pop("rollback")) for each in active if "rollback" in each}
        for execution in active:
            if execution["id"] in changed:
                store.save_execution(db, execution)
        self.tell(place, changes)
        for failed, stage in back.items():
            made = self._rollback(db, place, pipeline, failed, stage)
            if made is not None:
                store.add_execution(db, place, made)
        if back:
            self.advance(db, place, name)

    def _rollback(
        self,
        db: sqlite3.Connection,
        place: store.Place,
        pipeline: store.Document,
        failed: str,
        stage: str,
    ) -> store.Document | None:
        """The execution that brings a stage back to its last success of the same version.

        None where there is no such success, which the summary of the failed execution then tells.
        https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-rollback-auto.html
        """
        declared = pipeline["declaration"]
        targets = [
            each
            for each in store.executions(db, place, declared["name"])
            if each["stages"].get(stage) == "Succeeded"
            and each["type"] == "STANDARD"
            and each["version"] == declared["version"]
        ]
        if not targets:
            self._add_to_summary(
                db,
                failed,
                f"The stage {stage} is not rolled back: no execution of the pipeline's version "
                f"{declared['version']} has succeeded in the stage",
            )
            return None
        number = [each["name"] for each in declared["stages"]].index(stage)
        trigger = {
            "triggerType": "AutomatedRollback",
            "triggerDetail": json.dumps({"FailedPipelineExecutionId": failed}),
        }
        at = self.clock.now().timestamp()
        return executions.rollback(targets[-1], number, trigger, at)

    def _add_to_summary(self, db: sqlite3.Connection, execution_id: str, said: str) -> None:
        found = store.execution(db, execution_id)
        if found is not None:
            found["summary"] = ". ".join(each for each in (found.get("summary"), said) if each)
            store.save_execution(db, found)

    def tell(self, place: store.Place, changes: Sequence[Change]) -> None:
        """Emit the events of changes after the commit, and wake the worker."""
        now = self.clock.now()
        for change in changes:
            if change.state:
                self.store.after_commit(partial(self._emit, events.of(change, place, now)))
        if changes:
            self.store.notify(store.TOPIC)

    def change(
        self,
        place: store.Place,
        execution_id: str,
        change: Callable[[store.Document, float], list[Change]],
    ) -> None:
        """Change an execution that is there, and let the pipeline go on."""
        with self.store.write() as db:
            execution = store.execution(db, execution_id)
            if execution is None:
                return
            changes = change(execution, self.clock.now().timestamp())
            store.save_execution(db, execution)
            self.tell(place, changes)
            self.advance(db, place, execution["pipeline"])
