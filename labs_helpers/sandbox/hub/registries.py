"""The registries that the hub stands in for. The Host header of a request selects one of them."""

from __future__ import annotations

from dataclasses import dataclass

from labs_helpers.sandbox.hosts import Site, site_of


@dataclass(frozen=True)
class Registry:
    """The token service of a registry (`realm`, `service`), and the `prefix` of its image names.

    `scope` replaces the scope of every challenge, for a registry that always sends the same one.
    """

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
        parameters = ",".join(f'{key}="{value}"' for key, value in fields.items() if value)
        return {"WWW-Authenticate": f"Bearer {parameters}"}


DOCKER_HUB = Registry("https://auth.docker.io/token", "registry.docker.io", "")
ECR_PUBLIC = Registry(
    "https://public.ecr.aws/token/", "public.ecr.aws", "public.ecr.aws/docker/library/", "aws"
)


def registry_of(host: str) -> Registry:
    """The registry that a Host header names, by default Docker Hub.

    On a loopback address the token service has the same host and port, so that the client can
    reach it.
    """
    if site_of(host) is Site.LOOPBACK:
        return Registry(f"http://{host}/token", DOCKER_HUB.service, f"{host}/library/")
    name = host.partition(":")[0].rstrip(".").lower()
    return ECR_PUBLIC if name == "public.ecr.aws" else DOCKER_HUB
