"""A second sandbox that plays a learner's AWS account, and a learner with a home of their own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from labs_helpers.workspace import Workspace
from tests.aws_mode import planted
from tests.aws_mode.names import Names
from tests.sandbox import sandbox_process

ACCOUNT = "444455556666"
REGION = "eu-central-1"
SECOND_ACCOUNT = "777788889999"


@dataclass(frozen=True)
class Learner:
    """A learner's home, with an AWS profile and a Docker login of their own."""

    home: Path
    workspace: Workspace

    def files(self) -> dict[str, str]:
        """Every path of the home with its rights, its time and the digest of its content."""
        return planted.look(self.home)


@contextmanager
def account(home: Path, **variables: str) -> Iterator[sandbox_process.Running]:
    """The account: a sandbox of its own that knows nothing of the learner's labs."""
    Workspace(home).create().remember(account=ACCOUNT, region=REGION)
    running = sandbox_process.start(home, **variables)
    try:
        yield running
    finally:
        running.stop()


@contextmanager
def learner(
    folder: Path,
    there: sandbox_process.Running,
    names: Names | None = None,
    partner: bool = False,
) -> Iterator[Learner]:
    """This process has the environment of a learner whose profile `training` is of the account.

    The profile names the sandbox as its endpoint; with ``names``, no endpoint is named anywhere,
    and AWS's own names lead there. With ``partner``, the profile `second` is of SECOND_ACCOUNT.
    """
    before, here = dict(os.environ), Path.cwd()
    home = folder / "home"
    planted.plant(home)
    keys = {"training": there.learner}
    if partner:
        status, keys["second"] = there.control(
            "POST", "accounts", {"account": SECOND_ACCOUNT, "user": "owner"}
        )
        assert status == 200, keys
    (home / ".aws" / "credentials").write_text(
        "".join(
            f"[{name}]\naws_access_key_id = {key['access_key_id']}\n"
            f"aws_secret_access_key = {key['secret_access_key']}\n"
            for name, key in keys.items()
        )
    )
    (home / ".aws" / "config").write_text(
        f"[default]\nregion = ap-south-1\n"
        f"[profile training]\nregion = {REGION}\n"
        + ("" if names else f"endpoint_url = {there.url}\n")
    )
    for name in [name for name in os.environ if name.startswith(("AWS_", "LABS_", "DOCKER_"))]:
        del os.environ[name]
    os.environ.update(
        HOME=str(home),
        PATH=planted.path_with_helpers(home),
        LABS_HOME=str(folder / "labs"),
        # nothing of a test reaches a machine's own Docker
        DOCKER_HOST=f"unix://{folder}/none.sock",
        AWS_EC2_METADATA_DISABLED="true",
        **(names.variables if names else {}),
    )
    boto3.DEFAULT_SESSION = None
    try:
        yield Learner(home, Workspace.find())
    finally:
        os.chdir(here)
        os.environ.clear()
        os.environ.update(before)
        boto3.DEFAULT_SESSION = None


LISTS = {
    "repository": ("ecr", "describe_repositories", "repositories[].repositoryName"),
    "pull-through cache rule": (
        "ecr",
        "describe_pull_through_cache_rules",
        "pullThroughCacheRules[].ecrRepositoryPrefix",
    ),
    "creation template": (
        "ecr",
        "describe_repository_creation_templates",
        "repositoryCreationTemplates[].prefix",
    ),
    "secret": ("secretsmanager", "list_secrets", "SecretList[].Name"),
    "user": ("iam", "list_users", "Users[].UserName"),
    "group": ("iam", "list_groups", "Groups[].GroupName"),
    "role": ("iam", "list_roles", "Roles[].RoleName"),
    "bucket": ("s3", "list_buckets", "Buckets[].Name"),
    "build project": ("codebuild", "list_projects", "projects[]"),
    "log group": ("logs", "describe_log_groups", "logGroups[].logGroupName"),
    "pipeline": ("codepipeline", "list_pipelines", "pipelines[].name"),
    "event rule": ("events", "list_rules", "Rules[].Name"),
    "cluster": ("ecs", "list_clusters", "clusterArns[]"),
    "task definition": ("ecs", "list_task_definitions", "taskDefinitionArns[]"),
    "load balancer": ("elbv2", "describe_load_balancers", "LoadBalancers[].LoadBalancerName"),
    "source repository": ("codecommit", "list_repositories", "repositories[].repositoryName"),
    "security group": ("ec2", "describe_security_groups", "SecurityGroups[].GroupName"),
    "target group": ("elbv2", "describe_target_groups", "TargetGroups[].TargetGroupName"),
}
"""How the account is asked for things of each kind, apart from the code of clean-up."""


def owner(there: sandbox_process.Running, service: str) -> Any:
    """A client of the account's owner, that sends a throttled request again."""
    retries = Config(retries={"mode": "standard", "max_attempts": 5})
    return there.client(service, region_name=REGION, config=retries)


def everything(there: sandbox_process.Running) -> dict[str, list[str]]:
    """The names of what the account has, of every kind that a lab could make something of."""

    def client(service: str) -> Any:
        return owner(there, service)

    found = {
        kind: sorted(map(_name, client(service).get_paginator(operation).paginate().search(query)))
        for kind, (service, operation, query) in LISTS.items()
    }
    ecs, iam = client("ecs"), client("iam")
    found["task definition"] = sorted({one.rpartition(":")[0] for one in found["task definition"]})
    found["service"] = [
        f"{cluster}/{_name(arn)}"
        for cluster in found["cluster"]
        for arn in ecs.list_services(cluster=cluster)["serviceArns"]
    ]
    found["policy"] = [
        one["PolicyName"]
        for page in iam.get_paginator("list_policies").paginate(Scope="Local")
        for one in page["Policies"]
    ]
    found["identity provider"] = [
        one["Arn"].partition("/")[2]
        for one in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    ]
    found["queue"] = [_name(url) for url in client("sqs").list_queues().get("QueueUrls", [])]
    connections = client("codeconnections").list_connections()["Connections"]
    found["connection"] = [one["ConnectionName"] for one in connections]
    return found


def _name(arn: str) -> str:
    """The name that an ARN or a URL ends with; another name stays as it is."""
    return arn.rpartition("/")[2] if arn.startswith(("arn:", "http")) else arn


def added(before: dict[str, list[str]], after: dict[str, list[str]]) -> set[tuple[str, str]]:
    """(kind, name) of what is there since."""
    return {(kind, name) for kind in after for name in set(after[kind]) - set(before[kind])}


def json_of(path: Path) -> Any:
    """The content of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))
