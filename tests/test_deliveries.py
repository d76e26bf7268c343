"""lab.pipeline follows the execution of the commit that is wanted, and says what it waits for."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import boto3
import pytest

from labs_helpers import deliveries
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
