"""Real git, with `aws codecommit credential-helper`, against repositories of CodeCommit."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.labs.commands import Commands
from tests.policies import allow, deny, policy
from tests.sandbox.codecommit import git_room
from tests.sandbox.codecommit.git_room import HOST, URL, Person
from tests.sandbox.sandbox_process import Running, keys_of

ACCOUNT = "123456789012"


@pytest.fixture
def ada(sandbox: Running, tmp_path: Path, commands: Commands) -> Person:
    return git_room.learner(sandbox, tmp_path / "ada", commands.folder)


def other(ada: Person, name: str, *statements: dict[str, Any]) -> Person:
    """A user with a key and these rights."""
    home = ada.home.with_name(name)
    home.mkdir(exist_ok=True)
    iam = ada.sandbox.client("iam")
    iam.create_user(UserName=name)
    document = policy(*statements)
    iam.put_user_policy(UserName=name, PolicyName="rights", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return replace(ada, home=home, keys=keys_of(key))


def test_a_push_is_what_the_api_shows_and_what_a_clone_gets(sandbox: Running, ada: Person) -> None:
    plain = replace(ada, quick=None)
    asked = plain.run("aws", "codecommit", "create-repository", "--repository-name", "app")
    assert asked.stderr == ""
    made = json.loads(asked.stdout)["repositoryMetadata"]
    assert made["cloneUrlHttp"] == f"{URL}/app"
    assert made["Arn"] == f"arn:aws:codecommit:us-west-2:{ACCOUNT}:app"
    assert "defaultBranch" not in made
    plain.git("clone", "-q", made["cloneUrlHttp"], "app")
    work = ada.home / "app"
    ada.git("checkout", "-qb", "trunk", cwd=work)
    first = ada.commit(work, "src/page.html", "one")
    (work / "src" / "run.sh").write_text("#!/bin/sh\n")
    (work / "src" / "run.sh").chmod(0o755)
    (work / "link").symlink_to("src/page.html")
    last = ada.commit(work, "large.bin", "x" * 3_000_000)
    ada.git("tag", "v1", cwd=work)
    ada.git("push", "-q", "origin", "trunk", "v1", cwd=work)

    api = sandbox.client("codecommit")
    found = api.get_repository(repositoryName="app")["repositoryMetadata"]
    assert found["defaultBranch"] == "trunk"
    assert found["lastModifiedDate"] > found["creationDate"]
    assert api.get_branch(repositoryName="app", branchName="trunk")["branch"]["commitId"] == last
    commit = api.get_commit(repositoryName="app", commitId=last)["commit"]
    assert commit["message"] == "write large.bin\n"
    assert (commit["author"]["name"], commit["author"]["email"]) == ("Ada", "ada@example.com")
    assert commit["parents"] == [first]
    file = api.get_file(repositoryName="app", filePath="src/page.html")
    assert (file["fileContent"], file["fileMode"]) == (b"one", "NORMAL")
    assert api.get_blob(repositoryName="app", blobId=file["blobId"])["content"] == b"one"
    folder = api.get_folder(repositoryName="app", folderPath="/", commitSpecifier="v1")
    assert [each["relativePath"] for each in folder["subFolders"]] == ["src"]
    assert [each["relativePath"] for each in folder["symbolicLinks"]] == ["link"]
    inside = api.get_folder(repositoryName="app", folderPath="src")
    assert {each["absolutePath"]: each["fileMode"] for each in inside["files"]} == {
        "src/page.html": "NORMAL",
        "src/run.sh": "EXECUTABLE",
    }

    ada.git("clone", "-q", f"{URL}/app", "again")
    assert ada.git("rev-parse", "--abbrev-ref", "HEAD", cwd=ada.home / "again") == "trunk"
    assert (ada.home / "again" / "src" / "page.html").read_text() == "one"
    ada.git("clone", "-q", "--depth", "1", f"{URL}/app", "shallow")
    assert ada.git("rev-list", "--count", "HEAD", cwd=ada.home / "shallow") == "1"
    newest = ada.commit(work, "src/page.html", "two")
    ada.git("push", "-q", "origin", "trunk", cwd=work)
    ada.git("pull", "-q", cwd=ada.home / "again")
    assert ada.git("rev-parse", "HEAD", cwd=ada.home / "again") == newest


def test_iam_decides_pull_and_push_and_which_branch(sandbox: Running, ada: Person) -> None:
    arn = f"arn:aws:codecommit:us-west-2:{ACCOUNT}:shared"
    sandbox.client("codecommit").create_repository(repositoryName="shared")
    ada.git("init", "-qb", "main", "shared")
    ada.commit(ada.home / "shared", "a", "a")
    ada.git("push", "-q", f"{URL}/shared", "main", cwd=ada.home / "shared")

    nobody = other(ada, "eve", allow("s3:*"))
    said = nobody.refused("clone", f"{URL}/shared")
    assert "error: 403" in said
    assert f"is not authorized to perform: codecommit:GitPull on resource: {arn}" in said

    reader = other(ada, "rea", allow("codecommit:GitPull", on=arn))
    reader.git("clone", "-q", f"{URL}/shared", "shared")
    reader.commit(reader.home / "shared", "b", "b")
    said = reader.refused("push", "-q", "origin", "main", cwd=reader.home / "shared")
    assert "error: 403" in said
    assert "codecommit:GitPush" in said

    condition = {
        "StringEqualsIfExists": {"codecommit:References": ["refs/heads/main"]},
        "Null": {"codecommit:References": "false"},
    }
    rights = (
        allow("codecommit:GitPull", "codecommit:GitPush", on=arn),
        deny("codecommit:GitPush", on=arn, Condition=condition),
    )
    junior = other(ada, "jo", *rights)
    junior.git("clone", "-q", f"{URL}/shared", "shared")
    mine = junior.commit(junior.home / "shared", "c", "c")
    said = junior.refused("push", "origin", "main", cwd=junior.home / "shared")
    assert "[remote rejected] main -> main" in said
    assert "explicit deny" in said
    junior.git("push", "-q", "origin", "HEAD:feature", cwd=junior.home / "shared")
    branch = sandbox.client("codecommit").get_branch(repositoryName="shared", branchName="feature")
    assert branch["branch"]["commitId"] == mine


def test_a_role_session_pulls_and_a_wrong_signature_does_not(sandbox: Running, ada: Person) -> None:
    sandbox.client("codecommit").create_repository(repositoryName="roles")
    trust = policy({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"})
    iam = sandbox.client("iam")
    role = iam.create_role(RoleName="puller", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    rights = policy(allow("codecommit:GitPull"))
    iam.put_role_policy(RoleName="puller", PolicyName="rights", PolicyDocument=rights)
    taken = sandbox.client("sts").assume_role(RoleArn=role, RoleSessionName="session")[
        "Credentials"
    ]
    session = replace(ada, keys=keys_of(taken))
    assert session.git("ls-remote", f"{URL}/roles") == ""

    wrong = replace(ada, keys={**keys_of(taken), "aws_secret_access_key": "x" * 40})
    said = wrong.refused("ls-remote", f"{URL}/roles")
    assert "the signature does not match" in said
    cut = {name: value for name, value in keys_of(taken).items() if "token" not in name}
    said = replace(ada, keys=cut).refused("ls-remote", f"{URL}/roles")
    assert "session token" in said


def test_a_repository_that_is_not_there(ada: Person) -> None:
    assert "not found" in ada.refused("clone", f"{URL}/nowhere")


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/v1/repos/x/info/refs?service=git-upload-pack", {}, 401),
        ("/v1/repos/x/info/refs", {}, 403),
        ("/v1/repos/x/objects/info/packs", {}, 404),
        ("/v1/repos/../x/info/refs?service=git-upload-pack", {}, 404),
        ("/v1/repos/x/info/refs?service=git-upload-archive", {}, 403),
        (
            "/v1/repos/x/info/refs?service=git-upload-pack",
            {"Authorization": "Basic " + base64.b64encode(b"key:password").decode()},
            403,
        ),
        ("/v1/repos/x/info/refs?service=git-upload-pack", {"Authorization": "Basic %"}, 403),
    ],
)
def test_who_does_not_ask_as_git_does_is_refused(
    sandbox: Running, path: str, headers: dict[str, str], status: int
) -> None:
    assert sandbox.ask("GET", path, headers={"Host": HOST, **headers})[0] == status


def test_what_would_harm_a_repository_is_refused(sandbox: Running, ada: Person) -> None:
    api = sandbox.client("codecommit")
    api.create_repository(repositoryName="safe")
    ada.git("init", "-qb", "main", "safe")
    work = ada.home / "safe"
    ada.commit(work, "a", "a")
    ada.git("push", "-q", f"{URL}/safe", "main", cwd=work)
    said = ada.refused("push", f"{URL}/safe", ":main", cwd=work)
    assert "the default branch cannot be deleted" in said
    said = ada.refused("push", f"{URL}/safe", "HEAD:refs/hidden/x", cwd=work)
    assert "branches and tags" in said
    blob = ada.git("rev-parse", "HEAD:a", cwd=work)
    ada.git("tag", "blob", blob, cwd=work)
    ada.git("push", "-q", f"{URL}/safe", "blob", cwd=work)
    with pytest.raises(ClientError, match="CommitDoesNotExist"):
        api.get_folder(repositoryName="safe", folderPath="/", commitSpecifier="blob")


def test_the_urls_of_git_remote_codecommit_stay_in_the_sandbox(
    sandbox: Running, ada: Person, tmp_path: Path
) -> None:
    """A program of that name, which would speak to AWS, notes that git has started it."""
    sandbox.client("codecommit").create_repository(repositoryName="by-helper")
    programs, noted = tmp_path / "programs", tmp_path / "noted"
    programs.mkdir()
    helper = programs / "git-remote-codecommit"
    helper.write_text(f"#!/bin/sh\necho started > {noted}\nexit 1\n")
    helper.chmod(0o755)
    leads = replace(ada, extra_path=programs)
    for url in ("codecommit::us-west-2://by-helper", "codecommit://by-helper"):
        assert leads.run("git", "ls-remote", url).returncode == 0, url
    refused = leads.run("git", "ls-remote", "codecommit::eu-west-1://by-helper")
    assert "transport 'codecommit' not allowed" in refused.stderr
    assert not noted.exists()
