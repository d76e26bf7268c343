"""Check of lab 00: the first thing a learner makes."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from labs_helpers.checks import regions
from labs_helpers.checks.goal import Fact, Finding, unmet
from labs_helpers.checks.outcome import NotAttempted, Outcome, Passed
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World

WANTED = "hello-labs"


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
        return regions.in_another(WANTED, "the repositories", found.region, found.elsewhere)
    return Finding(
        "the repositories of your registry",
        "\n".join(_near(found.uris)),
        "compare the two names, letter by letter",
    )


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
    there = (
        ""
        if WANTED in uris
        else regions.elsewhere(
            world, lambda ecr: ecr.describe_repositories(repositoryNames=[WANTED])
        )
    )
    found = Repositories(world.region, uris, there)
    if WANTED not in uris and not _near(uris) and not found.elsewhere:
        return NotAttempted(f"the repositories of account {world.account} in {world.region}")
    return unmet(FACTS, found) or Passed(
        f"The repository {WANTED} is there. Its address is {uris[WANTED]}.",
        "Whether it holds an image is another question: lab 07 pushes one.",
    )
