"""Check of lab 00: the first thing a learner makes."""

from __future__ import annotations

import difflib

from labs_helpers.checks.goal import Fact, Finding, unmet
from labs_helpers.checks.outcome import NotAttempted, Outcome, Passed
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World

WANTED = "hello-labs"


def _is_there(uris: dict[str, str]) -> Finding | None:
    if WANTED in uris:
        return None
    return Finding(
        "the repositories of your registry",
        "\n".join(_near(uris)),
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
    if WANTED not in uris and not _near(uris):
        return NotAttempted(f"the repositories of account {world.account} in {world.region}")
    return unmet(FACTS, uris) or Passed(
        f"The repository {WANTED} is there. Its address is {uris[WANTED]}.",
        "Whether it holds an image is another question: lab 07 pushes one.",
    )
