"""Whether a service of lab 10 runs its tasks, by what ECS answers while a task of before ends."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from labs_helpers.checks.world import World
from labs_helpers.labs.deployment.running import Running
from tests.labs.desk import ACCOUNT

NEW, OLD = "ecs-svc/2", "ecs-svc/1"


def now() -> datetime:
    return datetime.now(UTC)


BY_ECS = ({"id": NEW, "rolloutState": "COMPLETED"},)


def shop(
    *tasks: tuple[str, str, str], deployments: Sequence[Mapping[str, str]] = BY_ECS
) -> Running:
    """The service shop with one wanted task; each task is (deployment, desired, last status)."""
    return Running(
        World(ACCOUNT, "us-west-2", "demo-app-repo", Path("/nowhere"), now),
        {"serviceName": "shop", "desiredCount": 1, "deployments": [*deployments]},
        {},
        [
            {"startedBy": started, "desiredStatus": desired, "lastStatus": last}
            for started, desired, last in tasks
        ],
        {},
    )


@pytest.mark.parametrize("ending", ["RUNNING", "DEACTIVATING", "STOPPING", "STOPPED"])
def test_a_task_of_before_that_still_ends_is_not_counted(ending: str) -> None:
    """A container has 30 seconds after its signal; the deployment is complete before they pass."""
    found = shop((NEW, "RUNNING", "RUNNING"), (OLD, "STOPPED", ending))
    assert found.runs(1) is None


@pytest.mark.parametrize(
    ("tasks", "seen"),
    [
        ([(NEW, "RUNNING", "RUNNING"), (NEW, "RUNNING", "RUNNING")], "2 of 1 run"),
        ([(OLD, "STOPPED", "RUNNING")], "0 of 1 run"),
        ([], "0 of 1 run"),
    ],
)
def test_another_number_of_tasks_is_told(tasks: list[tuple[str, str, str]], seen: str) -> None:
    finding = shop(*tasks).runs(1)
    assert finding is not None
    assert finding.found.startswith(seen)


def test_a_service_that_code_deploy_deploys_is_judged_by_its_tasks() -> None:
    """ECS lists no deployment of such a service."""
    assert shop(("set/1", "RUNNING", "RUNNING"), deployments=()).runs(1) is None
    finding = shop(deployments=()).runs(1)
    assert finding is not None
    assert finding.found.startswith("0 of 1 run")
