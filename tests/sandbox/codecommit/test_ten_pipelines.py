"""One push starts ten pipelines at once; each builds and deploys its own branch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.labs.commands import Commands
from tests.policies import allow, policy
from tests.sandbox.codecommit import git_room
from tests.sandbox.codecommit.git_room import URL
from tests.sandbox.codepipeline import pipeline_room
from tests.sandbox.codepipeline.pipeline_room import (
    BUILD,
    PipelineRoom,
    action,
    codebuild,
    definition,
    s3_deploy,
)

TEN = range(10)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipelineRoom]:
    made = pipeline_room.begin(tmp_path_factory.mktemp("labs"))
    yield made
    made.builds.stop_runner()
    made.builds.sandbox.stop()


def failures(room: PipelineRoom, executions: dict[str, str]) -> dict[str, object]:
    """What failed, by pipeline, once all have ended."""
    return {
        name: [
            each["output"]["executionResult"]
            for each in room.actions(name, execution).values()
            if each["status"] == "Failed"
        ]
        for name, execution in executions.items()
        if room.ended(name, execution) != "Succeeded"
    }


@pytest.mark.soak
def test_ten_pipelines_run_at_once_and_none_takes_anothers_work(
    room: PipelineRoom, tmp_path: Path, commands: Commands
) -> None:
    document = policy(allow("codecommit:*"))
    room.client("iam").put_role_policy(
        RoleName="pipeline", PolicyName="git", PolicyDocument=document
    )
    room.client("codecommit").create_repository(repositoryName="many")
    ada = git_room.learner(room.builds.sandbox, tmp_path / "ada", commands.folder)
    ada.git("init", "-qb", "main", "many")
    work = ada.home / "many"
    (work / "build.sh").touch(0o755)
    ada.commit(work, "build.sh", f"#!/bin/sh\n{BUILD}\n")

    def push(text: str) -> None:
        """A commit on each branch, and one push of all."""
        for number in TEN:
            ada.git("checkout", "-qB", f"b{number}", "main", cwd=work)
            ada.commit(work, "words", f"{text} {number}")
        ada.git("push", "-qf", f"{URL}/many", *(f"b{number}" for number in TEN), cwd=work)

    push("first")
    begun = {}
    for number in TEN:
        given = {"RepositoryName": "many", "BranchName": f"b{number}"}
        source = action("Source", "CodeCommit", given, outputs=["Source"])
        deploy = s3_deploy("Built", ObjectKey=f"site-{number}")
        begun[f"p{number}"] = room.create(definition(f"p{number}", source, codebuild(), deploy))
    assert failures(room, begun) == {}

    push("second")
    room.wait(lambda: all(room.newest(name) != each for name, each in begun.items()))
    assert failures(room, {name: room.newest(name) for name in begun}) == {}
    for number in TEN:
        assert room.site(f"site-{number}/index.html") == f"<h1>second {number}</h1>\n"
