"""CodeBuild over its store."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.codebuild import operations, report_store
from labs_helpers.sandbox.codebuild.call import CodeBuildCall
from labs_helpers.sandbox.codebuild.errors import InvalidInput
from labs_helpers.sandbox.codebuild.owner import KIND, Builds
from labs_helpers.sandbox.codebuild.reports import Reports
from labs_helpers.sandbox.codebuild.store import SCHEMA
from labs_helpers.sandbox.iam.service_roles import ServiceRoles
from labs_helpers.sandbox.identity import Authorize
from labs_helpers.sandbox.service.events import Emit
from labs_helpers.sandbox.service.service import DecidedService
from labs_helpers.sandbox.service.store import Store
from labs_helpers.sandbox.service.work import Desk


class CodeBuildService(DecidedService[CodeBuildCall]):
    """CodeBuild for every account and region. reports: has routes for the runner."""

    model_error = InvalidInput

    def __init__(
        self,
        root: Path,
        clock: Clock,
        authorize: Authorize,
        desk: Desk,
        roles: ServiceRoles,
        emit: Emit,
        folder: Callable[[str, str], str],
        password: Callable[[str, str, str], str],
    ) -> None:
        """Open the state under `root`; builds that ran before a restart become FAULT.

        folder: of a connection and a repository; raises LookupError. password: as owner.py has it.
        """
        self.store = Store(root, "CodeBuild", SCHEMA)
        owner = Builds(self.store, clock, roles, emit, authorize, folder, password)
        kept = Store(root, "CodeBuildReports", report_store.SCHEMA)
        self.reports = Reports(kept, clock, owner)
        call: Any = partial(
            CodeBuildCall, builds=owner, reports=self.reports, desk=desk, roles=roles
        )
        super().__init__("codebuild", operations, call, self.store, clock, authorize)
        desk.serve(self.store, {KIND: owner})
