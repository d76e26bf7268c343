"""One request to CodeBuild, with what does the builds."""

from __future__ import annotations

from dataclasses import dataclass

from labs_helpers.sandbox.codebuild.owner import Builds
from labs_helpers.sandbox.codebuild.reports import Reports
from labs_helpers.sandbox.iam.service_roles import ServiceRoles
from labs_helpers.sandbox.service.service import Call
from labs_helpers.sandbox.service.store import Store
from labs_helpers.sandbox.service.work import Desk


@dataclass(frozen=True, kw_only=True)
class CodeBuildCall(Call[Store]):
    """builds: at the desk; reports: what builds hand over; roles: takes the service roles."""

    builds: Builds
    reports: Reports
    desk: Desk
    roles: ServiceRoles
