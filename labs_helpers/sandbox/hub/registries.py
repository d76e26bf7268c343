"""The registries that the hub stands in for, told apart by the Host header."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Registry:
    """A registry's token service and how a learner types its images."""

    realm: str
    service: str
    prefix: str
    scope: str = ""

    def challenge(self, scope: str, error: str = "") -> dict[str, str]:
        """The WWW-Authenticate header that sends a client to the token service."""
        fields = {
            "realm": self.realm,
            "service": self.service,
            "scope": self.scope or scope,
            "error": error,
        }
        shown = ",".join(f'{key}="{value}"' for key, value in fields.items() if value)
        return {"WWW-Authenticate": f"Bearer {shown}"}

    def typed(self, familiar: str) -> str:
        """`nginx:alpine` as typed for this registry."""
        return f"{self.prefix}{familiar}"


DOCKER_HUB = Registry("https://auth.docker.io/token", "registry.docker.io", "")
ECR_PUBLIC = Registry(
    "https://public.ecr.aws/token/", "public.ecr.aws", "public.ecr.aws/docker/library/", "aws"
)


_HOST = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[\w.-]+)(?::\d{1,5})?", re.ASCII)


def registry_of(host: str) -> Registry:
    """The registry that a Host header names.

    On a loopback host the token service is at that same host and port, so that a client that
    was pointed there can follow.
    """
    if not _HOST.fullmatch(host):
        return DOCKER_HUB
    name = _without_port(host)
    if name == "public.ecr.aws":
        return ECR_PUBLIC
    if _is_loopback(name):
        return Registry(f"http://{host}/token", DOCKER_HUB.service, f"{host}/library/")
    return DOCKER_HUB


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].rstrip(".").lower()


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
