"""One request to CodePipeline, with what lets pipelines run."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from labs_helpers.sandbox.codepipeline import store
from labs_helpers.sandbox.codepipeline.errors import ExecutionNotFound, NotFound, StageNotFound
from labs_helpers.sandbox.codepipeline.pipelines import Pipelines
from labs_helpers.sandbox.iam.service_roles import ServiceRoles
from labs_helpers.sandbox.service.service import Call
from labs_helpers.sandbox.service.store import Store


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

    def stage(self, pipeline: store.Document, name: str) -> dict[str, Any]:
        """The definition of a stage; raises StageNotFound."""
        for stage in pipeline["declaration"]["stages"]:
            if stage["name"] == name:
                found: dict[str, Any] = stage
                return found
        raise StageNotFound(name=pipeline["declaration"]["name"], stage=name)
