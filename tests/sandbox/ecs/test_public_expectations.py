"""What moto's and Floci's tests expect of ECS, held against what AWS says.

No task runs here: the sandbox has no runner, so that a task stays PROVISIONING.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.ecs.expected_clusters import CLUSTERS
from tests.sandbox.ecs.expected_definitions import DEFINITIONS
from tests.sandbox.ecs.expected_revisions import REVISIONS
from tests.sandbox.ecs.expected_services import SERVICES
from tests.sandbox.ecs.expected_tasks import TASKS
from tests.sandbox.public_expectations import Row, client_of, goes_as_expected
from tests.sandbox.sandbox_process import Running


@pytest.fixture(scope="module")
def ecs(sandbox: Running) -> Any:
    """ECS with the default cluster and a definition for Fargate."""
    client = client_of(sandbox, "ecs")
    client.create_cluster()
    client.register_task_definition(
        family="web",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "app", "image": "hello-world"}],
    )
    return client


@pytest.mark.parametrize("expected", [*CLUSTERS, *DEFINITIONS, *REVISIONS, *SERVICES, *TASKS])
def test_ecs_answers_as_the_public_suites_expect(ecs: Any, expected: Row) -> None:
    goes_as_expected(ecs, expected)
