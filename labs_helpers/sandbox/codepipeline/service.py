"""CodePipeline over its store."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.codepipeline import operations
from labs_helpers.sandbox.codepipeline.call import PipelineCall
from labs_helpers.sandbox.codepipeline.driver import Driver
from labs_helpers.sandbox.codepipeline.pipelines import Pipelines
from labs_helpers.sandbox.codepipeline.polling import Polling
from labs_helpers.sandbox.codepipeline.sessions import Sessions
from labs_helpers.sandbox.codepipeline.store import SCHEMA
from labs_helpers.sandbox.iam.service_roles import ServiceRoles
from labs_helpers.sandbox.identity import Authorize
from labs_helpers.sandbox.service.events import Emit
from labs_helpers.sandbox.service.service import DecidedService
from labs_helpers.sandbox.service.store import Store


class CodePipelineService(DecidedService[PipelineCall]):
    """CodePipeline for every account and region.

    driver: the worker that runs the actions; whoever builds the service starts and closes it.
    """

    def __init__(
        self, root: Path, clock: Clock, authorize: Authorize, roles: ServiceRoles, emit: Emit
    ) -> None:
        """Open the state under `root`; executions go on where they were before a restart."""
        self.store = Store(root, "CodePipeline", SCHEMA)
        pipelines = Pipelines(self.store, clock, emit)
        sessions = Sessions(roles)
        self.driver = Driver(pipelines, sessions, Polling(pipelines, sessions))
        call: Any = partial(PipelineCall, pipelines=pipelines, roles=roles)
        super().__init__("codepipeline", operations, call, self.store, clock, authorize)
