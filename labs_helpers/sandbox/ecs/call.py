"""One request to ECS, with what does the tasks, and what every operation looks up."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from labs_helpers.sandbox.ecs import store
from labs_helpers.sandbox.ecs.balanced import Balancers
from labs_helpers.sandbox.ecs.errors import NoCluster, Refused
from labs_helpers.sandbox.ecs.naming import Document, last, of_definition
from labs_helpers.sandbox.ecs.owner import Tasks
from labs_helpers.sandbox.iam.service_roles import ServiceRoles
from labs_helpers.sandbox.service.service import Call
from labs_helpers.sandbox.service.store import Store

DEFAULT = "default"
"""The cluster of a request that names none."""


@dataclass(frozen=True, kw_only=True)
class EcsCall(Call[Store]):
    """tasks: the tasks at the desk; roles: those that ECS may take."""

    tasks: Tasks
    balancers: Balancers
    roles: ServiceRoles

    def cluster(self, db: sqlite3.Connection, given: str | None) -> str:
        """The name of the active cluster that a request names; raises NoCluster."""
        name = last(given or DEFAULT)
        found = store.cluster(db, self.place, name)
        if found is None or found["status"] != store.ACTIVE:
            raise NoCluster()
        return name

    def definition(self, db: sqlite3.Connection, given: str) -> Document:
        """The active task definition that a request names; raises Refused."""
        found = store.definition(db, self.place, *of_definition(given))
        if found is None:
            raise Refused("TaskDefinition not found.")
        if found["status"] != store.ACTIVE:
            raise Refused("TaskDefinition is inactive")
        return found
