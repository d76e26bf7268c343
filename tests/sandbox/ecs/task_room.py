"""The labs' servers, images in ECR and roles of tasks, for the tests of ECS."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import docker
from botocore.config import Config

from labs_helpers import servers
from labs_helpers.workspace import Workspace
from tests.engine.engine_room import require
from tests.policies import allow, policy

REGION = "us-west-2"
ACCOUNT = "123456789012"
REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
TRUST = policy(
    {
        "Effect": "Allow",
        "Principal": {"Service": "ecs-tasks.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
)
EXECUTION = allow(
    "ecr:GetAuthorizationToken",
    "ecr:BatchCheckLayerAvailability",
    "ecr:GetDownloadUrlForLayer",
    "ecr:BatchGetImage",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
)
"""The rights of AmazonECSTaskExecutionRolePolicy."""
SERVES = (
    "trap 'exit 0' TERM; mkdir /www; echo $PAGE > /www/index.html; httpd -p 8080 -h /www;"
    " echo serving $PAGE; sleep 1000 & wait"
)
"""A program for busybox's shell that serves a page until SIGTERM."""
NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}
PATIENCE = 90.0
"""Seconds after which a task that does not get there fails its test; no test takes them."""


_APPLETS = (
    *("sh", "cat", "httpd", "sleep", "id", "mkdir", "echo", "touch", "wget", "env"),
    *("kill", "setsid", "stat", "chown", "test", "rm", "ln", "dd", "mknod", "printf"),
)


@dataclass
class Room:
    workspace: Workspace
    port: int
    _clients: dict[tuple[str, int], Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """The learner's client of the sandbox, made once: making one costs more than a test."""
        if (service, self.port) not in self._clients:
            self._clients[service, self.port] = self._made(service)
        return self._clients[service, self.port]

    def client_of(self, user: str, service: str) -> Any:
        """A client of a user with a new key."""
        key = self.client("iam").create_access_key(UserName=user)["AccessKey"]
        return self.signed(service, key["AccessKeyId"], key["SecretAccessKey"])

    def _made(self, service: str) -> Any:
        learner = json.loads((self.workspace.sandbox / "learner.json").read_text())
        return self.signed(service, learner["access_key_id"], learner["secret_access_key"])

    def signed(self, service: str, key: str, secret: str, token: str | None = None) -> Any:
        """A client with these credentials."""
        return boto3.session.Session().client(
            service,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name=REGION,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=Config(retries={"max_attempts": 0}),
        )

    @property
    def ecs(self) -> Any:
        return self.client("ecs")

    @property
    def docker(self) -> Any:
        return docker.DockerClient(base_url=f"unix://{self.workspace.socket}")

    def role(self, name: str, *statements: Mapping[str, Any], trust: str = TRUST) -> str:
        iam = self.client("iam")
        arn = str(iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"])
        if statements:
            document = policy(*map(dict, statements))
            iam.put_role_policy(RoleName=name, PolicyName="rights", PolicyDocument=document)
        return arn

    def push(
        self, repository: str, tag: str, *changes: str, more: Mapping[str, bytes] | None = None
    ) -> str:
        """Push an image with busybox's programs, and more programs; its digest."""
        name = f"{REGISTRY}/{repository}"
        client = self.docker
        told = client.api.import_image_from_data(
            _box(more or {}), changes=["ENV PATH=/bin", f"LABEL tag={tag}", *changes]
        )
        # Podman takes no tag with an import
        client.api.tag(json.loads(told.splitlines()[-1])["status"], name, tag)
        token = self.client("ecr").get_authorization_token()["authorizationData"][0]
        user, _, password = base64.b64decode(token["authorizationToken"]).decode().partition(":")
        for line in client.api.push(
            name,
            tag,
            stream=True,
            decode=True,
            auth_config={"username": user, "password": password},
        ):
            assert "error" not in line, line
        client.close()
        found = self.client("ecr").describe_images(
            repositoryName=repository, imageIds=[{"imageTag": tag}]
        )
        return str(found["imageDetails"][0]["imageDigest"])

    def push_page(self, tag: str) -> str:
        """An image that serves the tag as its page, on port 8080; its digest."""
        words = json.dumps(["sh", "-c", SERVES])
        return self.push("web", tag, f"ENV PAGE={tag}", f"CMD {words}")

    def define(self, family: str, image: str, **changed: Any) -> str:
        """Register a task definition of one container "app"; family:revision."""
        top = {
            name: changed.pop(name)
            for name in ("taskRoleArn", "executionRoleArn", "runtimePlatform", "cpu", "memory")
            if name in changed
        }
        container = {"name": "app", "image": image, **changed}
        found = self.ecs.register_task_definition(
            **{
                "family": family,
                "networkMode": "awsvpc",
                "requiresCompatibilities": ["FARGATE"],
                "cpu": "256",
                "memory": "512",
                "executionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/execution",
                "containerDefinitions": [container],
                **top,
            }
        )["taskDefinition"]
        return f"{found['family']}:{found['revision']}"

    def run(self, definition: str, **changed: Any) -> str:
        """The ARN of a new task."""
        found = self.ecs.run_task(
            **{
                "taskDefinition": definition,
                "launchType": "FARGATE",
                "networkConfiguration": NETWORK,
                **changed,
            }
        )
        return str(found["tasks"][0]["taskArn"])

    def task(self, arn: str) -> dict[str, Any]:
        found = self.ecs.describe_tasks(tasks=[arn])
        return dict(found["tasks"][0])

    def until(self, arn: str, status: str) -> dict[str, Any]:
        """A task, once it has a status."""
        return self.once(lambda: self.task(arn), lambda task: task["lastStatus"] == status)

    def stopped(self, definition: str, **changed: Any) -> dict[str, Any]:
        """Run a task, and return it once it has stopped."""
        return self.until(self.run(definition, **changed), "STOPPED")

    def service(self, name: str) -> dict[str, Any]:
        return dict(self.ecs.describe_services(services=[name])["services"][0])

    def settled(self, name: str) -> dict[str, Any]:
        """A service, once its primary deployment is no longer in progress."""
        return self.once(
            lambda: self.service(name),
            lambda one: (
                len(one["deployments"]) == 1
                and one["deployments"][0]["rolloutState"] == "COMPLETED"
                and one["runningCount"] == one["desiredCount"]
            ),
        )

    def once(
        self, look: Callable[[], dict[str, Any]], holds: Callable[[dict[str, Any]], bool]
    ) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = look()
            if holds(found):
                return found
            time.sleep(0.1)
        raise AssertionError(f"this does not change: {json.dumps(look(), default=str, indent=1)}")

    def containers(self) -> list[str]:
        client = self.docker
        try:
            return [each.name for each in client.containers.list(all=True)]
        finally:
            client.close()


@contextmanager
def running(**variables: str) -> Iterator[Room]:
    """The labs' servers in a folder of their own, with more variables, until the block ends.

    There is a cluster, an execution role, and an image "web:one" that serves a page.
    """
    require("busybox")
    folder = Path(tempfile.mkdtemp(prefix="l", dir="/tmp"))
    workspace = Workspace(folder / "h")
    try:
        started = servers.start(workspace, environ={**os.environ, **variables})
        room = Room(workspace, started.sandbox.port)
        room.ecs.create_cluster(clusterName="default")
        room.role("execution", EXECUTION)
        room.client("ecr").create_repository(repositoryName="web")
        room.client("logs").create_log_group(logGroupName="/ecs/web")
        room.push_page("one")
        yield room
    finally:
        servers.stop(workspace)
        shutil.rmtree(folder, ignore_errors=True)


def logs_to(group: str = "/ecs/web") -> dict[str, Any]:
    options = {"awslogs-group": group, "awslogs-region": REGION, "awslogs-stream-prefix": "web"}
    return {"logDriver": "awslogs", "options": options}


def _box(more: Mapping[str, bytes]) -> bytes:
    busybox = shutil.which("busybox")
    assert busybox
    content = Path(busybox).read_bytes()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, program in {"bin/busybox": content, **more}.items():
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(program), 0o755
            archive.addfile(member, io.BytesIO(program))
        release = b'NAME="the box of the tests"\n'
        member = tarfile.TarInfo("etc/os-release")
        member.size = len(release)
        archive.addfile(member, io.BytesIO(release))
        for name in _APPLETS:
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
    return buffer.getvalue()
