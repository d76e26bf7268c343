"""A change goes from the source to the site: source, build, approval, deployment."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox.codepipeline import pipeline_room
from tests.sandbox.codepipeline.pipeline_room import (
    BUILD,
    PipelineRoom,
    approval,
    codebuild,
    definition,
    s3_deploy,
    s3_source,
)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipelineRoom]:
    """A sandbox with a runner."""
    made = pipeline_room.begin(tmp_path_factory.mktemp("labs"))
    yield made
    made.builds.stop_runner()
    made.builds.sandbox.stop()


def test_a_new_version_is_built_approved_and_deployed(room: PipelineRoom) -> None:
    says = 'echo "of version $CODEBUILD_RESOLVED_SOURCE_VERSION"'
    first = room.put({"words": "one", "build.sh": f"{BUILD}; {says}"})
    pipeline = definition("release", s3_source(), codebuild(), approval(), s3_deploy("Built"))
    execution = room.create(pipeline)
    room.answer("release", "Approved", "looks good")
    assert room.ended("release", execution) == "Succeeded"
    assert room.site() == "<h1>one</h1>\n"

    shown = room.execution("release", execution)
    assert shown["trigger"]["triggerType"] == "CreatePipeline"
    assert [each["revisionId"] for each in shown["artifactRevisions"]] == [first]
    actions = room.actions("release", execution)
    assert {name: each["status"] for name, each in actions.items()} == dict.fromkeys(
        ("Source", "Build", "Approval", "Deploy"), "Succeeded"
    )
    assert actions["Source"]["output"]["outputVariables"]["VersionId"] == first
    assert actions["Build"]["output"]["outputVariables"] == {"NUMBER": "7"}
    build = actions["Build"]["output"]["executionResult"]["externalExecutionId"]
    made = room.builds.build(build)
    assert made["initiator"] == "codepipeline/release"
    assert made["resolvedSourceVersion"] == first
    assert made["environment"]["environmentVariables"] == []
    assert f"of version {first}\n" in room.builds.log(build)
    result = actions["Approval"]["output"]["executionResult"]
    assert result["externalExecutionSummary"] == "looks good"
    assert actions["Approval"]["updatedBy"].endswith(":user/learner")

    room.put({"words": "two", "build.sh": "exit 3"})
    room.wait(lambda: room.newest("release") != execution)
    second = room.newest("release")
    assert room.ended("release", second) == "Failed"
    assert room.execution("release", second)["trigger"]["triggerType"] == "PollForSourceChanges"
    code, message = room.error("release", second, "Build")
    assert code == "JobFailed"
    assert message.startswith("Build terminated with state: FAILED. Phase: BUILD, Code: COMMAND_")
    assert room.site() == "<h1>one</h1>\n"
