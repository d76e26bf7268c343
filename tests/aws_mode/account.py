"""A second sandbox that plays a learner's AWS account, and a learner with a home of their own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import boto3

from labs_helpers.workspace import Workspace
from tests.aws_mode.names import Names
from tests.sandbox import sandbox_process

ACCOUNT = "444455556666"
REGION = "eu-central-1"


@dataclass(frozen=True)
class Learner:
    """A learner's home, with an AWS profile and a Docker login of their own."""

    home: Path
    workspace: Workspace

    def files(self) -> dict[str, str]:
        """Every file of the home with the digest of its content."""
        return {
            str(path.relative_to(self.home)): sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.home.rglob("*"))
            if path.is_file()
        }


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
    folder: Path, there: sandbox_process.Running, names: Names | None = None
) -> Iterator[Learner]:
    """This process has the environment of a learner whose profile `training` is of the account.

    The profile names the sandbox as its endpoint; with ``names``, no endpoint is named anywhere,
    and AWS's own names lead there.
    """
    before, here = dict(os.environ), Path.cwd()
    home = folder / "home"
    (home / ".aws").mkdir(parents=True)
    key = there.learner
    (home / ".aws" / "credentials").write_text(
        f"[training]\naws_access_key_id = {key['access_key_id']}\n"
        f"aws_secret_access_key = {key['secret_access_key']}\n"
    )
    (home / ".aws" / "config").write_text(
        f"[default]\nregion = ap-south-1\n"
        f"[profile training]\nregion = {REGION}\n"
        + ("" if names else f"endpoint_url = {there.url}\n")
    )
    (home / ".docker").mkdir()
    (home / ".docker" / "config.json").write_text('{"auths": {"registry.example": {}}}')
    for name in [name for name in os.environ if name.startswith(("AWS_", "LABS_", "DOCKER_"))]:
        del os.environ[name]
    os.environ.update(
        HOME=str(home),
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


def everything(there: sandbox_process.Running) -> dict[str, Any]:
    """What the account has, of every kind that a lab could make something of."""

    def asked(service: str, operation: str, query: str) -> list[Any]:
        client = there.client(service, region_name=REGION)
        return sorted(client.get_paginator(operation).paginate().search(query))

    return {
        "repositories": asked("ecr", "describe_repositories", "repositories[].repositoryName"),
        "cache rules": asked(
            "ecr",
            "describe_pull_through_cache_rules",
            "pullThroughCacheRules[].ecrRepositoryPrefix",
        ),
        "templates": asked(
            "ecr",
            "describe_repository_creation_templates",
            "repositoryCreationTemplates[].prefix",
        ),
        "users": asked("iam", "list_users", "Users[].UserName"),
        "groups": asked("iam", "list_groups", "Groups[].GroupName"),
        "roles": asked("iam", "list_roles", "Roles[].RoleName"),
        "policies": sorted(
            one["PolicyName"]
            for page in there.client("iam").get_paginator("list_policies").paginate(Scope="Local")
            for one in page["Policies"]
        ),
        "buckets": asked("s3", "list_buckets", "Buckets[].Name"),
        "providers": there.client("iam").list_open_id_connect_providers()[
            "OpenIDConnectProviderList"
        ],
    }


def json_of(path: Path) -> Any:
    """The content of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))
