"""What labs 09, 11 and 13 say of a commit that the pipeline has not brought to its end."""

from __future__ import annotations

from typing import Any, cast

import pytest

from labs_helpers.checks.goal import Finding
from labs_helpers.checks.world import World
from labs_helpers.labs.delivery import release
from labs_helpers.labs.delivery.release import Release

MINE, OTHER = "a" * 40, "b" * 40


def action(stage: str, status: str = "Succeeded", message: str = "") -> dict[str, Any]:
    details = {"executionResult": {"errorDetails": {"message": message}} if message else {}}
    return {"stageName": stage, "status": status, "output": details}


class Pipelines:
    """A pipeline in which the commit MINE has the id "mine", and OTHER is in a stage."""

    def __init__(self, actions: list[dict[str, Any]], status: str, inside: str) -> None:
        self.actions, self.status, self.inside = actions, status, inside

    def list_action_executions(self, **_: Any) -> dict[str, Any]:
        return {"actionExecutionDetails": self.actions}

    def get_pipeline_state(self, **_: Any) -> dict[str, Any]:
        latest = {"pipelineExecutionId": "other", "status": "InProgress"}
        stages = [
            {"stageName": name} | ({"latestExecution": latest} if name == self.inside else {})
            for name in release.STAGES
        ]
        return {"stageStates": stages}

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        listed = [("mine", MINE, self.status), ("other", OTHER, "InProgress")]
        return [
            {
                "pipelineExecutionSummaries": [
                    {
                        "pipelineExecutionId": name,
                        "status": status,
                        "sourceRevisions": [{"revisionId": commit}],
                    }
                    for name, commit, status in listed
                ]
            }
        ]

    class exceptions:
        PipelineNotFoundException = LookupError


class Ecs:
    def __init__(self, reason: str) -> None:
        self.reason = reason

    def describe_services(self, **_: Any) -> dict[str, Any]:
        deployments = [{"id": "ecs-svc/1", "failedTasks": 1 if self.reason else 0}]
        made = {
            "serviceName": "web",
            "status": "ACTIVE",
            "createdAt": 1,
            "deployments": deployments,
        }
        return {"services": [made]}

    def list_tasks(self, **_: Any) -> dict[str, Any]:
        return {"taskArns": ["a"]}

    def describe_tasks(self, **_: Any) -> dict[str, Any]:
        task = {
            "createdAt": 2,
            "startedBy": "ecs-svc/1",
            "lastStatus": "STOPPED",
            "stopCode": "TaskFailedToStart",
            "stoppedAt": 3,
            "stoppedReason": self.reason,
        }
        return {"tasks": [task]}


def found(
    *actions: dict[str, Any], status: str = "InProgress", inside: str = "", reason: str = ""
) -> Finding:
    clients = {"codepipeline": Pipelines([*actions], status, inside), "ecs": Ecs(reason)}

    class Here:
        client = staticmethod(clients.__getitem__)

    finding = release.arrives(Release(cast(World, Here()), MINE))
    assert finding is not None
    return finding


def test_a_task_that_does_not_start_is_named_and_how_to_end_the_execution() -> None:
    why = "CannotPullContainerError: demo-app-repo@sha256:bb: not found"
    seen = found(action("Deploy", "InProgress"), action("Approve"), reason=why)
    assert (
        seen.found == f"the commit {MINE[:7]} is in the stage Deploy, which waits for a task\n{why}"
    )
    assert seen.suggestion.endswith(
        "aws codepipeline stop-pipeline-execution --pipeline-name demo-app "
        "--pipeline-execution-id mine --abandon"
    )


def test_a_deployment_that_goes_on_is_watched() -> None:
    seen = found(action("Deploy", "InProgress"), action("Approve"))
    assert seen.found == f"the commit {MINE[:7]} is on its way, in the stage Deploy"


@pytest.mark.parametrize("stage", ["Approve", "Deploy"])
def test_a_commit_that_waits_for_another_names_the_other(stage: str) -> None:
    before = release.STAGES[: release.STAGES.index(stage)]
    seen = found(*map(action, reversed(before)), inside=stage)
    assert seen.found == (
        f"the commit {MINE[:7]} waits before the stage {stage}, where the commit {OTHER[:7]} is"
    )
    assert "--pipeline-execution-id other" in seen.suggestion


def test_a_commit_between_two_stages_is_watched() -> None:
    seen = found(action("Source"))
    assert seen.found == f"the commit {MINE[:7]} waits before the stage Build"


def test_an_artifact_without_the_note_points_at_the_buildspec() -> None:
    said = "Unable to access the artifact with Amazon S3 object key: the key does not exist"
    seen = found(action("Deploy", "Failed", said), action("Approve"), status="Failed")
    assert "artifacts in buildspec.yml" in seen.suggestion
