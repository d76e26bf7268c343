"""The account, region and names that the labs use, and the host names of registries.

Host names follow https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html
"""

from __future__ import annotations

import re

ACCOUNT = "123456789012"
OTHER_ACCOUNT = "210987654321"
REGION = "us-west-2"
SECOND_REGION = "eu-west-1"
"""Where the team of the lessons works as well."""
USER = "learner"
REPOSITORY = "demo-app-repo"
IMAGE = "demo-app"
GITHUB_OWNER_ID = 123456
GITHUB_REPOSITORY_ID = 456789
"""The numbers that the sandbox, in GitHub's place, gives to every owner and every repository."""

CHECK_AGENT = "labs-check"
"""What a check calls itself to a registry, in User-Agent. `lab.trace()` shows the others'."""

FRESH_START = {"LABS_START": "fresh"}
"""The environment in which every `start` makes the lab's beginning, and its card does not say what
was removed. For programs that run notebooks: what a notebook prints must not depend on what ran
before.
"""


_REGISTRY = re.compile(
    r"(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z]{2}(?:-[a-z]+)+-\d)"
    r"\.(?:amazonaws\.com(?:\.cn)?|on\.aws)",
    re.ASCII,
)


def registry(account: str, region: str) -> str:
    """The host name of an account's private registry in a region."""
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"{account}.dkr.ecr.{region}.{suffix}"


def registry_of(host: str) -> tuple[str, str] | None:
    """(account, region) of a private registry's host name; None for any other host.

    The FIPS and dual-stack endpoints name the same registry:
    https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-requests.html
    """
    found = _REGISTRY.fullmatch(host.lower())
    return (found["account"], found["region"]) if found else None


def is_sandbox(endpoint: str) -> bool:
    """Whether an endpoint is a sandbox's: plain HTTP on a loopback port."""
    return endpoint.startswith("http://127.0.0.1:")


CLOCK_GOES_FORWARD = (
    "it goes forward only, because what was made since has later dates: "
    "labs reset begins again at real time"
)
"""What is said of a sandbox clock that was moved."""

SANDBOX_DOWN = (
    "The sandbox is not running. Start it: labs start in a terminal, or run the first cell of "
    "the notebook again."
)
"""What a client says that finds no sandbox."""

ENGINE_DOWN = (
    "The labs' Docker engine is not running. Start it: labs start in a terminal, or run the first "
    "cell of the notebook again."
)
"""What a Docker client says that finds no engine on the labs' socket."""

CLOCK_AHEAD = "LABS_CLOCK_AHEAD"
"""The variable that tells a command of a build by how many seconds the sandbox's clock is ahead."""
