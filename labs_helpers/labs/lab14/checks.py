"""Check of lab 14: what is left of what labs 10 and 12 deployed."""

from __future__ import annotations

from labs_helpers.checks.goal import Fact, Finding, unmet
from labs_helpers.checks.outcome import NotAttempted, Outcome, Passed
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World
from labs_helpers.labs.deployment.names import CLUSTER, ROLE, WEB
from labs_helpers.labs.lab14.left import advice, bare, begun, in_lines, left, lessened

LOOKED_AT = "what the labs deployed, by name"


def _nothing(there: list[str]) -> Finding | None:
    if not there:
        return None
    return Finding(LOOKED_AT, "\n".join(in_lines(there)), advice(there[0]))


CLEAN_FACTS = (
    Fact(
        "nothing is left: no service, task, cluster, load balancer, role, repository, and no "
        "active revision",
        _nothing,
    ),
)


@check("14.1", CLEAN_FACTS)
def nothing_left(world: World) -> Outcome:
    there = left(world)
    whole = {f"cluster {CLUSTER}", f"service {WEB}", f"role {ROLE}"}
    whole.add(f"repository {world.repository}")
    if (there and not begun(world)) or (whole <= bare(there) and not lessened(world)):
        return NotAttempted(LOOKED_AT)
    return unmet(CLEAN_FACTS, there) or Passed(
        "Nothing of this lab is left, so nothing of it can cost.",
        "Other labs have other names: lab.receipt() lists what is left of all of them.",
    )
