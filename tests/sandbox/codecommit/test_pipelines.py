"""A push to CodeCommit starts pipelines and rules, with the rights of the pipeline's role."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.labs.commands import Commands
from tests.policies import allow, policy
from tests.sandbox.codecommit import git_room
from tests.sandbox.codecommit.git_room import URL, Person
from tests.sandbox.codepipeline import pipeline_room
from tests.sandbox.codepipeline.pipeline_room import (
    ACCOUNT,
    PipelineRoom,
    action,
    definition,
    s3_deploy,
)

ARN = f"arn:aws:codecommit:us-west-2:{ACCOUNT}"
RIGHTS = ("codecommit:GetBranch", "codecommit:GetCommit", "codecommit:UploadArchive")


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipelineRoom]:
    made = pipeline_room.begin(tmp_path_factory.mktemp("labs"), runner=False)
    yield made
    made.builds.sandbox.stop()


@pytest.fixture
def ada(room: PipelineRoom, tmp_path: Path, commands: Commands) -> Person:
    return git_room.learner(room.builds.sandbox, tmp_path / "ada", commands.folder)


def source(name: str, **more: str) -> dict[str, Any]:
    given = {"RepositoryName": name, "BranchName": "main", **more}
    return action("Source", "CodeCommit", given, outputs=["Source"], namespace="Commit")


def test_a_push_starts_the_pipeline_that_polls_the_branch(room: PipelineRoom, ada: Person) -> None:
    room.client("codecommit").create_repository(repositoryName="site")
    ada.git("init", "-qb", "main", "site")
    work = ada.home / "site"
    first = ada.commit(work, "index.html", "one")
    ada.git("push", "-q", f"{URL}/site", "main", cwd=work)

    made = definition("pushes", source("site"), s3_deploy(ObjectKey="#{Commit.CommitId}"))
    execution = room.create(made)
    assert room.ended("pushes", execution) == "Failed"
    code, message = room.error("pushes", execution, "Source")
    assert code == "PermissionError"
    assert "the AWS CodeCommit repository named site" in message
    assert "is not authorized to perform: codecommit:GetBranch" in message

    iam = room.client("iam")
    for rights in (RIGHTS[:2], RIGHTS):
        document = policy(allow(*rights, on=f"{ARN}:site"))
        iam.put_role_policy(RoleName="pipeline", PolicyName="git", PolicyDocument=document)
        execution = room.start("pushes")
        status = room.ended("pushes", execution)
    assert status == "Succeeded"
    assert "UploadArchive" in room.error("pushes", _second(room, "pushes"), "Source")[1]
    assert room.site(f"{first}/index.html") == "one"
    variables = room.actions("pushes", execution)["Source"]["output"]["outputVariables"]
    assert variables["CommitMessage"] == "write index.html"
    assert variables["RepositoryName"] == "site"

    last = ada.commit(work, "index.html", "two")
    ada.git("push", "-q", f"{URL}/site", "main", "main:other", cwd=work)
    room.wait(lambda: room.newest("pushes") != execution)
    pushed = room.newest("pushes")
    assert room.ended("pushes", pushed) == "Succeeded"
    assert room.execution("pushes", pushed)["trigger"]["triggerType"] == "PollForSourceChanges"
    assert room.site(f"{last}/index.html") == "two"

    revision = {"actionName": "Source", "revisionType": "COMMIT_ID", "revisionValue": first}
    again = room.start("pushes", sourceRevisions=[revision])
    assert room.ended("pushes", again) == "Succeeded"
    assert room.execution("pushes", again)["artifactRevisions"][0]["revisionId"] == first

    absent = definition("absent", source("site", BranchName="nothing"), s3_deploy())
    failed = room.create(absent)
    assert room.ended("absent", failed) == "Failed"
    assert "Branch nothing does not exist" in room.error("absent", failed, "Source")[1]


def test_a_commit_by_the_api_starts_the_pipeline_as_a_push_does(room: PipelineRoom) -> None:
    codecommit, iam = room.client("codecommit"), room.client("iam")
    codecommit.create_repository(repositoryName="typed")
    place = {"repositoryName": "typed", "branchName": "main", "filePath": "index.html"}
    first = codecommit.put_file(**place, fileContent=b"one")["commitId"]
    document = policy(allow(*RIGHTS, on=f"{ARN}:typed"))
    iam.put_role_policy(RoleName="pipeline", PolicyName="typed", PolicyDocument=document)
    made = definition("typed", source("typed"), s3_deploy(ObjectKey="#{Commit.CommitId}"))
    begun = room.create(made)
    assert room.ended("typed", begun) == "Succeeded"
    assert room.site(f"{first}/index.html") == "one"

    codecommit.create_branch(repositoryName="typed", branchName="side", commitId=first)
    other = codecommit.put_file(
        **{**place, "branchName": "side"}, fileContent=b"side", parentCommitId=first
    )
    second = codecommit.put_file(**place, fileContent=b"two", parentCommitId=first)["commitId"]
    room.wait(lambda: room.newest("typed") != begun)
    execution = room.newest("typed")
    assert room.ended("typed", execution) == "Succeeded"
    assert room.execution("typed", execution)["trigger"]["triggerType"] == "PollForSourceChanges"
    assert room.site(f"{second}/index.html") == "two"
    third = codecommit.create_commit(
        repositoryName="typed",
        branchName="main",
        parentCommitId=second,
        putFiles=[{"filePath": "index.html", "fileContent": b"three"}],
    )["commitId"]
    room.wait(lambda: room.newest("typed") != execution)
    assert room.ended("typed", room.newest("typed")) == "Succeeded"
    assert room.site(f"{third}/index.html") == "three"
    assert other["commitId"] not in {first, second, third}
    listed = room.api.list_pipeline_executions(pipelineName="typed")["pipelineExecutionSummaries"]
    assert len(listed) == 3


def _second(room: PipelineRoom, name: str) -> str:
    """The id of the execution after the first."""
    found = room.api.list_pipeline_executions(pipelineName=name)["pipelineExecutionSummaries"]
    return str(found[-2]["pipelineExecutionId"])


def test_a_push_is_an_event_for_rules(room: PipelineRoom, ada: Person) -> None:
    queue = room.client("sqs").create_queue(QueueName="pushes")["QueueUrl"]
    arn = f"arn:aws:sqs:us-west-2:{ACCOUNT}:pushes"
    events = room.client("events")
    rule = events.put_rule(
        Name="pushes",
        EventPattern=json.dumps(
            {
                "source": ["aws.codecommit"],
                "detail-type": ["CodeCommit Repository State Change"],
                "detail": {"referenceType": ["branch"]},
            }
        ),
    )["RuleArn"]
    statement = allow("sqs:SendMessage", on=arn, Principal={"Service": "events.amazonaws.com"})
    statement["Condition"] = {"ArnEquals": {"aws:SourceArn": rule}}
    room.client("sqs").set_queue_attributes(
        QueueUrl=queue, Attributes={"Policy": policy(statement)}
    )
    events.put_targets(Rule="pushes", Targets=[{"Id": "queue", "Arn": arn}])

    made = room.client("codecommit").create_repository(repositoryName="told")["repositoryMetadata"]
    ada.git("init", "-qb", "main", "told")
    work = ada.home / "told"
    commits = []
    for text in ("one", "two"):
        commits.append(ada.commit(work, "a", text))
        ada.git("push", "-q", f"{URL}/told", "main", cwd=work)
    room.client("codecommit").create_branch(
        repositoryName="told", branchName="side", commitId=commits[0]
    )
    room.client("codecommit").delete_branch(repositoryName="told", branchName="side")

    found: list[dict[str, Any]] = []

    def received() -> bool:
        taken = room.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        found.extend(json.loads(each["Body"]) for each in taken.get("Messages", []))
        return len(found) == 4

    room.wait(received)
    assert {each["resources"][0] for each in found} == {made["Arn"]}
    details = {each["detail"]["event"] + each["detail"]["referenceName"]: each for each in found}
    shown = {name: each["detail"] for name, each in details.items()}
    who = f"arn:aws:iam::{ACCOUNT}:user/learner"
    common = {
        "callerUserArn": who,
        "repositoryName": "told",
        "repositoryId": made["repositoryId"],
        "referenceType": "branch",
        "referenceName": "main",
        "referenceFullName": "refs/heads/main",
    }
    assert shown["referenceCreatedmain"] == {
        **common,
        "event": "referenceCreated",
        "commitId": commits[0],
    }
    assert shown["referenceUpdatedmain"] == {
        **common,
        "event": "referenceUpdated",
        "commitId": commits[1],
        "oldCommitId": commits[0],
    }
    assert shown["referenceDeletedside"]["oldCommitId"] == commits[0]
    assert "commitId" not in shown["referenceDeletedside"]
