"""ECS over its store."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.ecs import operations, store
from labs_helpers.sandbox.ecs.alarms import Look
from labs_helpers.sandbox.ecs.balanced import Balancers
from labs_helpers.sandbox.ecs.call import EcsCall
from labs_helpers.sandbox.ecs.errors import InvalidParameter
from labs_helpers.sandbox.ecs.naming import Place
from labs_helpers.sandbox.ecs.owner import KIND, Tasks
from labs_helpers.sandbox.ecs.scheduler import Scheduler
from labs_helpers.sandbox.ecs.store import SCHEMA
from labs_helpers.sandbox.iam.service_roles import ServiceRoles
from labs_helpers.sandbox.identity import Authorize
from labs_helpers.sandbox.service.events import Emit
from labs_helpers.sandbox.service.service import DecidedService
from labs_helpers.sandbox.service.store import Store
from labs_helpers.sandbox.service.work import Desk


class EcsService(DecidedService[EcsCall]):
    """ECS for every account and region; its maker starts and closes the `scheduler`."""

    model_error = InvalidParameter

    def __init__(
        self,
        root: Path,
        clock: Clock,
        authorize: Authorize,
        desk: Desk,
        roles: ServiceRoles,
        emit: Emit,
        balancers: Balancers,
        alarms_of: Look,
    ) -> None:
        """Open the state under `root`; tasks that ran before a restart have stopped."""
        self.store = Store(root, "ECS", SCHEMA)
        owner = Tasks(self.store, clock, roles, emit, desk)
        self.scheduler = Scheduler(self.store, clock, owner, emit, balancers, roles, alarms_of)
        call: Any = partial(EcsCall, tasks=owner, balancers=balancers, roles=roles)
        super().__init__("ecs", operations, call, self.store, clock, authorize)
        desk.serve(self.store, {KIND: owner})

    def controller(self, place: Place, cluster: str, service: str) -> str:
        """The deployment controller of an active service; empty where there is none."""
        with self.store.read() as db:
            found = store.service(db, place, cluster, service)
        if found is None or found["status"] != store.ACTIVE:
            return ""
        return str(found["deploymentController"]["type"])
