"""Projects: what CodeBuild keeps, answers and refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.config import Config

from tests.policies import allow
from tests.sandbox import sandbox_process
from tests.sandbox.authorization.people_here import People, refusal_of
from tests.sandbox.codebuild.build_room import LINUX, LOGS, ROLE, TRUST, Room

ARN = "arn:aws:codebuild:us-west-2:123456789012:project/"


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """A sandbox without a runner: nothing is built here."""
    made = Room(sandbox_process.start(tmp_path_factory.mktemp("labs")))
    made.role("builder", LOGS)
    yield made
    made.sandbox.stop()


def test_a_project_has_awss_defaults_and_is_found_again(room: Room) -> None:
    made = room.project("plain", "true", tags=[{"key": "team", "value": "web"}])
    codebuild = room.client("codebuild")
    found = codebuild.batch_get_projects(names=["plain", ARN + "plain", "none"])
    assert found["projects"] == [made, made]
    assert found["projectsNotFound"] == ["none"]
    assert made["arn"] == ARN + "plain"
    assert (made["timeoutInMinutes"], made["queuedTimeoutInMinutes"]) == (60, 480)
    assert made["cache"] == {"type": "NO_CACHE"}
    assert made["badge"] == {"badgeEnabled": False}
    assert made["encryptionKey"] == "arn:aws:kms:us-west-2:123456789012:alias/aws/s3"
    assert made["environment"] == {
        **LINUX,
        "environmentVariables": [],
        "privilegedMode": False,
        "imagePullCredentialsType": "CODEBUILD",
    }


def test_a_second_project_of_a_name_is_refused(room: Room) -> None:
    room.project("twice", "true")
    with pytest.raises(Exception, match="Project already exists: " + ARN + "twice") as refused:
        room.project("twice", "true")
    assert "ResourceAlreadyExistsException" in str(refused.value)


def test_an_update_replaces_what_it_names_and_keeps_the_rest(room: Room) -> None:
    before = room.project("changed", "true", description="before")
    after = room.client("codebuild").update_project(name="changed", timeoutInMinutes=5)["project"]
    assert after["timeoutInMinutes"] == 5
    assert after["description"] == "before"
    assert after["created"] == before["created"]
    assert after["lastModified"] >= before["lastModified"]


def test_a_deleted_project_is_gone_and_deleting_again_succeeds(room: Room) -> None:
    room.project("gone", "true")
    codebuild = room.client("codebuild")
    codebuild.delete_project(name="gone")
    codebuild.delete_project(name="gone")
    assert codebuild.batch_get_projects(names=["gone"])["projectsNotFound"] == ["gone"]
    status, code, message = refusal_of(codebuild, "start_build", projectName="gone")
    assert (status, code) == (400, "ResourceNotFoundException")
    assert message == f"Project cannot be found: {ARN}gone"


S3 = {"type": "S3", "location": "bucket/source.zip"}
INVALID: list[tuple[str, dict[str, Any], str]] = [
    ("no project name", {"name": "-"}, "failed to satisfy constraint"),
    ("too short a limit", {"timeoutInMinutes": 4}, "greater than or equal to 5"),
    ("no role", {"serviceRole": "builder"}, "Invalid service role"),
    (
        "a role that is not there",
        {"serviceRole": ROLE + "s"},
        f"CodeBuild is not authorized to perform: sts:AssumeRole on {ROLE}s",
    ),
    ("no buildspec", {"source": {"type": "NO_SOURCE"}}, "needs a buildspec"),
    ("no key", {"source": {"type": "S3", "location": "bucket"}}, "bucket/path/to/source.zip"),
    (
        "a pipeline's source alone",
        {"source": {"type": "CODEPIPELINE"}},
        "source and artifacts are both of type CODEPIPELINE",
    ),
    ("no repository", {"source": {"type": "GITHUB"}}, "of type GITHUB needs a location"),
    ("no bucket", {"artifacts": {"type": "S3"}, "source": S3}, "need a location"),
    (
        "a variable twice",
        {"environment": {**LINUX, "environmentVariables": [{"name": "A", "value": "1"}] * 2}},
        "Duplicate environment variable name: A",
    ),
    (
        "a curated image with the role's rights",
        {"environment": {**LINUX, "imagePullCredentialsType": "SERVICE_ROLE"}},
        "cannot use a CodeBuild curated image with imagePullCredentialsType SERVICE_ROLE",
    ),
    (
        "a secondary source without an identifier",
        {"secondarySources": [S3]},
        "identifier must contain only alphanumeric characters and underscores",
    ),
    (
        "an identifier twice",
        {"secondarySources": [{**S3, "sourceIdentifier": "b"}] * 2},
        "secondarySources has the sourceIdentifier b twice",
    ),
    (
        "a secondary source from a pipeline",
        {"secondarySources": [{"type": "CODEPIPELINE", "sourceIdentifier": "b"}]},
        "sourceType CODEPIPELINE is not allowed for secondarySources",
    ),
    (
        "a version of no source",
        {"secondarySourceVersions": [{"sourceIdentifier": "b", "sourceVersion": "v"}]},
        "no secondary source has that identifier",
    ),
    (
        "secondary artifacts from a pipeline",
        {"secondaryArtifacts": [{"type": "CODEPIPELINE", "artifactIdentifier": "b"}]},
        "artifactType CODEPIPELINE is not allowed for secondaryArtifacts",
    ),
    (
        "secondary artifacts with an identifier that CodeBuild does not take",
        {
            "secondaryArtifacts": [
                {"type": "S3", "location": "bucket", "artifactIdentifier": "with-a-dash"}
            ]
        },
        "identifier must contain only alphanumeric characters and underscores",
    ),
]


@pytest.mark.parametrize(("changed", "said"), [each[1:] for each in INVALID], ids=[
    each[0] for each in INVALID
])  # fmt: skip
def test_what_codebuild_refuses(room: Room, changed: dict[str, Any], said: str) -> None:
    code, message = refused(room, changed)
    assert code == "InvalidInputException"
    assert said in message


NOT_HERE: list[tuple[str, dict[str, Any]]] = [
    ("badgeEnabled", {"badgeEnabled": True}),
    ("vpcConfig", {"vpcConfig": {"vpcId": "vpc-1"}}),
    ("WINDOWS_CONTAINER", {"environment": {**LINUX, "type": "WINDOWS_CONTAINER"}}),
    ("s3Logs", {"logsConfig": {"s3Logs": {"status": "ENABLED", "location": "b"}}}),
    ("environment.certificate", {"environment": {**LINUX, "certificate": "b/c.pem"}}),
]


@pytest.mark.parametrize(("name", "changed"), NOT_HERE, ids=[each[0] for each in NOT_HERE])
def test_what_the_sandbox_refuses_by_name(room: Room, name: str, changed: dict[str, Any]) -> None:
    code, message = refused(room, changed)
    assert code == "NotInSandbox"
    assert name in message
    assert "AWS" in message


def unchecked(room: Room) -> Any:
    """A client that lets the service check the parameters."""
    settings = Config(parameter_validation=False, retries={"max_attempts": 0})
    return room.client("codebuild", config=settings)


def refused(room: Room, changed: dict[str, Any]) -> tuple[str, str]:
    settings = {
        "name": "refused",
        "source": {"type": "NO_SOURCE", "buildspec": "version: 0.2"},
        "artifacts": {"type": "NO_ARTIFACTS"},
        "environment": LINUX,
        "serviceRole": ROLE,
        **changed,
    }
    return refusal_of(unchecked(room), "create_project", **settings)[1:]


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("start_build_batch", {"projectName": "plain"}),
        ("invalidate_project_cache", {"projectName": "plain"}),
        ("list_curated_environment_images", {}),
    ],
)
def test_operations_that_are_absent_are_refused_in_words(
    room: Room, operation: str, params: dict[str, Any]
) -> None:
    _, code, message = refusal_of(room.client("codebuild"), operation, **params)
    assert code == "NotInSandbox"
    assert message.startswith("The sandbox does not have the operation codebuild:")


def test_iam_decides_by_project_and_by_the_role_that_is_passed(room: Room) -> None:
    room.project("allowed", "true")
    mine = allow("codebuild:*", on=f"{ARN}allowed")
    client = People(room.sandbox).make("ann", mine).client("codebuild")
    assert client.batch_get_projects(names=["allowed"])["projects"]
    assert refusal_of(client, "batch_get_projects", names=["plain"])[1] == "AccessDeniedException"
    _, code, message = refusal_of(client, "update_project", name="allowed", serviceRole=ROLE)
    assert code == "AccessDeniedException"
    assert f"iam:PassRole on resource: {ROLE}" in message


def test_a_role_that_trusts_only_another_service_is_refused(room: Room) -> None:
    other = room.role("other", trust=TRUST.replace("codebuild.", "codepipeline."))
    code, message = refused(room, {"serviceRole": other})
    assert code == "InvalidInputException"
    assert message == f"CodeBuild is not authorized to perform: sts:AssumeRole on {other}"
