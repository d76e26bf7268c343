"""The world that a check looks at: AWS by boto3, a registry by HTTP, Docker's own files.

The same code asks the sandbox and AWS. Only ``World.address`` differs: the sandbox's registries
are reached at that address, and AWS's by their own names.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import botocore.loaders
import botocore.session

from labs_helpers.checks.registry import Registry
from labs_helpers.defaults import registry
from labs_helpers.own_names import OwnNames


@cache
def _models() -> Any:
    """botocore's descriptions of services, which every session of a check shares.

    Reading them takes most of the time of a client's making. Made with the first session and not
    with the import, so that the descriptions are those of the whole kernel (runtime/aws_models.py).
    """
    return botocore.loaders.create_loader()


def session(profile: str | None = None, region: str | None = None) -> Any:
    """A boto3 session that reads the learner's own configuration, as it is now."""
    made = botocore.session.Session(profile=profile)
    made.register_component("data_loader", _models())
    return boto3.Session(botocore_session=made, region_name=region)


@dataclass(frozen=True)
class Login:
    """One entry of Docker's ``auths``. The ``repr`` leaves the password out."""

    registry: str
    user: str
    password: str

    def __repr__(self) -> str:
        return f"Login({self.registry!r}, {self.user!r}, password=...)"


class UnreadableDockerConfig(Exception):
    """Docker's config.json is not JSON, or its ``auths`` is no table of logins."""


@dataclass(frozen=True)
class World:
    """What every check is given.

    ``repository`` is the name of the labs' repository, ``docker_config`` the folder that holds
    Docker's config.json. ``now`` reads the clock by which AWS or the sandbox judges tokens.
    ``address`` is where registries are reached, "http://127.0.0.1:4566"; None means by their
    names. A world is for one look: what it has read, such as the configuration, it does not read
    again.
    """

    account: str
    region: str
    repository: str
    docker_config: Path
    now: Callable[[], datetime]
    address: str | None = None
    _clients: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    def client(self, service: str, region: str | None = None, profile: str | None = None) -> Any:
        """A boto3 client with the learner's own configuration, which every world reads again."""
        asked = (service, region or self.region, profile)
        if asked not in self._clients:
            self._clients[asked] = session(profile, region or self.region).client(service)
        return self._clients[asked]

    def tags(self) -> dict[str, str]:
        """Tag -> digest in the labs' repository, as ECR lists them.

        Raises ClientError when there is no such repository.
        """
        pages = (
            self.client("ecr")
            .get_paginator("list_images")
            .paginate(repositoryName=self.repository, filter={"tagStatus": "TAGGED"})
        )
        return {one["imageTag"]: one["imageDigest"] for page in pages for one in page["imageIds"]}

    @property
    def own_names(self) -> OwnNames:
        """The account and region here, for texts and names of the lessons."""
        return OwnNames(self.account, self.region)

    def host(self, region: str | None = None) -> str:
        """The host name of the private registry in ``region``, by default the lab's region."""
        return registry(self.account, region or self.region)

    def logins(self) -> dict[str, Login]:
        """Docker's logins by registry host; empty when there is no file.

        https://docs.docker.com/reference/cli/docker/login/#credential-stores
        """
        path = self.docker_config / "config.json"
        if not path.exists():
            return {}
        try:
            auths = json.loads(path.read_text(encoding="utf-8")).get("auths", {})
            return {_host(name): _login(_host(name), entry) for name, entry in auths.items()}
        except (ValueError, AttributeError, binascii.Error) as fault:
            raise UnreadableDockerConfig(f"{_for_message(path)} cannot be read: {fault}") from fault

    def ask_registry(self, host: str, login: Login | None = None) -> Registry:
        """The registry ``host`` over HTTP, with ``login`` or else with Docker's own login."""
        login = login or self.logins().get(host)
        secret = (login.user, login.password) if login else None
        return Registry(host, self.address, secret)

    def fresh_login(self, region: str | None = None) -> Login:
        """A new login by the learner's AWS credentials, whatever Docker is logged in to."""
        answer = self.client("ecr", region).get_authorization_token()
        token = answer["authorizationData"][0]["authorizationToken"]
        user, _, password = base64.b64decode(token).decode().partition(":")
        return Login(self.host(region), user, password)


def _host(name: str) -> str:
    """The host of a login: Docker names it by host, and in some older entries by URL."""
    return name.removeprefix("https://").removeprefix("http://").rstrip("/").split("/")[0]


def _login(host: str, entry: dict[str, str]) -> Login:
    decoded = base64.b64decode(entry.get("auth", ""), validate=True).decode()
    user, _, password = decoded.partition(":")
    return Login(host, user, password)


def _for_message(path: Path) -> str:
    """A path for a message: ``.labs/...`` inside LABS_HOME, the same on every machine."""
    home = Path(os.environ.get("LABS_HOME", ".labs")).resolve()
    resolved = path.resolve()
    if resolved.is_relative_to(home):
        return str(Path(".labs") / resolved.relative_to(home))
    return str(path)
