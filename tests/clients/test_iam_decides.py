"""The real aws, docker and skopeo, as users who may do some things and not others."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from labs_helpers.engine.server import make_server
from tests.clients.test_skopeo import write_layout
from tests.engine.engine_room import require
from tests.sandbox import sandbox_process
from tests.sandbox.authorization.people_here import (
    ACCOUNT,
    DEMO,
    MANAGED,
    OTHER,
    People,
    Person,
    allow,
    no_policy,
    policy,
)
from tests.sandbox.sandbox_process import REGION, Running

HOST = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
PULL_ONLY = "AmazonEC2ContainerRegistryPullOnly"
POWER_USER = "AmazonEC2ContainerRegistryPowerUser"


@dataclass
class Shell:
    """Commands of one user: `aws`, `docker` on the labs engine, `skopeo` on the port."""

    person: Person
    folder: Path
    socket: Path

    def run(self, *command: str | Path, given: str = "") -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.folder),
            "DOCKER_HOST": f"unix://{self.socket}",
            "DOCKER_CONFIG": str(self.folder / "docker"),
            "DOCKER_BUILDKIT": "0",
            "NO_PROXY": "127.0.0.1",
            "AWS_ENDPOINT_URL": self.person.sandbox.url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_PAGER": "",
            **{name.upper(): value for name, value in self.person.key.items()},
        }
        return subprocess.run(
            list(map(str, command)),
            env=environment,
            cwd=self.folder,
            input=given,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def login(self, host: str = HOST) -> None:
        password = self.run("aws", "ecr", "get-login-password")
        assert password.returncode == 0, password.stderr
        done = self.run(
            *("docker", "login", "--username", "AWS", "--password-stdin", host),
            given=password.stdout,
        )
        assert done.returncode == 0, done.stderr

    def docker(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run("docker", *arguments)


@dataclass
class Street:
    """One sandbox, an engine before it, and a shell for whoever is asked for."""

    sandbox: Running
    folder: Path
    socket: Path

    def shell(self, person: Person) -> Shell:
        folder = self.folder / person.account / person.name
        folder.mkdir(parents=True, exist_ok=True)
        return Shell(person, folder, self.socket)

    @property
    def people(self) -> People:
        return People(self.sandbox)


@pytest.fixture(scope="module")
def street() -> Iterator[Street]:
    require("docker")
    folder = Path(tempfile.mkdtemp(prefix="labs"))
    sandbox = sandbox_process.start(folder / "home")
    patterns = ["*.dkr.ecr.*.amazonaws.com", "docker.io", "registry-1.docker.io", "auth.docker.io"]
    hosts = [{"pattern": pattern, "address": sandbox.url} for pattern in patterns]
    registries = folder / "registries.json"
    registries.write_text(json.dumps({"hosts": hosts, "offline": True}))
    server = make_server(folder / "d.sock", folder / "engine", registries)
    server.expiration_interval = 0.02
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    ecr = sandbox.client("ecr")
    for name in ("demo", "other", "shared"):
        ecr.create_repository(repositoryName=name)
    yield Street(sandbox, folder, folder / "d.sock")
    server.stop()
    thread.join()
    server.backend.store.close()
    sandbox.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def nobody(street: Street) -> Person:
    return street.people.make("nobody")


@pytest.fixture(scope="module")
def pusher(street: Street) -> Shell:
    """A user with the managed policy PowerUser, and an image to push."""
    shell = street.shell(street.people.make("pusher", managed=(POWER_USER,)))
    shell.login()
    assert shell.docker("pull", "alpine:3.15").returncode == 0
    for name in ("demo", "other", "shared"):
        shell.docker("tag", "alpine:3.15", f"{HOST}/{name}:v1")
    return shell


def denied(action: str, resource: str, person: Person) -> str:
    return f"denied: {no_policy(person.arn, action, resource)}"


class TestAws:
    def test_without_a_policy_there_is_no_password(self, street: Street) -> None:
        shell = street.shell(street.people.make("bare"))
        done = shell.run("aws", "ecr", "get-login-password")
        assert done.returncode != 0
        assert done.stderr.strip().endswith(
            "An error occurred (AccessDeniedException) when calling the GetAuthorizationToken "
            f"operation: {no_policy(shell.person.arn, 'ecr:GetAuthorizationToken', '*')}"
        )

    def test_attaching_the_managed_policy_gives_it(self, street: Street) -> None:
        shell = street.shell(street.people.make("later"))
        assert shell.run("aws", "ecr", "get-login-password").returncode != 0
        street.sandbox.client("iam").attach_user_policy(
            UserName="later", PolicyArn=f"{MANAGED}/{PULL_ONLY}"
        )
        assert shell.run("aws", "ecr", "get-login-password").returncode == 0

    @pytest.mark.parametrize(
        ("command", "code", "operation", "action", "resource"),
        [
            (("iam", "list-users"), "AccessDenied", "ListUsers", "iam:ListUsers",
             f"arn:aws:iam::{ACCOUNT}:user/"),
            (("s3", "ls", "s3://any"), "AccessDenied", "ListObjectsV2", "s3:ListBucket",
             '"arn:aws:s3:::any"'),
            (("ecs", "list-clusters"), "AccessDeniedException", "ListClusters",
             "ecs:ListClusters", "*"),
        ],
    )  # fmt: skip
    def test_the_command_shows_the_sentence(
        self,
        street: Street,
        nobody: Person,
        command: tuple[str, ...],
        code: str,
        operation: str,
        action: str,
        resource: str,
    ) -> None:
        done = street.shell(nobody).run("aws", *command)
        assert done.stderr.strip().endswith(
            f"An error occurred ({code}) when calling the {operation} operation: "
            f"{no_policy(nobody.arn, action, resource)}"
        )


class TestDocker:
    def test_a_power_user_pushes_and_pulls(self, pusher: Shell) -> None:
        pushed = pusher.docker("push", f"{HOST}/demo:v1")
        assert pushed.returncode == 0, pushed.stderr
        pulled = pusher.docker("pull", f"{HOST}/demo:v1")
        assert pulled.returncode == 0, pulled.stderr

    def test_a_power_user_deletes_no_repository(self, pusher: Shell) -> None:
        done = pusher.run("aws", "ecr", "delete-repository", "--repository-name", "demo")
        assert no_policy(pusher.person.arn, "ecr:DeleteRepository", DEMO) in done.stderr

    def test_pull_only_pulls_and_does_not_push(self, street: Street, pusher: Shell) -> None:
        assert pusher.docker("push", f"{HOST}/demo:v1").returncode == 0
        shell = street.shell(street.people.make("puller", managed=(PULL_ONLY,)))
        shell.login()
        pulled = shell.docker("pull", f"{HOST}/demo:v1")
        assert pulled.returncode == 0, pulled.stderr
        pushed = shell.docker("push", f"{HOST}/other:v1")
        other = DEMO.replace("demo", "other")
        assert pushed.returncode == 1
        assert pushed.stderr.strip() in (
            denied("ecr:InitiateLayerUpload", other, shell.person),
            denied("ecr:BatchCheckLayerAvailability", other, shell.person),
        )

    def test_a_policy_of_one_repository_pushes_there_and_nowhere_else(
        self, street: Street, pusher: Shell
    ) -> None:
        # https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
        least = allow(
            "ecr:CompleteLayerUpload",
            "ecr:UploadLayerPart",
            "ecr:InitiateLayerUpload",
            "ecr:BatchCheckLayerAvailability",
            "ecr:PutImage",
            "ecr:BatchGetImage",
            on=DEMO,
        )
        person = street.people.make("ci", allow("ecr:GetAuthorizationToken"), least)
        shell = street.shell(person)
        shell.login()
        pushed = shell.docker("push", f"{HOST}/demo:v1")
        assert pushed.returncode == 0, pushed.stderr
        elsewhere = shell.docker("push", f"{HOST}/other:v1")
        assert elsewhere.returncode == 1
        assert "because no identity-based policy allows the ecr:" in elsewhere.stderr

    def test_detaching_the_policy_stops_the_next_push(self, street: Street, pusher: Shell) -> None:
        shell = street.shell(street.people.make("leaver", managed=(POWER_USER,)))
        shell.login()
        assert shell.docker("push", f"{HOST}/shared:v1").returncode == 0
        street.sandbox.client("iam").detach_user_policy(
            UserName="leaver", PolicyArn=f"{MANAGED}/{POWER_USER}"
        )
        stopped = shell.docker("push", f"{HOST}/shared:v1")
        assert stopped.returncode == 1
        assert f"User: {shell.person.arn} is not authorized to perform: ecr:" in stopped.stderr

    def test_a_user_deleted_after_the_login_is_refused(self, street: Street, pusher: Shell) -> None:
        shell = street.shell(street.people.make("gone", managed=(PULL_ONLY,)))
        shell.login()
        iam = street.sandbox.client("iam")
        iam.detach_user_policy(UserName="gone", PolicyArn=f"{MANAGED}/{PULL_ONLY}")
        iam.delete_access_key(UserName="gone", AccessKeyId=shell.person.key["aws_access_key_id"])
        iam.delete_user(UserName="gone")
        pulled = shell.docker("pull", f"{HOST}/demo:v1")
        assert pulled.returncode == 1
        assert "denied: Your Authorization Token is invalid." in pulled.stderr

    def test_an_explicit_deny_is_told_as_such(self, street: Street, pusher: Shell) -> None:
        deny = {"Effect": "Deny", "Action": "ecr:PutImage", "Resource": DEMO}
        person = street.people.make("noput", deny, managed=(POWER_USER,))
        shell = street.shell(person)
        shell.login()
        pushed = shell.docker("push", f"{HOST}/demo:v1")
        assert pushed.stderr.strip() == (
            f"denied: User: {person.arn} is not authorized to perform: ecr:PutImage on resource: "
            f"{DEMO} with an explicit deny in an identity-based policy"
        )


class TestAcrossAccounts:
    def test_a_repository_policy_lets_another_account_pull(
        self, street: Street, pusher: Shell
    ) -> None:
        assert pusher.docker("push", f"{HOST}/shared:v1").returncode == 0
        visitor = street.people.of_account(OTHER)
        shell = street.shell(visitor)
        shell.login()
        arn = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/shared"
        refused = shell.docker("pull", f"{HOST}/shared:v1")
        assert (
            f"User: {visitor.arn} is not authorized to perform: ecr:BatchGetImage on resource: "
            f"{arn} because no resource-based policy allows the ecr:BatchGetImage action"
        ) in refused.stderr
        document = policy(
            {
                "Sid": "pull",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{OTHER}:root"},
                "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            }
        )
        street.sandbox.client("ecr").set_repository_policy(
            repositoryName="shared", policyText=document
        )
        pulled = shell.docker("pull", f"{HOST}/shared:v1")
        assert pulled.returncode == 0, pulled.stderr
        pushed = shell.docker("push", f"{HOST}/shared:v1")
        assert "because no resource-based policy allows the ecr:" in pushed.stderr


class TestSkopeo:
    def copy(self, shell: Shell, *more: str) -> subprocess.CompletedProcess[str]:
        return shell.run("skopeo", "--insecure-policy", "copy", *more)

    def token(self, shell: Shell) -> str:
        data = shell.person.client("ecr").get_authorization_token()["authorizationData"][0]
        return base64.b64decode(data["authorizationToken"]).decode()

    def test_the_managed_policies_do_what_they_say(self, street: Street) -> None:
        require("skopeo")
        power = street.shell(street.people.make("power2", managed=(POWER_USER,)))
        pull = street.shell(street.people.make("pull2", managed=(PULL_ONLY,)))
        street.sandbox.client("ecr").create_repository(repositoryName="layout")
        write_layout(power.folder / "layout")
        image = f"docker://127.0.0.1:{street.sandbox.port}/layout:v1"
        to = ["--dest-tls-verify=false", f"--dest-creds={self.token(power)}"]
        went = self.copy(power, *to, f"oci:{power.folder}/layout:v1", image)
        assert went.returncode == 0, went.stderr
        creds = self.token(pull)
        source = ["--src-tls-verify=false", f"--src-creds={creds}"]
        came = self.copy(pull, *source, image, f"dir:{pull.folder}/copy")
        assert came.returncode == 0, came.stderr
        target = ["--dest-tls-verify=false", f"--dest-creds={creds}"]
        refused = self.copy(pull, *target, f"oci:{power.folder}/layout:v1", image)
        assert refused.returncode != 0
        assert "is not authorized to perform: ecr:" in refused.stderr or "403" in refused.stderr
        listed = pull.run(
            *("skopeo", "list-tags", "--tls-verify=false", f"--creds={creds}"), image[:-3]
        )
        assert "403 (Forbidden)" in listed.stderr
