"""CodeDeploy over its store."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.codedeploy import operations, store
from labs_helpers.sandbox.codedeploy.call import CodeDeployCall
from labs_helpers.sandbox.codedeploy.driver import Driver
from labs_helpers.sandbox.codedeploy.groups import Surroundings
from labs_helpers.sandbox.codedeploy.store import SCHEMA
from labs_helpers.sandbox.iam.service_roles import ServiceRoles
from labs_helpers.sandbox.identity import Authorize
from labs_helpers.sandbox.service.events import Emit
from labs_helpers.sandbox.service.service import DecidedService
from labs_helpers.sandbox.service.store import Store


class CodeDeployService(DecidedService[CodeDeployCall]):
    """CodeDeploy for every account and region; its maker starts and closes the `driver`."""

    def __init__(
        self,
        root: Path,
        clock: Clock,
        authorize: Authorize,
        roles: ServiceRoles,
        emit: Emit,
        around: Surroundings,
    ) -> None:
        """Open the state under `root`; deployments go on where they were before a restart."""
        self.store = Store(root, "CodeDeploy", SCHEMA)
        self.driver = Driver(self.store, clock, roles, emit)
        call: Any = partial(CodeDeployCall, driver=self.driver, roles=roles, around=around)
        super().__init__("codedeploy", operations, call, self.store, clock, authorize)

    def group_of(self, account: str, region: str, deployment: str) -> str:
        """The ARN of the group of a deployment; empty for no such deployment.

        IAM decides on GetDeployment by this ARN.
        """
        with self.store.read() as db:
            found = store.deployment(db, (account, region), deployment)
        if found is None:
            return ""
        name = f"{found[0]['application']}/{found[0]['group']}"
        return f"arn:aws:codedeploy:{region}:{account}:deploymentgroup:{name}"
