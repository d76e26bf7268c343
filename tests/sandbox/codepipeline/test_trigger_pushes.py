"""Pushes to a connected folder start the pipelines whose triggers let them through."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.policies import allow, policy
from tests.sandbox.codepipeline import pipeline_room
from tests.sandbox.codepipeline.pipeline_room import PipelineRoom, definition, s3_deploy
from tests.sandbox.codepipeline.test_connection import git, source

PUSH = [
    {
        "branches": {"includes": ["feature/**"]},
        "filePaths": {"includes": ["src/**"], "excludes": ["**/README.md"]},
    },
    {"tags": {"includes": ["v*"], "excludes": ["v0*"]}},
]
TRIGGERS = [
    {
        "providerType": "CodeStarSourceConnection",
        "gitConfiguration": {"sourceActionName": "Source", "push": PUSH},
    }
]


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipelineRoom]:
    """A sandbox with a runner."""
    made = pipeline_room.begin(tmp_path_factory.mktemp("labs"))
    yield made
    made.builds.stop_runner()
    made.builds.sandbox.stop()


def write(folder: Path, path: str, text: str) -> str:
    """A new commit of one file; returns its id."""
    (folder / path).parent.mkdir(exist_ok=True)
    (folder / path).write_text(text)
    git(folder, "add", ".")
    git(folder, "commit", "-qm", text)
    return git(folder, "rev-parse", "HEAD")


def repository(folder: Path) -> str:
    """A new repository in a new folder, with one commit; returns the commit's id."""
    folder.mkdir()
    git(folder, "init", "-qb", "main")
    return write(folder, "src/page.html", "first")


def executions(room: PipelineRoom) -> list[dict[str, Any]]:
    found = room.api.list_pipeline_executions(pipelineName="filtered")
    return list(found["pipelineExecutionSummaries"])


def test_filters_choose_the_pushes_and_the_push_its_commit(
    room: PipelineRoom, tmp_path: Path
) -> None:
    folder = tmp_path / "app"
    first = repository(folder)
    arn = room.client("codeconnections").create_connection(
        ProviderType="GitHub", ConnectionName="github"
    )["ConnectionArn"]
    use = policy(allow("codeconnections:UseConnection", on=arn))
    room.client("iam").put_role_policy(
        RoleName="pipeline", PolicyName="connection", PolicyDocument=use
    )
    sent = {"connection": "github", "repository": "ada/app", "folder": str(folder)}
    assert room.builds.sandbox.control("POST", "connections", sent)[0] == 200
    made = definition(
        "filtered",
        source(arn),
        s3_deploy(ObjectKey="#{Commit.BranchName}/#{variables.PLACE}/#{Commit.CommitId}"),
        pipelineType="V2",
        executionMode="QUEUED",
        triggers=TRIGGERS,
        variables=[{"name": "PLACE", "defaultValue": "here"}],
    )
    execution = room.create(made)
    assert room.ended("filtered", execution) == "Succeeded"
    assert room.api.get_pipeline(name="filtered")["pipeline"]["triggers"] == TRIGGERS

    main = write(folder, "src/page.html", "on main, which is no branch of the filter")
    git(folder, "checkout", "-qb", "feature/a")
    write(folder, "src/README.md", "an excluded file")
    write(folder, "docs/page.html", "a file that is not included")
    on_branch = write(folder, "src/page.html", "on the branch")
    room.wait(lambda: len(executions(room)) > 1)
    second = room.newest("filtered")
    assert room.ended("filtered", second) == "Succeeded"
    shown = room.execution("filtered", second)
    assert shown["trigger"] == {"triggerType": "WebhookV2", "triggerDetail": arn}
    assert shown["artifactRevisions"][0]["revisionId"] == on_branch
    assert room.site(f"feature/a/here/{on_branch}/src/page.html") == "on the branch"

    git(folder, "tag", "other", main)
    git(folder, "tag", "v0.9", main)
    git(folder, "tag", "-am", "the first release", "v1", first)
    room.wait(lambda: len(executions(room)) > 2)
    third = room.newest("filtered")
    assert room.ended("filtered", third) == "Succeeded"
    assert room.execution("filtered", third)["artifactRevisions"][0]["revisionId"] == first

    # a start by hand takes the action's branch
    fourth = room.start("filtered")
    assert room.ended("filtered", fourth) == "Succeeded"
    assert room.execution("filtered", fourth)["artifactRevisions"][0]["revisionId"] == main
    assert [each["pipelineExecutionId"] for each in executions(room)] == [
        fourth,
        third,
        second,
        execution,
    ]


def test_a_push_starts_the_pipeline_and_no_build_by_a_webhook(
    room: PipelineRoom, tmp_path: Path
) -> None:
    folder = tmp_path / "hooked"
    repository(folder)
    arn = room.client("codeconnections").create_connection(
        ProviderType="GitHub", ConnectionName="hooks"
    )["ConnectionArn"]
    use = policy(allow("codeconnections:*", on=arn))
    for role in ("pipeline", "builder"):
        room.client("iam").put_role_policy(RoleName=role, PolicyName="hooks", PolicyDocument=use)
    sent = {"connection": "hooks", "repository": "ada/hooked", "folder": str(folder)}
    assert room.builds.sandbox.control("POST", "connections", sent)[0] == 200
    auth = {"type": "CODECONNECTIONS", "resource": arn}
    url = "https://github.com/ada/hooked.git"
    room.builds.project("hooked", source={"type": "GITHUB", "location": url, "auth": auth})
    codebuild = room.client("codebuild")
    every = [[{"type": "EVENT", "pattern": "PUSH"}]]
    hook = codebuild.create_webhook(projectName="hooked", filterGroups=every)["webhook"]
    assert hook["status"] == "ACTIVE"
    made = definition("hooked", source(arn, FullRepositoryId="ada/hooked"), s3_deploy())
    first = room.create(made)
    assert room.ended("hooked", first) == "Succeeded"
    write(folder, "src/page.html", "second")
    room.wait(lambda: room.newest("hooked") != first)
    assert room.ended("hooked", room.newest("hooked")) == "Succeeded"
    assert codebuild.list_builds_for_project(projectName="hooked")["ids"] == []
