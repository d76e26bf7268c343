"""One request to CodePipeline, with what lets pipelines run."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from labs_helpers.sandbox.codepipeline import store
from labs_helpers.sandbox.codepipeline.errors import ExecutionNotFound, NotFound, StageNotFound
from labs_helpers.sandbox.codepipeline.pipelines import Pipelines
from labs_helpers.sandbox.iam.service_roles import ServiceRoles
from labs_helpers.sandbox.service.service import Call
from labs_helpers.sandbox.service.store import Store

Rows = Callable[[store.Document], Iterable[tuple[bool, Any]]]


@dataclass(frozen=True, kw_only=True)
class PipelineCall(Call[Store]):
    """pipelines: the pipelines at work; roles: takes the pipelines' roles."""

    pipelines: Pipelines
    roles: ServiceRoles

    def pipeline(self, db: sqlite3.Connection, name: str) -> store.Document:
        """A pipeline by name; raises NotFound."""
        found = store.pipeline(db, self.place, name)
        if found is None:
            raise NotFound(account=self.account, name=name)
        return found

    def execution(self, db: sqlite3.Connection, name: str, execution_id: str) -> store.Document:
        """An execution of a pipeline that is there; raises NotFound, ExecutionNotFound."""
        self.pipeline(db, name)
        found = next(
            (each for each in store.executions(db, self.place, name) if each["id"] == execution_id),
            None,
        )
        if found is None:
            raise ExecutionNotFound(name=name, id=execution_id)
        return found

    def held(
        self, params: dict[str, Any], rows: Rows
    ) -> tuple[list[tuple[store.Document, Any]], str | None]:
        """A page of what the executions hold that a list's parameters ask for, the newest first.

        rows: of an execution, (whether it counts for the latest run of its stage, item). Answers
        (execution, item) of each, and the token of the next page. Raises NotFound,
        ExecutionNotFound.
        """
        name, given = params["pipelineName"], params.get("filter", {})
        latest = given.get("latestInPipelineExecution", {})
        wanted = given.get("pipelineExecutionId") or latest.get("pipelineExecutionId")
        only_current = latest.get("startTimeRange") == "Latest"
        with self.store.read() as db:
            self.pipeline(db, name)
            found = store.executions(db, self.place, name)
            if wanted:
                found = [self.execution(db, name, wanted)]
        kept = [
            (execution, item)
            for execution in found
            for counts, item in rows(execution)
            if counts or not only_current
        ]
        newest_first = reversed(list(enumerate(kept)))
        keyed = [([f"{10**9 - place:010d}"], each) for place, each in newest_first]
        return self.page(keyed, params, name, str(wanted), str(only_current))

    def stage(self, pipeline: store.Document, name: str) -> dict[str, Any]:
        """The definition of a stage; raises StageNotFound."""
        for stage in pipeline["declaration"]["stages"]:
            if stage["name"] == name:
                found: dict[str, Any] = stage
                return found
        raise StageNotFound(name=pipeline["declaration"]["name"], stage=name)
