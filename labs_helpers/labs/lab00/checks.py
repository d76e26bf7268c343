"""Check of lab 00: the first thing a learner makes."""

from __future__ import annotations

from labs_helpers.checks.outcome import NotAttempted, NotYet, Outcome, Passed
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World

WANTED = "hello-labs"


@check("00.1")
def first_repository(world: World) -> Outcome:
    pages = world.client("ecr").get_paginator("describe_repositories").paginate()
    uris = {
        one["repositoryName"]: one["repositoryUri"]
        for page in pages
        for one in page["repositories"]
    }
    looked_at = f"the repositories of account {world.account} in {world.region}"
    if WANTED in uris:
        return Passed(
            f"The repository {WANTED} is there. Its address is {uris[WANTED]}.",
            "It is empty: lab 07 pushes an image.",
        )
    close = [name for name in uris if name.replace("_", "-").startswith("hello")]
    if not close:
        return NotAttempted(
            looked_at, f"run aws ecr create-repository --repository-name {WANTED} in the cell above"
        )
    return NotYet(
        looked_at, "\n".join(sorted(close)), WANTED, "compare the two names, letter by letter"
    )
