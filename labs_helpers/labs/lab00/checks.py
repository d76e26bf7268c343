"""Check of lab 00: the first thing a learner makes."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import botocore.exceptions

from labs_helpers.checks.goal import Fact, Finding, unmet
from labs_helpers.checks.outcome import NotAttempted, Outcome, Passed
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World

WANTED = "hello-labs"
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


@dataclass(frozen=True)
class Repositories:
    """The repositories of the lab's region by name, each with its address.

    elsewhere: the first other region that has the wanted repository; "" for none.
    """

    region: str
    uris: dict[str, str]
    elsewhere: str


def _is_there(found: Repositories) -> Finding | None:
    if WANTED in found.uris:
        return None
    if found.elsewhere:
        return Finding(
            f"the repositories of your registry in {found.region}",
            f"{WANTED} is in {found.elsewhere}, and not in {found.region}",
            f"each region has a registry of its own, and this lab works in {found.region}",
        )
    return Finding(
        "the repositories of your registry",
        "\n".join(_near(found.uris)),
        "compare the two names, letter by letter",
    )


def _elsewhere(world: World) -> str:
    """The first other region in which the wanted repository is; "" for none.

    A region that an account may not use answers with a refusal, and holds no repository to name.
    """
    for region in REGIONS:
        if region == world.region:
            continue
        try:
            world.client("ecr", region).describe_repositories(repositoryNames=[WANTED])
        except botocore.exceptions.ClientError:
            continue
        return region
    return ""


def _near(names: dict[str, str]) -> list[str]:
    """Names that may have been meant for the wanted one."""
    parts = {"hello", "labs", "lab"}
    return sorted(
        name
        for name in names
        if difflib.SequenceMatcher(None, name, WANTED).ratio() > 0.7
        or len(parts & set(name.replace("_", "-").replace("/", "-").split("-"))) > 1
    )


FACTS = (Fact(f"one called {WANTED}", _is_there),)


@check("00.1", FACTS)
def first_repository(world: World) -> Outcome:
    pages = world.client("ecr").get_paginator("describe_repositories").paginate()
    uris = {
        one["repositoryName"]: one["repositoryUri"]
        for page in pages
        for one in page["repositories"]
    }
    found = Repositories(world.region, uris, "" if WANTED in uris else _elsewhere(world))
    if WANTED not in uris and not _near(uris) and not found.elsewhere:
        return NotAttempted(f"the repositories of account {world.account} in {world.region}")
    return unmet(FACTS, found) or Passed(
        f"The repository {WANTED} is there. Its address is {uris[WANTED]}.",
        "Whether it holds an image is another question: lab 07 pushes one.",
    )
