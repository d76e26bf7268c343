"""A service of ECS, drawn."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from labs_helpers.display.ecs_service import has_settled, service

DEFINITION = "arn:aws:ecs:us-west-2:123456789012:task-definition/web"


def deployment(status: str, revision: int, running: int, failed: int, state: str) -> dict[str, Any]:
    return {
        "status": status,
        "taskDefinition": f"{DEFINITION}:{revision}",
        "desiredCount": 1,
        "runningCount": running,
        "pendingCount": 0,
        "failedTasks": failed,
        "rolloutState": state,
    }


def task(status: str, **more: Any) -> dict[str, Any]:
    container = {
        "image": "123456789012.dkr.ecr.us-west-2.amazonaws.com/web:1",
        "networkBindings": [{"hostPort": 32001}],
    }
    return {
        "taskArn": "arn:aws:ecs:us-west-2:123456789012:task/default/0123456789abcdef",
        "taskDefinitionArn": f"{DEFINITION}:1",
        "lastStatus": status,
        "healthStatus": "UNKNOWN",
        "containers": [container],
        **more,
    }


def test_deployments_tasks_and_reasons_are_shown() -> None:
    found = {
        "serviceName": "web",
        "status": "ACTIVE",
        "runningCount": 1,
        "desiredCount": 1,
        "deployments": [
            deployment("PRIMARY", 2, 0, 2, "IN_PROGRESS"),
            deployment("ACTIVE", 1, 1, 0, "COMPLETED"),
        ],
    }
    ended = {"stoppedAt": datetime(2026, 1, 1, tzinfo=UTC)}
    tasks = [
        task("RUNNING"),
        task("STOPPED", stoppedReason="CannotPullContainerError: not found", **ended),
        task("STOPPED", stoppedReason="CannotPullContainerError: not found", **ended),
        task("STOPPED", stoppedReason="Scaling activity initiated by (deployment x)", **ended),
    ]
    drawn = service(found, tasks, lambda port: f"http://127.0.0.1:{port}/")
    assert drawn.text.splitlines() == [
        "The service web is ACTIVE: 1 of 1 task runs.",
        "",
        "deployment  task definition  desired  running  pending  failed  state",
        "----------  ---------------  -------  -------  -------  ------  -----------",
        "PRIMARY     web:2                  1        0        0       2  IN_PROGRESS",
        "ACTIVE      web:1                  1        1        0       0  COMPLETED",
        "",
        "task of  image  status   health",
        "-------  -----  -------  -------",
        "web:1    web:1  RUNNING  UNKNOWN",
        "",
        "Why tasks stopped, the newest first:",
        "- CannotPullContainerError: not found",
    ]
    assert 'href="http://127.0.0.1:32001/"' in drawn.html
    assert "CannotPullContainerError: not found" in drawn.html


def test_a_program_that_compares_outputs_gets_no_revision_no_id_and_no_link() -> None:
    found = {
        "serviceName": "web",
        "status": "ACTIVE",
        "runningCount": 0,
        "desiredCount": 1,
        "deployments": [deployment("PRIMARY", 7, 0, 1, "IN_PROGRESS")],
    }
    reason = f"AccessDenied: session/{'0a' * 16} request id: 2f47172f-5855-4e3d-a8a9-091ae4ae9c11"
    ended = task("STOPPED", stoppedReason=reason, stoppedAt=datetime(2026, 1, 1, tzinfo=UTC))
    drawn = service(found, [task("RUNNING"), ended], None)
    text = drawn.text
    assert "href" not in drawn.html
    assert "web:7" not in drawn.html
    assert "PRIMARY     web  " in text
    assert text.endswith("- AccessDenied: session/… request id: …")


@pytest.mark.parametrize(
    ("status", "desired", "deployments", "counted", "running", "settled"),
    [
        ("ACTIVE", 1, ["COMPLETED"], 1, 1, True),
        ("ACTIVE", 1, ["COMPLETED"], 2, 2, False),
        ("ACTIVE", 1, ["COMPLETED"], 2, 1, False),
        ("ACTIVE", 1, ["IN_PROGRESS"], 1, 1, False),
        ("ACTIVE", 1, ["IN_PROGRESS", "COMPLETED"], 1, 1, False),
        ("ACTIVE", 1, ["FAILED", "COMPLETED"], 1, 1, True),
        ("DRAINING", 0, ["COMPLETED"], 1, 1, False),
        ("INACTIVE", 0, [], 0, 0, True),
    ],
)
def test_a_service_has_settled_when_nothing_more_happens_by_itself(
    status: str, desired: int, deployments: list[str], counted: int, running: int, settled: bool
) -> None:
    found = {
        "status": status,
        "desiredCount": desired,
        "runningCount": counted,
        "deployments": [
            {"status": "ACTIVE" if number else "PRIMARY", "rolloutState": state}
            for number, state in enumerate(deployments)
        ],
    }
    tasks = [task("STOPPED"), *(task("RUNNING") for _ in range(running))]
    assert has_settled(found, tasks) is settled


@pytest.mark.parametrize("state", ["IN_PROGRESS", "COMPLETED"])
def test_a_service_that_is_rolled_back_has_not_settled(state: str) -> None:
    found = {
        "status": "ACTIVE",
        "desiredCount": 1,
        "runningCount": 1,
        "deployments": [
            {"status": "ACTIVE", "rolloutState": "FAILED"},
            {"status": "PRIMARY", "rolloutState": state},
        ],
    }
    assert not has_settled(found, [task("RUNNING")])


def test_the_stage_of_a_deployment_that_goes_on_is_named() -> None:
    found = {
        "serviceName": "web",
        "status": "ACTIVE",
        "runningCount": 2,
        "desiredCount": 1,
        "deployments": [deployment("PRIMARY", 2, 1, 0, "IN_PROGRESS")],
    }
    drawn = service(found, [task("RUNNING")], None, "BAKE_TIME")
    assert "its stage is BAKE_TIME" in drawn.text
    assert "its stage is BAKE_TIME" in drawn.html
