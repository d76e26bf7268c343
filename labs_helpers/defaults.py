"""The account, region and names that the labs use, and the host names of registries.

Host names follow https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html
"""

from __future__ import annotations

ACCOUNT = "123456789012"
OTHER_ACCOUNT = "210987654321"
REGION = "us-west-2"
USER = "learner"
REPOSITORY = "demo-app-repo"
IMAGE = "demo-app"

FRESH_START = {"LABS_START": "fresh"}
"""The environment in which every `start` makes the lab's beginning, and its card does not say what
was removed. For programs that run notebooks: what a notebook prints must not depend on what ran
before.
"""


def registry(account: str, region: str) -> str:
    """The host name of an account's private registry in a region."""
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"{account}.dkr.ecr.{region}.{suffix}"


def region_of(host: str) -> str | None:
    """The region in the host name of a private registry; None for any other host."""
    parts = host.split(".")
    if len(parts) >= 6 and parts[1:3] == ["dkr", "ecr"]:
        return parts[3]
    return None
