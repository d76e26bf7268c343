"""What moto's and Floci's tests expect of CodePipeline, held against what AWS says.

No action of a pipeline succeeds here: the buckets that the pipelines name are not there.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.policies import policy
from tests.sandbox.codepipeline.expected_pipelines import PIPELINES
from tests.sandbox.codepipeline.expected_tags import TAGS
from tests.sandbox.codepipeline.pipeline_room import TRUST
from tests.sandbox.public_expectations import Row, client_of, goes_as_expected
from tests.sandbox.sandbox_process import Running


@pytest.fixture(scope="module")
def codepipeline(sandbox: Running) -> Any:
    iam = sandbox.client("iam")
    both = ["codebuild.amazonaws.com", "codepipeline.amazonaws.com"]
    for name, trusted in {"of-s3": "s3.amazonaws.com", "of-both": both}.items():
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": trusted},
            "Action": "sts:AssumeRole",
        }
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(statement))
    iam.create_role(RoleName="pipeline", AssumeRolePolicyDocument=TRUST)
    return client_of(sandbox, "codepipeline")


@pytest.mark.parametrize("expected", [*PIPELINES, *TAGS])
def test_codepipeline_answers_as_the_public_suites_expect(codepipeline: Any, expected: Row) -> None:
    goes_as_expected(codepipeline, expected)
