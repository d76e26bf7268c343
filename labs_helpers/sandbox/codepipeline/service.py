"""CodePipeline over its store."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.codepipeline import operations
from labs_helpers.sandbox.codepipeline.call import PipelineCall
from labs_helpers.sandbox.codepipeline.driver import Archive, Driver
from labs_helpers.sandbox.codepipeline.fetches import KIND, Fetches
from labs_helpers.sandbox.codepipeline.pipelines import Pipelines
from labs_helpers.sandbox.codepipeline.polling import Polling
from labs_helpers.sandbox.codepipeline.pushes import pushed
from labs_helpers.sandbox.codepipeline.sessions import Sessions
from labs_helpers.sandbox.codepipeline.store import SCHEMA
from labs_helpers.sandbox.iam.service_roles import ServiceRoles
from labs_helpers.sandbox.identity import Authorize
from labs_helpers.sandbox.service.events import Emit
from labs_helpers.sandbox.service.service import DecidedService
from labs_helpers.sandbox.service.store import Store
from labs_helpers.sandbox.service.work import Desk


class CodePipelineService(DecidedService[PipelineCall]):
    """CodePipeline for every account and region.

    driver: the worker that runs the actions; whoever builds the service starts and closes it.
    pushed: to be called with connection, repository and pushes (triggers.Push).
    """

    def __init__(
        self,
        root: Path,
        clock: Clock,
        authorize: Authorize,
        desk: Desk,
        roles: ServiceRoles,
        emit: Emit,
        folder: Callable[[str, str], str],
        archive: Archive,
    ) -> None:
        """Open the state under `root`; executions go on where they were before a restart.

        folder: of a connection and a repository; archive: of a commit in CodeCommit. Both raise
        LookupError.
        """
        self.store = Store(root, "CodePipeline", SCHEMA)
        pipelines = Pipelines(self.store, clock, emit)
        sessions = Sessions(roles, authorize)
        fetches = Fetches(self.store, sessions.environment)
        polling = Polling(pipelines, sessions)
        self.driver = Driver(pipelines, sessions, polling, fetches, folder, archive)
        self.pushed = partial(pushed, pipelines)
        call: Any = partial(PipelineCall, pipelines=pipelines, roles=roles)
        super().__init__("codepipeline", operations, call, self.store, clock, authorize)
        desk.serve(self.store, {KIND: fetches})
