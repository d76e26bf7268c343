"""What moto's and Floci's tests expect of CodeDeploy, held against what AWS says.

Most of their rows are of applications for servers and for AWS Lambda; here they are of ECS. No
deployment goes on, as no driver runs.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.codedeploy.service import CodeDeployService
from labs_helpers.sandbox.service.events import nobody
from tests.sandbox.codedeploy.expected_deployments import DEPLOYMENTS
from tests.sandbox.codedeploy.expected_groups import GROUPS
from tests.sandbox.codedeploy.test_rules import Around, Roles
from tests.sandbox.public_expectations import Row, goes_as_expected
from tests.sandbox.service.test_worked_example import Client, PermissionLog


@pytest.fixture
def codedeploy(tmp_path: Path) -> Any:
    clock = Clock(frozen_at=datetime(2026, 11, 2, 9, tzinfo=UTC))
    roles: Any = Roles()
    service = CodeDeployService(tmp_path, clock, PermissionLog(), roles, nobody, Around())
    return Client(service).boto3


@pytest.mark.parametrize("expected", [*GROUPS, *DEPLOYMENTS])
def test_codedeploy_answers_as_the_public_suites_expect(codedeploy: Any, expected: Row) -> None:
    goes_as_expected(codedeploy, expected)
