"""What moto's, Floci's and Terraform's tests expect of CodeBuild, held against what AWS says.

No build runs here: the sandbox has no runner, so that a build stays queued.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.codebuild.build_room import TRUST
from tests.sandbox.codebuild.expected_builds import BUILDS
from tests.sandbox.codebuild.expected_projects import PROJECTS
from tests.sandbox.codebuild.expected_webhooks import WEBHOOKS
from tests.sandbox.public_expectations import Row, client_of, goes_as_expected
from tests.sandbox.sandbox_process import Running


@pytest.fixture(scope="module")
def codebuild(sandbox: Running) -> Any:
    sandbox.client("iam").create_role(
        RoleName="builds", Path="/service-role/", AssumeRolePolicyDocument=TRUST
    )
    return client_of(sandbox, "codebuild")


@pytest.mark.parametrize("expected", [*PROJECTS, *BUILDS, *WEBHOOKS])
def test_codebuild_answers_as_the_public_suites_expect(codebuild: Any, expected: Row) -> None:
    goes_as_expected(codebuild, expected)
