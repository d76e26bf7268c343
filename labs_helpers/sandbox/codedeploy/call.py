"""One request to CodeDeploy, with what the operations look up."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from labs_helpers.sandbox.codedeploy import configs, store
from labs_helpers.sandbox.codedeploy.driver import CODEDEPLOY, Driver, keys, no_role
from labs_helpers.sandbox.codedeploy.errors import (
    BadDeploymentId,
    NoApplication,
    NoConfig,
    NoDeployment,
    NoGroup,
    Refused,
)
from labs_helpers.sandbox.codedeploy.groups import Surroundings
from labs_helpers.sandbox.codedeploy.store import Document
from labs_helpers.sandbox.iam.service_roles import RoleRefused, ServiceRoles
from labs_helpers.sandbox.service.service import Call
from labs_helpers.sandbox.service.store import Store

_ID = re.compile(r"d-[A-Z0-9]{9}")


@dataclass(frozen=True, kw_only=True)
class CodeDeployCall(Call[Store]):
    """driver: carries deployments out; roles: those that CodeDeploy may take."""

    driver: Driver
    roles: ServiceRoles
    around: Surroundings

    def arn(self, rest: str) -> str:
        """The ARN of "application:NAME", "deploymentconfig:NAME" ..."""
        return f"arn:aws:codedeploy:{self.region}:{self.account}:{rest}"

    def application(self, db: sqlite3.Connection, name: str) -> Document:
        """Raises NoApplication."""
        found = store.application(db, self.place, name)
        if found is None:
            raise NoApplication(name=name)
        return found

    def group(self, db: sqlite3.Connection, application: str, name: str) -> Document:
        """Raises NoApplication, NoGroup."""
        self.application(db, application)
        found = store.group(db, self.place, application, name)
        if found is None:
            raise NoGroup(name=name)
        return found

    def deployment(self, db: sqlite3.Connection, number: str) -> tuple[Document, int]:
        """A deployment, and the version of its document; raises BadDeploymentId, NoDeployment."""
        if not _ID.fullmatch(number):
            raise BadDeploymentId(id=number)
        found = store.deployment(db, self.place, number)
        if found is None:
            raise NoDeployment(id=number)
        return found

    def traffic(self, db: sqlite3.Connection, config: str) -> Mapping[str, Any]:
        """trafficRoutingConfig of a deployment configuration; raises NoConfig."""
        if config in configs.PREDEFINED:
            return configs.PREDEFINED[config]
        found = store.config(db, self.place, config)
        if found is None:
            raise NoConfig(name=config)
        traffic: Mapping[str, Any] = found["trafficRoutingConfig"]
        return traffic

    def check_role(self, arn: str) -> None:
        """Raise Refused unless CodeDeploy may take a role."""
        try:
            self.roles.check(arn, CODEDEPLOY, keys(self.place))
        except RoleRefused as error:
            raise Refused("InvalidRole", no_role(arn)) from error
