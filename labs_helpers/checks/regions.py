"""The region in which somebody made what the lab wanted, where that is another than the lab's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import botocore.exceptions

from labs_helpers.checks.goal import Finding
from labs_helpers.checks.world import World

REGIONS = (
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ap-south-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
)
"""The regions that every account has switched on.

https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html
"""


def elsewhere(world: World, asked: Callable[[Any], object]) -> str:
    """The first other region whose ECR has what is ``asked`` of its client; "" for none.

    A region that an account may not use answers with a refusal, and so does one that has no such
    thing. An empty answer counts as none, too.
    """
    for region in REGIONS:
        if region == world.region:
            continue
        try:
            if asked(world.client("ecr", region)):
                return region
        except botocore.exceptions.ClientError:
            continue
    return ""


def in_another(name: str, among: str, region: str, found: str) -> Finding:
    """What is said when ``name`` is in the region ``found``. among: "the repositories"."""
    return Finding(
        f"{among} of your registry in {region}",
        f"{name} is in {found}, and not in {region}",
        f"each region has a registry of its own, and this lab works in {region}",
    )
