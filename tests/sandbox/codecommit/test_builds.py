"""Builds whose source is in git: CodeCommit with the role's rights, and a connected folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.labs.commands import Commands
from tests.policies import allow, policy
from tests.sandbox.authorization.people_here import refusal_of
from tests.sandbox.codebuild import build_room
from tests.sandbox.codebuild.build_room import Room, context
from tests.sandbox.codecommit import git_room
from tests.sandbox.codecommit.git_room import URL, Person

SHOW = (
    'echo "has $(cat words) $(git rev-list --count HEAD) $(git remote get-url origin)"',
    'echo "is $CODEBUILD_RESOLVED_SOURCE_VERSION $CODEBUILD_SOURCE_REPO_URL"',
)


@dataclass
class Desk:
    """A room with a repository of two commits, of which the first has the tag v1."""

    room: Room
    ada: Person
    folder: Path
    first: str
    last: str

    def may(self, *statements: dict[str, Any]) -> None:
        """The rights of the builds' role beside logs; none takes them away."""
        iam = self.room.client("iam")
        if statements:
            document = policy(*statements)
            iam.put_role_policy(RoleName="builder", PolicyName="git", PolicyDocument=document)
        else:
            iam.delete_role_policy(RoleName="builder", PolicyName="git")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, commands: Commands) -> Iterator[Desk]:
    room = build_room.begin(tmp_path_factory.mktemp("labs"))
    room.client("codecommit").create_repository(repositoryName="app")
    ada = git_room.learner(room.sandbox, tmp_path_factory.mktemp("ada"), commands.folder)
    ada.git("init", "-qb", "main", "app")
    folder = ada.home / "app"
    first = ada.commit(folder, "words", "one")
    ada.git("tag", "v1", cwd=folder)
    last = ada.commit(folder, "words", "two")
    ada.git("push", "-q", f"{URL}/app", "main", "v1", cwd=folder)
    spec = '{"version": 0.2, "phases": {"build": {"commands": ["%s"]}}}'
    commands_of_build = '", "'.join(each.replace('"', '\\"') for each in SHOW)
    source = {"type": "CODECOMMIT", "location": f"{URL}/app"}
    room.project("app", source={**source, "buildspec": spec % commands_of_build})
    yield Desk(room, ada, folder, first, last)
    room.stop_runner()
    room.sandbox.stop()


def test_a_build_clones_with_the_rights_of_its_role(desk: Desk) -> None:
    refused = desk.room.run("app")
    assert refused["buildStatus"] == "FAILED"
    code, message = context(refused, "DOWNLOAD_SOURCE")
    assert code == "CLIENT_ERROR"
    assert "codecommit:GitPull" in message
    assert message.endswith("for primary source")

    desk.may(allow("codecommit:GitPull"))
    built = desk.room.run("app")
    assert built["buildStatus"] == "SUCCEEDED"
    assert built["resolvedSourceVersion"] == desk.last
    log = desk.room.log(built["id"])
    assert f"has two 2 {URL}/app\n" in log
    assert f"is {desk.last} {URL}/app\n" in log


@pytest.mark.parametrize(
    ("version", "depth", "shown"),
    [("main", 1, "has two 1 "), ("v1", 0, "has one 1 "), ("FIRST", 1, "has one 1 ")],
)
def test_a_build_takes_a_branch_a_tag_or_a_commit(
    desk: Desk, version: str, depth: int, shown: str
) -> None:
    desk.may(allow("codecommit:GitPull"))
    wanted = {"FIRST": desk.first}.get(version, version)
    built = desk.room.run("app", sourceVersion=wanted, gitCloneDepthOverride=depth)
    assert built["buildStatus"] == "SUCCEEDED"
    assert built["sourceVersion"] == wanted
    assert shown in desk.room.log(built["id"])


def test_a_version_that_is_not_there(desk: Desk) -> None:
    desk.may(allow("codecommit:GitPull"))
    failed = desk.room.run("app", sourceVersion="--upload-pack=touch /tmp/x")
    assert failed["buildStatus"] == "FAILED"
    assert "reference not found: --upload-pack" in context(failed, "DOWNLOAD_SOURCE")[1]


def test_a_connected_folder_stands_for_a_repository_on_github(desk: Desk) -> None:
    room = desk.room
    made = room.client("codeconnections").create_connection(
        ProviderType="GitHub", ConnectionName="github"
    )
    arn = made["ConnectionArn"]
    url = "https://github.com/ada/app.git"
    auth = {"type": "CODECONNECTIONS", "resource": arn}
    override = {
        "sourceTypeOverride": "GITHUB",
        "sourceLocationOverride": url,
        "sourceAuthOverride": auth,
    }
    desk.may()
    refused = room.run("app", **override)
    assert "codeconnections:GetConnection" in context(refused, "DOWNLOAD_SOURCE")[1]
    desk.may(allow("codeconnections:GetConnection", "codeconnections:GetConnectionToken", on=arn))
    waiting = room.run("app", **override)
    assert "its status is PENDING" in context(waiting, "DOWNLOAD_SOURCE")[1]
    sent = {"connection": "github", "repository": "ada/app", "folder": str(desk.folder)}
    assert room.sandbox.control("POST", "connections", sent)[0] == 200
    built = room.run("app", **override, sourceVersion="v1")
    assert built["buildStatus"] == "SUCCEEDED"
    assert built["resolvedSourceVersion"] == desk.first
    assert f"has one 1 {url}\n" in room.log(built["id"])
    requested = room.run("app", **override, sourceVersion="pr/1")
    assert "no pull requests" in context(requested, "DOWNLOAD_SOURCE")[1]


def test_hostile_settings_of_a_connected_folder_run_nothing(desk: Desk, tmp_path: Path) -> None:
    desk.ada.git("clone", "-q", str(desk.folder), "hostile")
    folder, ran = desk.ada.home / "hostile", tmp_path / "ran"
    for key in ("core.fsmonitor", "core.sshCommand", "uploadpack.packObjectsHook"):
        desk.ada.git("config", key, f"touch {ran}", cwd=folder)
    for hook in ("post-checkout", "pre-auto-gc", "reference-transaction"):
        path = folder / ".git" / "hooks" / hook
        path.write_text(f"#!/bin/sh\ntouch {ran}\n")
        path.chmod(0o755)
    room = desk.room
    made = room.client("codeconnections").create_connection(
        ProviderType="GitHub", ConnectionName="hostile"
    )
    arn = made["ConnectionArn"]
    desk.may(allow("codeconnections:GetConnection*", on=arn))
    sent = {"connection": "hostile", "repository": "eve/app", "folder": str(folder)}
    assert room.sandbox.control("POST", "connections", sent)[0] == 200
    ran.unlink(missing_ok=True)
    built = room.run(
        "app",
        sourceTypeOverride="GITHUB",
        sourceLocationOverride="https://github.com/eve/app",
        sourceAuthOverride={"type": "CODECONNECTIONS", "resource": arn},
    )
    assert built["buildStatus"] == "SUCCEEDED"
    assert not ran.exists()


@pytest.mark.parametrize("location", ["app", "https://git-codecommit.us-west-2.amazonaws.com/app"])
def test_a_location_that_is_none(desk: Desk, location: str) -> None:
    _, code, message = refusal_of(
        desk.room.client("codebuild"),
        "create_project",
        name="wrong",
        source={"type": "CODECOMMIT", "location": location},
        artifacts={"type": "NO_ARTIFACTS"},
        environment=build_room.LINUX,
        serviceRole=build_room.ROLE,
    )
    assert code == "InvalidInputException"
    assert "cloneUrlHttp" in message
