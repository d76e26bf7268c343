"""A commit in the learner's git folder starts a pipeline, over a connection."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labs_helpers import deliveries
from labs_helpers.errors import LabError
from tests.policies import allow, policy
from tests.sandbox.codepipeline import pipeline_room
from tests.sandbox.codepipeline.pipeline_room import PipelineRoom, action, definition, s3_deploy


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipelineRoom]:
    """A sandbox with a runner."""
    made = pipeline_room.begin(tmp_path_factory.mktemp("labs"))
    yield made
    made.builds.stop_runner()
    made.builds.sandbox.stop()


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def commit(folder: Path, text: str) -> str:
    """A new commit; returns its id."""
    (folder / "index.html").write_text(text)
    git(folder, "add", ".")
    git(folder, "commit", "-qm", f"say {text}")
    return git(folder, "rev-parse", "HEAD")


def source(arn: str, **more: str) -> dict[str, Any]:
    given = {"ConnectionArn": arn, "FullRepositoryId": "ada/app", "BranchName": "main", **more}
    return action(
        "Source", "CodeStarSourceConnection", given, outputs=["Source"], namespace="Commit"
    )


def test_a_commit_goes_to_the_site_once_the_handshake_is_finished(
    room: PipelineRoom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "app"
    folder.mkdir()
    git(folder, "init", "-qb", "main")
    first = commit(folder, "one")
    api = room.client("codeconnections")
    arn = api.create_connection(ProviderType="GitHub", ConnectionName="github")["ConnectionArn"]
    assert api.get_connection(ConnectionArn=arn)["Connection"]["ConnectionStatus"] == "PENDING"

    deploy = s3_deploy(ObjectKey="#{Commit.CommitId}")
    execution = room.create(definition("commits", source(arn), deploy))
    assert room.ended("commits", execution) == "Failed"
    code, message = room.error("commits", execution, "Source")
    assert code == "PermissionError"
    assert message == (
        f"Unable to use Connection: {arn}. The provided role does not have sufficient permissions."
    )

    room.client("iam").put_role_policy(
        RoleName="pipeline",
        PolicyName="connection",
        PolicyDocument=policy(allow("codeconnections:UseConnection", on=arn)),
    )
    second = room.start("commits")
    assert room.ended("commits", second) == "Failed"
    assert "its status is PENDING" in room.error("commits", second, "Source")[1]

    sent = {"connection": "github", "repository": "ada/app", "folder": str(folder)}
    assert room.builds.sandbox.control("POST", "connections", sent)[0] == 200
    assert api.get_connection(ConnectionArn=arn)["Connection"]["ConnectionStatus"] == "AVAILABLE"
    third = room.start("commits")
    assert room.ended("commits", third) == "Succeeded"
    assert room.site(f"{first}/index.html") == "one"
    variables = room.actions("commits", third)["Source"]["output"]["outputVariables"]
    assert variables["CommitMessage"] == "say one"
    assert variables["AuthorDisplayName"] == "Ada"

    last = commit(folder, "two")
    room.wait(lambda: room.newest("commits") != third)
    fourth = room.newest("commits")
    assert room.ended("commits", fourth) == "Succeeded"
    assert room.execution("commits", fourth)["trigger"]["triggerType"] == "WebhookV2"
    assert room.site(f"{last}/index.html") == "two"
    # whoever answers an approval learns so what the stage's execution delivers
    inside = room.stages("commits")["Deploy"]["latestExecution"]["pipelineExecutionId"]
    (revision,) = room.execution("commits", inside)["artifactRevisions"]
    assert (revision["revisionId"], revision["revisionSummary"]) == (last, "say two")

    wanted = {"actionName": "Source", "revisionType": "COMMIT_ID", "revisionValue": first}
    fifth = room.start("commits", sourceRevisions=[wanted])
    assert room.ended("commits", fifth) == "Succeeded"
    assert room.execution("commits", fifth)["artifactRevisions"][0]["revisionId"] == first

    room.be_learner(monkeypatch)
    monkeypatch.chdir(folder)
    newest = commit(folder, "three")
    text = deliveries.pipeline("commits", 60, "HEAD").text
    assert text.startswith("The pipeline commits: the last execution succeeded.")
    assert room.site(f"{newest}/index.html") == "three"
    with pytest.raises(LabError, match="git knows no commit elsewhere"):
        deliveries.pipeline("commits", 60, "elsewhere")
    api.delete_connection(ConnectionArn=arn)
    assert api.list_connections()["Connections"] == []


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        (
            {"connection": "nobody", "repository": "a/b", "folder": "/x"},
            404,
            "no connection nobody",
        ),
        ({"connection": "nobody", "repository": "b", "folder": "/x"}, 400, "write OWNER/NAME"),
        ({"connection": "nobody", "repository": "a/b", "folder": "x"}, 400, "no absolute path"),
    ],
)
def test_a_handshake_that_cannot_be_finished_says_why(
    room: PipelineRoom, sent: dict[str, str], status: int, said: str
) -> None:
    found = room.builds.sandbox.control("POST", "connections", sent)
    assert found[0] == status
    assert said in str(found[1])
