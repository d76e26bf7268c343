"""Rollbacks among other executions: who enters the stage first, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.codepipeline.pipeline_room import PipelineRoom, approval, definition, s3_source


def made(name: str, **more: Any) -> dict[str, Any]:
    """Source, and an approval that rolls back."""
    source = s3_source(PollForSourceChanges="false")
    given = {"pipelineType": "V2", **more}
    found = definition(name, source, approval(), **given)
    if given.get("executionMode") != "PARALLEL":
        found["stages"][1]["onFailure"] = {"result": "ROLLBACK"}
    return found


@pytest.fixture(scope="module", autouse=True)
def _source(room: PipelineRoom) -> None:
    room.put({"index.html": "one"})


def good(room: PipelineRoom, name: str, **more: Any) -> str:
    """The first execution of a new pipeline, which succeeds."""
    first = room.create(made(name, **more))
    room.answer(name, "Approved")
    assert room.ended(name, first) == "Succeeded"
    return first


def waits(room: PipelineRoom, name: str, *executions: str) -> None:
    """Until exactly these executions wait at the stage Approval, the oldest first."""

    def there() -> bool:
        found = room.stages(name)["Approval"]["inboundExecutions"]
        return [each["pipelineExecutionId"] for each in found] == list(executions)

    room.wait(there)


def rollbacks(room: PipelineRoom, name: str) -> list[dict[str, Any]]:
    found = room.api.list_pipeline_executions(pipelineName=name)["pipelineExecutionSummaries"]
    return [each for each in found if each["executionType"] == "ROLLBACK"]


def inside(room: PipelineRoom, name: str) -> str:
    """The execution whose approval waits."""
    room.token(name)
    return str(room.stages(name)["Approval"]["latestExecution"]["pipelineExecutionId"])


@pytest.mark.parametrize("mode", ["SUPERSEDED", "QUEUED"])
def test_a_failed_stage_is_rolled_back_before_the_next_execution_enters(
    room: PipelineRoom, mode: str
) -> None:
    name = f"first-back-{mode}"
    first = good(room, name, executionMode=mode)
    bad = room.start(name)
    assert inside(room, name) == bad
    newer = room.start(name)
    waits(room, name, newer)
    room.answer(name, "Rejected")
    (back,) = rollbacks(room, name)
    assert back["rollbackMetadata"]["rollbackTargetPipelineExecutionId"] == first
    assert inside(room, name) == back["pipelineExecutionId"]
    waits(room, name, newer)
    room.answer(name, "Approved")
    assert room.ended(name, back["pipelineExecutionId"]) == "Succeeded"
    room.answer(name, "Approved")
    assert room.ended(name, newer) == "Succeeded"
    assert len(rollbacks(room, name)) == 1


def test_a_rollback_that_waits_is_not_superseded_and_its_stage_is_not_retried(
    room: PipelineRoom,
) -> None:
    first = good(room, "held")
    bad = room.start("held")
    assert inside(room, "held") == bad
    stage = {"pipelineName": "held", "stageName": "Approval", "transitionType": "Inbound"}
    room.api.disable_stage_transition(**stage, reason="look first")
    room.answer("held", "Rejected")
    (back,) = rollbacks(room, "held")
    older = room.start("held")
    waits(room, "held", back["pipelineExecutionId"], older)
    newer = room.start("held")
    waits(room, "held", back["pipelineExecutionId"], newer)
    assert room.ended("held", older) == "Superseded"
    with pytest.raises(ClientError, match="NotLatestPipelineExecutionException"):
        room.api.retry_stage_execution(
            pipelineName="held",
            stageName="Approval",
            pipelineExecutionId=bad,
            retryMode="FAILED_ACTIONS",
        )
    by_hand = room.api.rollback_stage(
        pipelineName="held", stageName="Approval", targetPipelineExecutionId=first
    )["pipelineExecutionId"]
    assert room.ended("held", back["pipelineExecutionId"]) == "Superseded"

    room.api.enable_stage_transition(
        pipelineName="held", stageName="Approval", transitionType="Inbound"
    )
    assert inside(room, "held") == by_hand
    room.answer("held", "Rejected")
    assert inside(room, "held") == newer
    room.answer("held", "Approved")
    assert room.ended("held", newer) == "Succeeded"


def test_a_stage_that_never_succeeded_says_that_it_is_not_rolled_back(room: PipelineRoom) -> None:
    bad = room.create(made("never"))
    newer = room.start("never")
    waits(room, "never", newer)
    room.answer("never", "Rejected")
    assert room.ended("never", bad) == "Failed"
    assert room.execution("never", bad)["statusSummary"] == (
        "The stage Approval is not rolled back: no execution of the pipeline's version 1 has "
        "succeeded in the stage"
    )
    assert rollbacks(room, "never") == []
    assert inside(room, "never") == newer


def test_a_stage_that_runs_is_not_rolled_back_by_hand(room: PipelineRoom) -> None:
    first = good(room, "busy")
    running = room.start("busy")
    assert inside(room, "busy") == running
    with pytest.raises(ClientError, match="UnableToRollbackStageException") as caught:
        room.api.rollback_stage(
            pipelineName="busy", stageName="Approval", targetPipelineExecutionId=first
        )
    assert f"while it is running: the execution {running} is in it" in str(caught.value)


def test_the_mode_parallel_has_no_rollback(room: PipelineRoom) -> None:
    first = good(room, "side-by-side", executionMode="PARALLEL")
    with pytest.raises(ClientError, match="stage rollback is not available in the execution mode"):
        room.api.rollback_stage(
            pipelineName="side-by-side", stageName="Approval", targetPipelineExecutionId=first
        )
