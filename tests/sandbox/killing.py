"""Whole sandboxes that are killed while clients change them: `python -m tests.sandbox.killing`.

    python -m tests.sandbox.killing FOLDER TRIALS SEED [KINDS]

Each trial forks a sandbox that listens on a port. This process is the client: it makes changes of
KINDS kinds (all without the number), kills the sandbox a random time after a random number of them,
and goes on until the connection breaks. What was answered counts as acknowledged. The sandbox of
the next trial is asked first: what was acknowledged is there with its content, and of what was not,
the change that was under way at most.
Prints the number of acknowledged changes; exits with 1 and words for the first difference.
"""

from __future__ import annotations

import hashlib
import http.client
import importlib
import json
import os
import pkgutil
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from moto.moto_api._internal import mock_random

from labs_helpers import sandbox
from labs_helpers.oci import media_types
from labs_helpers.sandbox import assembly
from labs_helpers.sandbox.authorization.models import model_of
from labs_helpers.sandbox.door.http import Server
from labs_helpers.sandbox.moto import memory
from labs_helpers.sandbox.moto.kept import restored
from tests.ports import free_port

REGION = "us-west-2"
HOST = f"123456789012.dkr.ecr.{REGION}.amazonaws.com"
LONGEST = 0.06
"""Seconds that a sandbox lives at most after the change that decides to kill it."""

MOTOS = [
    "cloudformation",
    "dynamodb",
    "ec2",
    "kms",
    "logs",
    "s3",
    "secretsmanager",
    "sns",
    "sqs",
    "ssm",
]
OURS = ["codebuild", "codeconnections", "codepipeline", "ecr", "ecs", "events", "iam", "sts"]

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": s}, "Action": "sts:AssumeRole"}
            for s in ("codebuild.amazonaws.com", "codepipeline.amazonaws.com")
        ],
    }
)


class Broken(Exception):
    """The sandbox was killed before it answered."""


@dataclass
class Clients:
    """The learner's clients of the sandbox on a port."""

    home: Path
    port: int

    def __post_init__(self) -> None:
        self._made: dict[str, Any] = {}

    def hang_up(self) -> None:
        """Forget the connections, whose other end was killed."""
        for client in self._made.values():
            client._endpoint.http_session.close()

    @cached_property
    def key(self) -> dict[str, str]:
        found: dict[str, str] = json.loads((self.home / "sandbox" / "learner.json").read_text())
        return found

    def __call__(self, service: str) -> Any:
        if service not in self._made:
            self._made[service] = boto3.client(
                service,
                endpoint_url=f"http://127.0.0.1:{self.port}",
                region_name=REGION,
                aws_access_key_id=self.key["access_key_id"],
                aws_secret_access_key=self.key["secret_access_key"],
                config=Config(
                    retries={"max_attempts": 0}, s3={"addressing_style": "path"}, read_timeout=60
                ),
            )
        return self._made[service]

    @cached_property
    def token(self) -> str:
        (found,) = self("ecr").get_authorization_token()["authorizationData"]
        return str(found["authorizationToken"])

    def registry(self, method: str, path: str, body: bytes = b"", kind: str = "") -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"Host": HOST, "Authorization": f"Basic {self.token}"}
        headers |= {"Content-Type": kind} if kind else {}
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise Broken from error
        finally:
            connection.close()
        if answer.status >= 400:
            raise SystemExit(f"{method} {path}: {answer.status}")
        return answer


def begin(aws: Clients) -> None:
    """What the changes are made in."""
    aws("s3").create_bucket(
        Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    aws("sqs").create_queue(QueueName="queue")
    aws("logs").create_log_group(logGroupName="group")
    aws("logs").create_log_stream(logGroupName="group", logStreamName="stream")
    aws("dynamodb").create_table(
        TableName="table",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    aws("iam").create_role(RoleName="role", AssumeRolePolicyDocument=TRUST)
    aws("ecr").create_repository(repositoryName="images")
    _ = aws.token


ROLE = "arn:aws:iam::123456789012:role/role"


def push(aws: Clients, name: str) -> None:
    """An image as docker pushes it, tagged with the name."""
    described = []
    for content in (json.dumps({"of": name}).encode(), f"layer of {name}".encode()):
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        place = aws.registry("POST", "/v2/images/blobs/uploads/").headers["Location"]
        path = "/v2/" + place.partition("/v2/")[2]
        aws.registry("PUT", f"{path}{'&' if '?' in path else '?'}digest={digest}", content)
        described.append({"digest": digest, "size": len(content)})
    manifest = {
        "schemaVersion": 2,
        "mediaType": media_types.OCI_MANIFEST,
        "config": {"mediaType": media_types.OCI_CONFIG, **described[0]},
        "layers": [{"mediaType": media_types.OCI_LAYER, **described[1]}],
    }
    body = json.dumps(manifest).encode()
    aws.registry("PUT", f"/v2/images/manifests/{name}", body, media_types.OCI_MANIFEST)


def pushed(aws: Clients) -> set[str]:
    """The tags, each of which can be pulled whole."""
    pages = aws("ecr").get_paginator("list_images").paginate(repositoryName="images")
    tags = {one["imageTag"] for page in pages for one in page["imageIds"]}
    for tag in tags:
        (image,) = aws("ecr").batch_get_image(
            repositoryName="images", imageIds=[{"imageTag": tag}]
        )["images"]
        manifest = json.loads(image["imageManifest"])
        for part in (manifest["config"], *manifest["layers"]):
            aws.registry("HEAD", f"/v2/images/blobs/{part['digest']}")
    return tags


def create_project(aws: Clients, name: str) -> None:
    aws("codebuild").create_project(
        name=name,
        source={"type": "NO_SOURCE", "buildspec": "version: 0.2\nphases: {}"},
        artifacts={"type": "NO_ARTIFACTS"},
        environment={
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/standard:7.0",
            "computeType": "BUILD_GENERAL1_SMALL",
        },
        serviceRole=ROLE,
    )


def create_stack(aws: Clients, name: str) -> None:
    resource = {"Type": "AWS::ECR::Repository", "Properties": {"RepositoryName": f"of/{name}"}}
    aws("cloudformation").create_stack(
        StackName=name, TemplateBody=json.dumps({"Resources": {"A": resource}})
    )


def stacks(aws: Clients) -> set[str]:
    """The stacks, whose repository is there."""
    found = every(aws, "cloudformation", "describe_stacks", "Stacks", "StackName")
    for name in found:
        aws("ecr").describe_repositories(repositoryNames=[f"of/{name}"])
    return found


def objects(aws: Clients) -> set[str]:
    pages = aws("s3").get_paginator("list_objects_v2").paginate(Bucket="bucket")
    found = {one["Key"] for page in pages for one in page.get("Contents", ())}
    for key in found:
        content = aws("s3").get_object(Bucket="bucket", Key=key)["Body"].read()
        if content != f"body of {key}".encode():
            raise SystemExit(f"the object {key} holds {content!r}")
    return found


def every(aws: Clients, service: str, operation: str, member: str, name: str) -> set[str]:
    pages = aws(service).get_paginator(operation).paginate()
    return {one[name] for page in pages for one in page[member]}


def clusters(aws: Clients) -> set[str]:
    pages = aws("ecs").get_paginator("list_clusters").paginate()
    return {arn.rpartition("/")[2] for page in pages for arn in page["clusterArns"]}


def projects(aws: Clients) -> set[str]:
    pages = aws("codebuild").get_paginator("list_projects").paginate()
    return {name for page in pages for name in page["projects"]}


def queues(aws: Clients) -> set[str]:
    pages = aws("sqs").get_paginator("list_queues").paginate()
    return {url.rpartition("/")[2] for page in pages for url in page["QueueUrls"]} - {"queue"}


Make = Callable[[Clients, str], Any]
Look = Callable[[Clients], set[str]]
KINDS: dict[str, tuple[Make, Look]] = {
    "image": (push, pushed),
    "repository": (
        lambda aws, name: aws("ecr").create_repository(repositoryName=f"r/{name}"),
        lambda aws: {
            name.removeprefix("r/")
            for name in every(aws, "ecr", "describe_repositories", "repositories", "repositoryName")
            if name.startswith("r/")
        },
    ),
    "project": (create_project, projects),
    "connection": (
        lambda aws, name: aws("codeconnections").create_connection(
            ConnectionName=name, ProviderType="GitHub"
        ),
        lambda aws: {
            one["ConnectionName"]
            for one in aws("codeconnections").list_connections(MaxResults=100)["Connections"]
        },
    ),
    "cluster": (lambda aws, name: aws("ecs").create_cluster(clusterName=name), clusters),
    "rule": (
        lambda aws, name: aws("events").put_rule(Name=name, EventPattern='{"source": ["a"]}'),
        lambda aws: every(aws, "events", "list_rules", "Rules", "Name"),
    ),
    "user": (
        lambda aws, name: aws("iam").create_user(UserName=name),
        lambda aws: every(aws, "iam", "list_users", "Users", "UserName") - {"learner"},
    ),
    "stack": (create_stack, stacks),
    "item": (
        lambda aws, name: aws("dynamodb").put_item(TableName="table", Item={"id": {"S": name}}),
        lambda aws: {one["id"]["S"] for one in aws("dynamodb").scan(TableName="table")["Items"]},
    ),
    "group": (
        lambda aws, name: aws("ec2").create_security_group(GroupName=name, Description="d"),
        lambda aws: (
            every(aws, "ec2", "describe_security_groups", "SecurityGroups", "GroupName")
            - {"default"}
        ),
    ),
    "key": (
        lambda aws, name: aws("kms").create_key(Description=name),
        lambda aws: {
            aws("kms").describe_key(KeyId=each)["KeyMetadata"]["Description"]
            for each in every(aws, "kms", "list_keys", "Keys", "KeyId")
        },
    ),
    "event": (
        lambda aws, name: aws("logs").put_log_events(
            logGroupName="group",
            logStreamName="stream",
            logEvents=[{"timestamp": int(time.time() * 1000), "message": name}],
        ),
        lambda aws: {
            one["message"]
            for one in aws("logs").get_log_events(logGroupName="group", logStreamName="stream")[
                "events"
            ]
        },
    ),
    "object": (
        lambda aws, name: aws("s3").put_object(
            Bucket="bucket", Key=name, Body=f"body of {name}".encode()
        ),
        objects,
    ),
    "secret": (
        lambda aws, name: aws("secretsmanager").create_secret(Name=name, SecretString=name),
        lambda aws: every(aws, "secretsmanager", "list_secrets", "SecretList", "Name"),
    ),
    "topic": (
        lambda aws, name: aws("sns").create_topic(Name=name),
        lambda aws: {
            arn.rpartition(":")[2] for arn in every(aws, "sns", "list_topics", "Topics", "TopicArn")
        },
    ),
    "queue": (
        lambda aws, name: aws("sqs").create_queue(QueueName=name),
        queues,
    ),
    "parameter": (
        lambda aws, name: aws("ssm").put_parameter(Name=name, Value=name, Type="String"),
        lambda aws: every(aws, "ssm", "describe_parameters", "Parameters", "Name"),
    ),
}


def load() -> None:
    """Load what every sandbox needs, once and not in every fork."""
    memory.install()
    importlib.import_module("moto.moto_server.werkzeug_app")
    for module in pkgutil.walk_packages(sandbox.__path__, "labs_helpers.sandbox."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for package in MOTOS:
        restored.import_models(package)
        importlib.import_module(f"moto.{package}.responses")
    for service in (*MOTOS, *OURS):
        model_of(service)


def serve(home: Path, port: int) -> None:
    """The sandbox, in a fork."""
    # else every fork makes the same ids
    mock_random.seed()
    random.seed()
    (home / "sandbox").mkdir(mode=0o700, parents=True, exist_ok=True)
    built = assembly.build(home / "sandbox", port, "killed")
    server = Server(port, built.application)
    server.prepare()
    server.serve()


STARTED: list[int] = []
"""The process ids of the sandboxes; those before the last one have been waited for."""


def forked(home: Path, port: int) -> int:
    """A sandbox that answers: its process id; raises SystemExit when none comes to answer."""
    child = os.fork()
    if child == 0:
        try:
            serve(home, port)
        finally:
            os._exit(1)
    STARTED.append(child)
    deadline = time.monotonic() + 30
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/v2/")
            connection.getresponse().read()
            return child
        except (OSError, http.client.HTTPException):
            if os.waitpid(child, os.WNOHANG)[0] or time.monotonic() > deadline:
                raise SystemExit("the sandbox does not start") from None
            time.sleep(0.005)


def killed(child: int) -> None:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def change(
    aws: Clients, child: int, trial: int, kinds: list[str], chosen: random.Random
) -> list[str]:
    """Make changes until the sandbox is killed; what was acknowledged."""
    made: list[str] = []
    wanted, delay = chosen.randrange(1, 13), chosen.uniform(0, LONGEST)
    kill = threading.Timer(delay, os.kill, (child, signal.SIGKILL))
    while True:
        if len(made) == wanted:
            kill.start()
        kind = chosen.choice(kinds)
        name = f"{kind}-{trial}-{len(made)}"
        try:
            KINDS[kind][0](aws, name)
        except ClientError as error:
            raise SystemExit(f"{name}: {error}") from error
        # botocore reads an answer that breaks off after its head as one with an empty body
        except (BotoCoreError, ResponseParserError, Broken, OSError):
            if len(made) < wanted:
                raise SystemExit(f"{name}: no answer of a sandbox that nobody killed") from None
            # no thread may run beside the next fork
            kill.join()
            return made
        made.append(name)


def compare(aws: Clients, said: dict[str, set[str]], kinds: list[str]) -> None:
    """Raise SystemExit unless what is there is what was said, and at most one change more."""
    more: list[str] = []
    for kind in kinds:
        found = KINDS[kind][1](aws)
        if lost := said[kind] - found:
            raise SystemExit(f"acknowledged and lost: {sorted(lost)}")
        more += found - said[kind]
        said[kind] = found
    if len(more) > 1:
        raise SystemExit(f"never acknowledged: {more}")


def main(home: Path, trials: int, seed: int, several: int) -> int:
    load()
    chosen = random.Random(seed)
    port = free_port()
    said: dict[str, set[str]] = {kind: set() for kind in KINDS}
    child = forked(home, port)
    aws = Clients(home, port)
    begin(aws)
    killed(child)
    aws.hang_up()
    total, left = 0, list(KINDS)
    before: list[str] = []
    for trial in range(trials):
        if len(left) < several:
            left = list(KINDS)
        kinds = [left.pop(chosen.randrange(len(left))) for _ in range(several)]
        child = forked(home, port)
        compare(aws, said, before)
        made = change(aws, child, trial, kinds, chosen)
        os.waitpid(child, 0)
        aws.hang_up()
        total += len(made)
        for name in made:
            said[name.partition("-")[0]].add(name)
        before = kinds
    child = forked(home, port)
    compare(aws, said, list(KINDS))
    killed(child)
    print(total)
    return 0


if __name__ == "__main__":
    number = int(sys.argv[4]) if len(sys.argv) > 4 else len(KINDS)
    try:
        code = main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), number)
    finally:
        # a trial that failed leaves a sandbox
        for started in STARTED[-1:]:
            with suppress(ProcessLookupError):
                os.kill(started, signal.SIGKILL)
    sys.exit(code)
