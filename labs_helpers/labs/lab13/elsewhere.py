"""Rights that were given in the second call of lab 13, and not to the roles that lack them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from itertools import product

from labs_helpers.checks import calls
from labs_helpers.checks.world import World

_OF_IAM = "us-east-1"
"""Where AWS records the calls of IAM; a sandbox records them where the call was made:
https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html"""
_GIVES = (("User", "user"), ("Role", "role"), ("Group", "group"))


def given(world: World, start: datetime | None, roles: Collection[str]) -> str:
    """What has rights since a time that the roles were to have, in words; "" for nothing.

    A policy of the repository counts whenever it was written: the lab begins without one. start:
    None where the commit has not been sent yet, so that nobody knows what was refused.
    """
    if _has_policy(world):
        return f"the repository {world.repository} has a policy of its own"
    return next(_of_iam(world, start, roles), "") if start else ""


def _has_policy(world: World) -> bool:
    ecr = world.client("ecr")
    try:
        ecr.get_repository_policy(repositoryName=world.repository)
    except (
        ecr.exceptions.RepositoryPolicyNotFoundException,
        ecr.exceptions.RepositoryNotFoundException,
    ):
        return False
    return True


def _of_iam(world: World, start: datetime, roles: Collection[str]) -> Iterator[str]:
    regions = dict.fromkeys((_OF_IAM, world.region))
    for (kind, word), deed, region in product(_GIVES, ("Put", "Attach"), regions):
        for one in calls.since(world, f"{deed}{kind}Policy", start, region):
            whose = str(one.params.get(f"{kind.lower()}Name", ""))
            if whose and not one.refused:
                lacks = ", which still lacks the right" if whose in roles else ""
                yield f"a policy was put on the {word} {whose}{lacks}"
