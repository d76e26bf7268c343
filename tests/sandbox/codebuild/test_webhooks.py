"""Webhooks of projects: what CodeBuild answers, keeps and refuses. Nothing calls them here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.policies import allow, policy
from tests.sandbox import sandbox_process
from tests.sandbox.authorization.people_here import People, refusal_of
from tests.sandbox.codebuild.build_room import LOGS, Room
from tests.sandbox.codebuild.test_projects import unchecked

ARN = "arn:aws:codebuild:us-west-2:123456789012:project/"
SOURCE = {"type": "GITHUB", "location": "https://github.com/ada/app.git"}
ENTERPRISE = {"type": "GITHUB_ENTERPRISE", "location": "https://git.example.com/ada/app.git"}
PUSH = {"type": "EVENT", "pattern": "PUSH"}
NOT_FOUND = (
    "Failed to create webhook. Repository not found or permission denied. Please make sure the "
    "source credentials associated with your project have the permission to create webhook."
)


@dataclass
class Desk:
    """A sandbox without a runner, and a connection to the stand-in GitHub that has ada/app."""

    room: Room
    connection: str

    def project(self, name: str, location: str = SOURCE["location"], **changed: Any) -> None:
        """A project whose source is on the connection."""
        auth = {"type": "CODECONNECTIONS", "resource": self.connection}
        source = {"type": "GITHUB", "location": location, "auth": auth}
        self.room.project(name, **{"source": source, **changed})

    def create(self, name: str, **params: Any) -> dict[str, Any]:
        made = self.room.client("codebuild").create_webhook(projectName=name, **params)
        return dict(made["webhook"])

    def shown(self, name: str) -> dict[str, Any] | None:
        """The webhook that BatchGetProjects shows of a project."""
        found = self.room.client("codebuild").batch_get_projects(names=[name])["projects"]
        webhook: dict[str, Any] | None = found[0].get("webhook")
        return webhook

    def refused(self, operation: str, **params: Any) -> tuple[str, str]:
        _, code, message = refusal_of(unchecked(self.room), operation, **params)
        return code, message


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    room = Room(sandbox_process.start(tmp_path_factory.mktemp("labs")))
    room.role("builder", LOGS)
    made = room.client("codeconnections").create_connection(
        ProviderType="GitHub", ConnectionName="github"
    )
    arn = str(made["ConnectionArn"])
    rights = policy(
        allow("codeconnections:GetConnection", "codeconnections:GetConnectionToken", on=arn)
    )
    iam = room.client("iam")
    iam.put_role_policy(RoleName="builder", PolicyName="git", PolicyDocument=rights)
    folder = tmp_path_factory.mktemp("app")
    sent = {"connection": "github", "repository": "ada/app", "folder": str(folder)}
    assert room.sandbox.control("POST", "connections", sent)[0] == 200
    yield Desk(room, arn)
    room.sandbox.stop()


def test_a_project_on_a_connection_has_a_webhook_which_its_answers_show(desk: Desk) -> None:
    desk.project("app")
    groups = [[PUSH, {"type": "HEAD_REF", "pattern": "^refs/heads/main$"}]]
    made = desk.create("app", filterGroups=groups)
    assert re.fullmatch(r"https://api\.github\.com/repos/ada/app/hooks/\d+", made["url"])
    payload = r"https://codebuild\.us-west-2\.amazonaws\.com/webhooks\?t=[\w-]+&v=1"
    assert re.fullmatch(payload, made["payloadUrl"])
    assert "secret" not in made, "CodeBuild tells GitHub the secret, and nobody else"
    assert (made["status"], made["buildType"]) == ("ACTIVE", "BUILD")
    assert made["lastModifiedSecret"].tzinfo is not None
    assert made["filterGroups"] == [
        [{**each, "excludeMatchedPattern": False} for each in groups[0]]
    ]
    assert desk.shown("app") == made
    codebuild = desk.room.client("codebuild")
    changed = codebuild.update_project(name="app", description="with a webhook")["project"]
    assert changed["webhook"] == made
    code, message = desk.refused("create_webhook", projectName="app")
    assert code == "ResourceAlreadyExistsException"
    assert message == f"Webhook already exists: {ARN}app"


def test_without_rights_to_the_connection_there_is_no_webhook(desk: Desk) -> None:
    role = desk.room.role("stranger", LOGS)
    desk.project("stranger", serviceRole=role)
    code, message = desk.refused("create_webhook", projectName="stranger")
    assert code == "InvalidInputException"
    assert message == f"Access denied to connection {desk.connection}"
    assert desk.shown("stranger") is None


def test_without_its_role_a_project_gets_no_webhook(desk: Desk) -> None:
    role = desk.room.role("passing", LOGS)
    desk.project("roleless", serviceRole=role)
    iam = desk.room.client("iam")
    (name,) = iam.list_role_policies(RoleName="passing")["PolicyNames"]
    iam.delete_role_policy(RoleName="passing", PolicyName=name)
    iam.delete_role(RoleName="passing")
    code, message = desk.refused("create_webhook", projectName="roleless")
    assert code == "InvalidInputException"
    assert message == f"CodeBuild is not authorized to perform: sts:AssumeRole on {role}"


@pytest.mark.parametrize("resource", ["github", "arn:aws:codeconnections:x", ""])
def test_a_connection_that_is_none_is_denied(desk: Desk, resource: str) -> None:
    auth = {"type": "CODECONNECTIONS", "resource": resource}
    name = f"none-{len(resource)}"
    desk.project(name, source={**SOURCE, "auth": auth})
    code, message = desk.refused("create_webhook", projectName=name)
    assert (code, message) == (
        "InvalidInputException",
        f"Access denied to connection {resource}",
    )


def test_a_repository_that_the_connection_does_not_reach(desk: Desk) -> None:
    desk.project("elsewhere", "https://github.com/ada/other")
    code, message = desk.refused("create_webhook", projectName="elsewhere")
    assert code == "OAuthProviderException"
    assert message.startswith(NOT_FOUND)
    assert "labs connect github ada/other FOLDER adds the repository" in message
    assert desk.shown("elsewhere") is None


def test_a_token_in_secrets_manager_reaches_no_github(desk: Desk) -> None:
    secret = "arn:aws:secretsmanager:us-west-2:123456789012:secret:github"
    auth = {"type": "SECRETS_MANAGER", "resource": secret}
    desk.project("by-secret", source={**SOURCE, "auth": auth})
    code, message = desk.refused("create_webhook", projectName="by-secret")
    assert code == "NotInSandbox"
    assert "type=CODECONNECTIONS" in message


def test_a_rotated_secret_is_told_once_to_whoever_adds_the_hook(desk: Desk) -> None:
    desk.project("rotated", source=SOURCE)
    made = desk.create("rotated", manualCreation=True)
    assert "url" not in made
    codebuild = desk.room.client("codebuild")
    kept = codebuild.update_webhook(projectName="rotated")["webhook"]
    assert "secret" not in kept
    desk.room.sandbox.control("POST", "clock", {"advance_seconds": 60})
    again = codebuild.update_webhook(projectName="rotated", rotateSecret=True)["webhook"]
    assert again["secret"] != made["secret"]
    assert again["lastModifiedSecret"] > made["lastModifiedSecret"]
    assert again["payloadUrl"] == made["payloadUrl"]
    shown = desk.shown("rotated")
    assert shown == {name: value for name, value in again.items() if name != "secret"}
    files = [path for path in desk.room.sandbox.home.rglob("*") if path.is_file()]
    kept_files = b"".join(path.read_bytes() for path in files)
    assert made["payloadUrl"].encode() in kept_files
    assert made["secret"].encode() not in kept_files
    assert again["secret"].encode() not in kept_files


def test_on_github_a_rotation_has_a_date_and_no_secret(desk: Desk) -> None:
    desk.project("dated")
    made = desk.create("dated")
    desk.room.sandbox.control("POST", "clock", {"advance_seconds": 60})
    codebuild = desk.room.client("codebuild")
    again = codebuild.update_webhook(projectName="dated", rotateSecret=True)["webhook"]
    assert "secret" not in again
    assert again["lastModifiedSecret"] > made["lastModifiedSecret"]
    assert again["url"] == made["url"]


def test_a_branch_filter_and_filter_groups_take_each_others_place(desk: Desk) -> None:
    desk.project("either", source=ENTERPRISE)
    desk.create("either", branchFilter="^main$")
    codebuild = desk.room.client("codebuild")
    grouped = codebuild.update_webhook(projectName="either", filterGroups=[[PUSH]])["webhook"]
    assert "branchFilter" not in grouped
    same = codebuild.update_webhook(projectName="either", buildType="BUILD_BATCH")["webhook"]
    assert same["filterGroups"] == grouped["filterGroups"]
    branch = codebuild.update_webhook(projectName="either", branchFilter="^dev$")["webhook"]
    assert "filterGroups" not in branch
    both = {"branchFilter": "^dev$", "filterGroups": [[PUSH]]}
    code, message = desk.refused("update_webhook", projectName="either", **both)
    assert code == "InvalidInputException"
    assert "branchFilter and filterGroups" in message
    assert desk.shown("either") == branch


def test_a_pattern_is_kept_and_never_run(desk: Desk) -> None:
    desk.project("patterns", source=ENTERPRISE)
    hostile = ["(a+)+$" * 50, "(", r"\p{javaLowerCase}*+", "\n\u2028", "x" * 10_000]
    groups = [[PUSH, {"type": "COMMIT_MESSAGE", "pattern": each}] for each in hostile]
    made = desk.create("patterns", filterGroups=groups)
    assert [group[1]["pattern"] for group in made["filterGroups"]] == hostile


S3 = {"type": "S3", "location": "bucket/source.zip"}
COMMIT = {
    "type": "CODECOMMIT",
    "location": "https://git-codecommit.us-west-2.amazonaws.com/v1/repos/app",
}
PIPELINE = {"source": {"type": "CODEPIPELINE"}, "artifacts": {"type": "CODEPIPELINE"}}


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({}, "NO_SOURCE"),
        ({"source": S3}, "S3"),
        ({"source": COMMIT}, "CODECOMMIT"),
        (PIPELINE, "CODEPIPELINE"),
    ],
)
def test_a_source_that_has_no_webhooks(desk: Desk, changed: dict[str, Any], kind: str) -> None:
    name = f"source-{kind}"
    desk.room.project(name, "true", **changed)
    code, message = desk.refused("create_webhook", projectName=name)
    assert code == "InvalidInputException"
    assert message == f"Invalid input: sourceType {kind} does not support webhooks"


@pytest.mark.parametrize("kind", ["BITBUCKET", "GITLAB", "GITLAB_SELF_MANAGED"])
def test_a_provider_that_is_not_here_is_refused_by_name(desk: Desk, kind: str) -> None:
    name = f"provider-{kind}"
    desk.room.project(name, source={"type": kind, "location": "https://example.com/ada/app"})
    code, message = desk.refused("create_webhook", projectName=name)
    assert code == "NotInSandbox"
    assert kind in message
    assert "AWS" in message


def not_allowed(title: str, events: str, types: str) -> str:
    return (
        f"The following filter types are not allowed for {title} webhook when EVENT is [{events}]: "
        f"[{types}]. Make sure input filter types are supported by all the EVENT types specified."
    )


def group(events: str, *types: str) -> list[list[dict[str, Any]]]:
    filters = [{"type": each, "pattern": ".*"} for each in types]
    return [[{"type": "EVENT", "pattern": events}, *filters]]


ENTERPRISES = "GitHub Enterprise"
WRONG: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("no event", SOURCE, {"filterGroups": [[{"type": "HEAD_REF", "pattern": "x"}]]}, "type EVENT"),
    ("an empty group", SOURCE, {"filterGroups": [[PUSH], []]}, "type EVENT"),
    ("an event of no name", SOURCE, {"filterGroups": group("PUSH,")}, "no EVENT ''"),
    ("a made-up event", SOURCE, {"filterGroups": group("PUSH, PULL")}, "no EVENT 'PULL'"),
    ("an event of GitHub alone", ENTERPRISE, {"filterGroups": group("RELEASED")}, "'RELEASED'"),
    (
        "the base of a push",
        SOURCE,
        {"filterGroups": group("PUSH", "BASE_REF")},
        not_allowed("GitHub", "PUSH", "BASE_REF"),
    ),
    (
        "a filter that one of the events has not",
        SOURCE,
        {"filterGroups": group("PULL_REQUEST_MERGED, PUSH", "BASE_REF", "HEAD_REF", "TAG_NAME")},
        not_allowed("GitHub", "PULL_REQUEST_MERGED, PUSH", "BASE_REF, TAG_NAME"),
    ),
    (
        "the branch of a release",
        SOURCE,
        {"filterGroups": group("RELEASED", "RELEASE_NAME", "HEAD_REF")},
        not_allowed("GitHub", "RELEASED", "HEAD_REF"),
    ),
    (
        "a repository's name outside of an organization",
        SOURCE,
        {"filterGroups": group("WORKFLOW_JOB_QUEUED", "WORKFLOW_NAME", "REPOSITORY_NAME")},
        not_allowed("GitHub", "WORKFLOW_JOB_QUEUED", "REPOSITORY_NAME"),
    ),
    (
        "the files of a pull request on GitHub Enterprise",
        ENTERPRISE,
        {"filterGroups": group("PULL_REQUEST_CREATED", "BASE_REF", "FILE_PATH")},
        not_allowed(ENTERPRISES, "PULL_REQUEST_CREATED", "FILE_PATH"),
    ),
    ("a type of filter that is none", SOURCE, {"filterGroups": group("PUSH", "REF")}, "REF"),
    ("a manual one on Enterprise", ENTERPRISE, {"manualCreation": True}, "manualCreation"),
    ("a runner of Buildkite", SOURCE, {"buildType": "RUNNER_BUILDKITE_BUILD"}, "NO_SOURCE"),
    (
        "a role of GitLab",
        SOURCE,
        {
            "pullRequestBuildPolicy": {
                "requiresCommentApproval": "ALL_PULL_REQUESTS",
                "approverRoles": ["GITHUB_ADMIN", "GITLAB_OWNER"],
            }
        },
        "GITLAB_OWNER",
    ),
    (
        "a location that is no repository",
        {"type": "GITHUB", "location": "https://github.com.example.com/ada/app"},
        {},
        "Invalid project source: source location must be a valid GitHub repository URL",
    ),
]


@pytest.mark.parametrize(
    ("source", "params", "said"), [each[1:] for each in WRONG], ids=[each[0] for each in WRONG]
)
def test_what_codebuild_refuses_before_it_asks_for_a_token(
    desk: Desk, source: dict[str, Any], params: dict[str, Any], said: str
) -> None:
    desk.project("wrong", source=source)
    try:
        code, message = desk.refused("create_webhook", projectName="wrong", **params)
        assert code == "InvalidInputException"
        assert said in message
        assert desk.shown("wrong") is None
    finally:
        desk.room.client("codebuild").delete_project(name="wrong")


def test_a_wrong_update_changes_nothing(desk: Desk) -> None:
    desk.project("unchanged", source=ENTERPRISE)
    made = desk.create("unchanged", filterGroups=[[PUSH]])
    wrong = {"filterGroups": group("PUSH", "BASE_REF"), "rotateSecret": True}
    code, _ = desk.refused("update_webhook", projectName="unchanged", **wrong)
    assert code == "InvalidInputException"
    kept = {name: value for name, value in made.items() if name != "secret"}
    assert desk.shown("unchanged") == kept


def test_with_another_repository_the_webhook_goes(desk: Desk) -> None:
    desk.project("moved", source=ENTERPRISE)
    desk.create("moved")
    codebuild = desk.room.client("codebuild")
    same = codebuild.update_project(name="moved", source={**ENTERPRISE, "buildspec": "b.yml"})
    assert same["project"]["webhook"] == desk.shown("moved")
    other = {**ENTERPRISE, "location": "https://git.example.com/ada/other.git"}
    moved = codebuild.update_project(name="moved", source=other)["project"]
    assert "webhook" not in moved
    code, message = desk.refused("update_webhook", projectName="moved")
    assert code == "ResourceNotFoundException"
    assert message == f"Webhook cannot be found: {ARN}moved"


@pytest.mark.parametrize("operation", ["create_webhook", "update_webhook", "delete_webhook"])
def test_a_project_that_is_not_there(desk: Desk, operation: str) -> None:
    code, message = desk.refused(operation, projectName="nowhere")
    assert code == "ResourceNotFoundException"
    assert message == f"Project cannot be found: {ARN}nowhere"


def test_iam_decides_on_the_project(desk: Desk) -> None:
    desk.project("mine", source=ENTERPRISE)
    desk.project("theirs", source=ENTERPRISE)
    actions = [f"codebuild:{name}Webhook" for name in ("Create", "Update", "Delete")]
    client = People(desk.room.sandbox).make("ann", allow(*actions, on=f"{ARN}mine"))
    codebuild = client.client("codebuild")
    assert codebuild.create_webhook(projectName="mine")["webhook"]["secret"]
    assert codebuild.update_webhook(projectName="mine", branchFilter="x")["webhook"]
    codebuild.delete_webhook(projectName="mine")
    for operation in ("create_webhook", "update_webhook", "delete_webhook"):
        _, code, message = refusal_of(codebuild, operation, projectName="theirs")
        assert code == "AccessDeniedException"
        assert f"on resource: {ARN}theirs" in message


def test_a_webhook_is_there_after_a_restart(tmp_path: Path) -> None:
    room = Room(sandbox_process.start(tmp_path))
    room.role("builder", LOGS)
    desk = Desk(room, "")
    desk.project("kept", source=ENTERPRISE)
    desk.create("kept", filterGroups=[[PUSH]])
    before = desk.shown("kept")
    room.sandbox.process.kill()
    room.sandbox.process.wait(30)
    room.sandbox = sandbox_process.start(tmp_path)
    assert desk.shown("kept") == before
    assert desk.refused("create_webhook", projectName="kept")[0] == "ResourceAlreadyExistsException"
    room.sandbox.stop()
