"""lab.pipeline follows the execution of the commit that is wanted, and says what it waits for."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import boto3
import pytest

from labs_helpers import deliveries
from labs_helpers.display import ecs_service
from labs_helpers.display.rendering import Rendering
from labs_helpers.errors import LabError


class Pipelines:
    """CodePipeline's client with these executions, the newest first; a list for each look."""

    def __init__(self, *looks: list[dict[str, Any]]) -> None:
        self._looks = list(looks)

    def list_pipeline_executions(self, **asked: Any) -> dict[str, Any]:
        now = self._looks.pop(0) if len(self._looks) > 1 else self._looks[0]
        return {"pipelineExecutionSummaries": now}

    def get_pipeline_state(self, name: str) -> dict[str, Any]:
        return {"pipelineName": name, "stageStates": []}


def execution(commit: str, message: str, status: str = "Succeeded") -> dict[str, Any]:
    revision = {"revisionId": commit, "revisionSummary": message}
    return {"pipelineExecutionId": commit, "status": status, "sourceRevisions": [revision]}


@pytest.fixture
def head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The commit of a repository, which is the folder now."""
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    for words in (("init", "-q"), (*who, "commit", "-q", "--allow-empty", "-m", "Say two")):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LABS_START", raising=False)
    monkeypatch.setattr(deliveries, "_PAUSE", 0)
    asked = ["git", "-C", str(tmp_path), "rev-parse", "HEAD"]
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()


OLD = execution("1" * 40, "Say one")


def use(monkeypatch: pytest.MonkeyPatch, *looks: list[dict[str, Any]]) -> None:
    client = Pipelines(*looks)
    monkeypatch.setattr(boto3, "client", lambda service: client)


def test_while_the_commit_has_not_started_the_pipeline_the_picture_says_so(
    head: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, [OLD], [execution(head, "Say two", "InProgress"), OLD], [execution(head, "x")])
    seen: list[Rendering] = []
    found = deliveries.pipeline("app", 60, "HEAD", seen.append)
    first, second = (each.text.splitlines() for each in seen)
    assert first[0] == f"Waiting for {head[:7]} to start the pipeline. Until then:"
    assert first[2] == "This execution carries the commit 1111111 (Say one)."
    assert second[1] == f"This execution carries the commit {head[:7]} (Say two)."
    assert found.text.startswith("The pipeline app: the last execution succeeded.")


def test_a_commits_own_execution_is_followed_although_a_newer_one_is_there(
    head: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = execution("2" * 40, "Unrelated", "InProgress")
    use(monkeypatch, [newer, execution(head, "Say two", "Failed"), OLD])
    text = deliveries.pipeline("app", 60, "HEAD").text
    assert f"the commit {head[:7]} (Say two)" in text
    assert "an earlier execution failed" in text


def test_a_commit_that_starts_nothing_is_not_waited_for_to_the_end(
    head: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, [OLD])
    with pytest.raises(LabError, match=f"The commit {head[:7]} has not started the pipeline app"):
        deliveries.pipeline("app", 600, "HEAD", patience=0)


def test_where_a_program_compares_outputs_no_id_is_in_them(
    head: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABS_START", "fresh")
    use(monkeypatch, [execution(head, "Say two")])
    assert "This execution carries the commit (Say two)." in deliveries.pipeline("app", 60).text


class Ecs:
    """ECS's client with a service whose canary goes on at the first look and has ended after."""

    def __init__(self) -> None:
        self.looks = 0

    def describe_services(self, **asked: Any) -> dict[str, Any]:
        self.looks += 1
        deployment = {
            **{"status": "PRIMARY", "taskDefinition": "arn:x:task-definition/app:2"},
            **{"desiredCount": 0, "runningCount": 0, "pendingCount": 0},
            "rolloutState": "IN_PROGRESS" if self.looks == 1 else "COMPLETED",
        }
        service = {
            **{"serviceName": "front", "status": "ACTIVE", "createdAt": 0},
            **{"desiredCount": 0, "runningCount": 0, "deployments": [deployment]},
        }
        return {"services": [service]}

    def list_tasks(self, **asked: Any) -> dict[str, Any]:
        return {"taskArns": []}

    def list_service_deployments(self, **asked: Any) -> dict[str, Any]:
        return {"serviceDeployments": [{"serviceDeploymentArn": "arn"}]}

    def describe_service_deployments(self, **asked: Any) -> dict[str, Any]:
        return {"serviceDeployments": [{"lifecycleStage": "BAKE_TIME"}]}


def test_while_a_deployment_waits_for_the_clock_the_picture_says_how_to_move_the_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = Ecs()
    monkeypatch.setattr(boto3, "client", lambda service: client)
    monkeypatch.setattr(deliveries, "_PAUSE", 0)
    seen: list[Rendering] = []
    found = deliveries.service("front", "demo", {}, 600, seen.append)
    (first,) = (each.text for each in seen)
    assert "its stage is BAKE_TIME" in first
    assert "lab.clock.advance(minutes=5) moves it" in first
    assert "stage" not in found.text


class Failing:
    """ECS's client with a service of which another task fails to start at each look."""

    def __init__(
        self, breaker: bool = False, reasons: Sequence[str] = ("no image",), runs: int = 0
    ) -> None:
        self.looks = 0
        self.breaker, self.reasons, self.runs = breaker, reasons, runs

    def describe_services(self, **asked: Any) -> dict[str, Any]:
        self.looks += 1
        deployment = {
            **{"id": "ecs-svc/2", "status": "PRIMARY", "rolloutState": "IN_PROGRESS"},
            **{"taskDefinition": "arn:x:task-definition/app:2", "failedTasks": self.looks},
            **{"desiredCount": 1, "runningCount": self.runs, "pendingCount": 0},
        }
        service = {
            **{"serviceName": "web", "status": "ACTIVE", "createdAt": 0},
            **{"desiredCount": 1, "runningCount": self.runs, "deployments": [deployment]},
            "deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": self.breaker}},
        }
        return {"services": [service]}

    def list_tasks(self, **asked: Any) -> dict[str, Any]:
        stopped = asked.get("desiredStatus") == "STOPPED"
        return {"taskArns": [f"task/{n}" for n in range(self.looks)] if stopped else []}

    def describe_tasks(self, tasks: list[str], **asked: Any) -> dict[str, Any]:
        task = {
            **{"startedBy": "ecs-svc/2", "lastStatus": "STOPPED", "createdAt": 1, "stoppedAt": 1},
            **{"stopCode": "TaskFailedToStart", "containers": []},
        }
        return {
            "tasks": [
                {
                    **{**task, "taskArn": arn},
                    "stoppedReason": self.reasons[int(arn[5:]) % len(self.reasons)],
                }
                for arn in tasks
            ]
        }

    def list_service_deployments(self, **asked: Any) -> dict[str, Any]:
        return {"serviceDeployments": []}


def waited(monkeypatch: pytest.MonkeyPatch, client: Failing, wait: float) -> str:
    monkeypatch.setattr(boto3, "client", lambda service: client)
    monkeypatch.setattr(deliveries, "_PAUSE", 0)
    return deliveries.service("web", "demo", {}, wait).text


def test_tasks_that_fail_to_start_again_and_again_end_the_waiting_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = Failing()
    said = waited(monkeypatch, client, 6000)
    assert client.looks == 3
    assert "Why tasks stopped, the newest first:\n- no image" in said
    assert said.endswith(ecs_service.IN_VAIN)


def test_tasks_that_failed_before_do_not_end_the_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Failing()
    client.looks = 7
    waited(monkeypatch, client, 6000)
    assert client.looks == 9  # the first look, and one with a task that failed since


@pytest.mark.parametrize(
    "client",
    [Failing(breaker=True), Failing(reasons=("no image", "no role")), Failing(runs=1)],
    ids=["a circuit breaker ends it", "for several reasons", "a task runs"],
)
def test_what_may_still_change_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, client: Failing
) -> None:
    ticks = iter(range(1000))
    monkeypatch.setattr(deliveries.time, "monotonic", lambda: next(ticks))
    assert ecs_service.IN_VAIN not in waited(monkeypatch, client, 20)
    assert client.looks == 20


def test_a_look_without_waiting_says_nothing_of_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Failing()
    client.looks = 7
    assert ecs_service.IN_VAIN not in waited(monkeypatch, client, 0)
