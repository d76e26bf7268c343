"""The sandbox is killed in the middle of pipelines, and ten of them go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sandbox import sandbox_process
from tests.sandbox.codepipeline import pipeline_room
from tests.sandbox.codepipeline.pipeline_room import (
    BUILD,
    approval,
    codebuild,
    definition,
    s3_source,
)


@pytest.mark.soak
def test_pipelines_go_on_where_they_were_after_a_restart(tmp_path: Path) -> None:
    room = pipeline_room.begin(tmp_path)
    room.put({"words": "one", "build.sh": "sleep 600"}, "slow.zip")
    room.put({"words": "one", "build.sh": BUILD})
    slow = room.create(definition("slow", s3_source("slow.zip"), codebuild()))
    room.wait(lambda: "Build" in room.actions("slow", slow))
    second = {**approval(), "name": "Second"}
    waiting = {
        name: room.create(definition(name, s3_source(), approval(), second))
        for name in (f"many-{number}" for number in range(10))
    }
    tokens = {name: room.token(name) for name in waiting}
    external = "externalExecutionId"
    room.wait(
        lambda: bool(room.actions("slow", slow)["Build"]["output"]["executionResult"][external])
    )

    room.builds.sandbox.process.kill()
    room.builds.sandbox.process.wait(30)
    room.builds.sandbox = sandbox_process.start(tmp_path)
    assert room.ended("slow", slow) == "Failed"
    code, message = room.error("slow", slow, "Build")
    assert code == "JobFailed"
    assert "The sandbox was restarted while this ran." in message
    for name, execution in waiting.items():
        assert room.token(name) == tokens[name]
        room.answer(name, "Approved")
        room.token(name, "Second")
        assert room.execution(name, execution)["status"] == "InProgress"
    room.builds.stop_runner()
    room.builds.sandbox.stop()
