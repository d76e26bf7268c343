"""The real ``aws`` command against the services that are not ECR, and with keys that are wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.labs.commands import Commands
from tests.policies import policy
from tests.sandbox import sandbox_process
from tests.sandbox.sandbox_process import Running

Aws = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = sandbox_process.start(tmp_path_factory.mktemp("labs"))
    yield running
    running.stop()


@pytest.fixture
def aws(sandbox: Running, tmp_path: Path, commands: Commands) -> Aws:
    """``aws("sts", "get-caller-identity")`` as the learner, without retries.

    A fork of what has imported the program; test_aws_ecr.py and test_aws_launcher.py start it.
    """
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "AWS_ENDPOINT_URL": sandbox.url,
        "AWS_REGION": "us-west-2",
        "AWS_DEFAULT_REGION": "us-west-2",
        "AWS_ACCESS_KEY_ID": sandbox.learner["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": sandbox.learner["secret_access_key"],
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_PAGER": "",
    }

    def run(*arguments: str, **changed: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [commands.folder / "aws", *arguments],
            env=environment | changed,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


def test_the_learner_asks_who_they_are(aws: Aws) -> None:
    done = aws("sts", "get-caller-identity")
    assert done.stderr == ""
    assert json.loads(done.stdout)["Arn"] == "arn:aws:iam::123456789012:user/learner"


def test_the_lines_of_the_iam_lab(aws: Aws) -> None:
    policy = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryFullAccess"
    attach = ("iam", "attach-user-policy", "--user-name", "learner", "--policy-arn", policy)
    assert aws(*attach).returncode == 0
    listed = aws("iam", "list-attached-user-policies", "--user-name", "learner")
    assert policy in listed.stdout
    users = json.loads(aws("iam", "list-users").stdout)["Users"]
    assert [user["UserName"] for user in users] == ["learner"]


def test_a_file_goes_to_s3_and_comes_back(aws: Aws, tmp_path: Path) -> None:
    (tmp_path / "here.txt").write_text("hello\n")
    assert aws("s3", "mb", "s3://learner-files").stdout == "make_bucket: learner-files\n"
    assert aws("s3", "cp", "here.txt", "s3://learner-files/a b/there+é.txt").returncode == 0
    assert "a b/there+é.txt" in aws("s3", "ls", "s3://learner-files", "--recursive").stdout
    assert aws("s3", "cp", "s3://learner-files/a b/there+é.txt", "-").stdout == "hello\n"


def test_a_presigned_url_of_s3_opens(aws: Aws, sandbox: Running, tmp_path: Path) -> None:
    (tmp_path / "here.txt").write_text("hello\n")
    # without this, version 1 of the command signs URLs the old way
    (tmp_path / "config").write_text("[default]\ns3 =\n  signature_version = s3v4\n")
    aws("s3", "mb", "s3://presigned")
    aws("s3", "cp", "here.txt", "s3://presigned/there.txt")
    config = str(tmp_path / "config")
    url = aws("s3", "presign", "s3://presigned/there.txt", AWS_CONFIG_FILE=config).stdout.strip()
    status, _, body = sandbox.ask("GET", url.removeprefix(sandbox.url))
    assert (status, body) == (200, b"hello\n")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("ec2", "describe-instances"), {"Reservations": []}),
        (("logs", "describe-log-groups"), {"logGroups": []}),
        (("codebuild", "list-projects"), {"projects": []}),
    ],
)
def test_other_services_answer(
    aws: Aws, arguments: tuple[str, ...], told: dict[str, object]
) -> None:
    done = aws(*arguments)
    assert done.stderr == ""
    assert json.loads(done.stdout) == told


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("sts", "get-caller-identity"), "InvalidClientTokenId"),
        (("ecr", "describe-repositories"), "UnrecognizedClientException"),
        (("s3", "ls"), "InvalidAccessKeyId"),
        (("ec2", "describe-instances"), "AuthFailure"),
        (("codebuild", "list-projects"), "UnrecognizedClientException"),
    ],
)
def test_an_unknown_key_is_refused(aws: Aws, arguments: tuple[str, ...], code: str) -> None:
    done = aws(*arguments, AWS_ACCESS_KEY_ID="AKIAIOSFODNN7EXAMPLE")
    assert done.returncode != 0
    assert f"({code})" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("sts", "get-caller-identity"), "SignatureDoesNotMatch"),
        (("ecr", "describe-repositories"), "InvalidSignatureException"),
        (("s3", "ls"), "SignatureDoesNotMatch"),
    ],
)
def test_a_wrong_secret_is_refused(aws: Aws, arguments: tuple[str, ...], code: str) -> None:
    done = aws(*arguments, AWS_SECRET_ACCESS_KEY="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    assert done.returncode != 0
    assert f"({code})" in done.stderr


def test_what_the_sandbox_does_not_have_is_named(aws: Aws) -> None:
    done = aws("codepipeline", "list-webhooks")
    assert "(NotInSandbox)" in done.stderr
    assert "codepipeline:ListWebhooks" in done.stderr


GROUPS = [
    [
        {"type": "EVENT", "pattern": "PULL_REQUEST_CREATED, PULL_REQUEST_UPDATED"},
        {"type": "BASE_REF", "pattern": "^refs/heads/main$", "excludeMatchedPattern": True},
    ],
    [{"type": "EVENT", "pattern": "PUSH"}],
]


def test_a_webhook_is_made_changed_and_deleted(aws: Aws) -> None:
    builds = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    trust = policy({**builds, "Principal": {"Service": "codebuild.amazonaws.com"}})
    aws("iam", "create-role", "--role-name", "builds", "--assume-role-policy-document", trust)
    project = {
        "name": "my-project",
        "source": {"type": "GITHUB", "location": "https://github.com/ada/app.git"},
        "artifacts": {"type": "NO_ARTIFACTS"},
        "environment": {
            "type": "LINUX_CONTAINER",
            "computeType": "BUILD_GENERAL1_SMALL",
            "image": "aws/codebuild/standard:7.0",
        },
        "serviceRole": "arn:aws:iam::123456789012:role/builds",
    }
    made = aws("codebuild", "create-project", "--cli-input-json", json.dumps(project))
    assert made.stderr == ""
    named = ("--project-name", "my-project")
    tokenless = aws("codebuild", "create-webhook", *named)
    assert "(ResourceNotFoundException)" in tokenless.stderr
    assert "Access token not found in CodeBuild project for server type github" in tokenless.stderr
    groups = ("--manual-creation", "--filter-groups", json.dumps(GROUPS))
    hook = json.loads(aws("codebuild", "create-webhook", *named, *groups).stdout)["webhook"]
    asked = ("--names", "my-project", "--query", "projects[0].webhook")
    shown = json.loads(aws("codebuild", "batch-get-projects", *asked).stdout)
    assert shown == {name: value for name, value in hook.items() if name != "secret"}
    rotated = aws("codebuild", "update-webhook", *named, "--rotate-secret").stdout
    assert json.loads(rotated)["webhook"]["secret"] != hook["secret"]
    deleted = aws("codebuild", "delete-webhook", *named)
    assert (deleted.returncode, deleted.stdout, deleted.stderr) == (0, "", "")
    assert json.loads(aws("codebuild", "batch-get-projects", *asked).stdout) is None
    aws("codebuild", "delete-project", "--name", "my-project")
