"""Check of lab 11: a build and a gate repaired, so that a commit arrives again."""

from __future__ import annotations

from labs_helpers.checks.goal import Fact, Finding, unmet
from labs_helpers.checks.outcome import NotAttempted, Outcome, Passed
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World
from labs_helpers.labs.delivery import deployed, history, release
from labs_helpers.labs.delivery.names import PIPELINE, SERVICE
from labs_helpers.labs.delivery.release import GATE, SPEC, Release

TIDIED = "Tidy the build"
"""The subject of the ticket's commit."""


def _the_build_tests(given: Release) -> Finding | None:
    return release.test_stays(given) or release.tags_stay(given)


BUILD_FACTS = (
    Fact("a commit of yours", release.committed),
    Fact("the test before the push, and a build that ends at a failed test", _the_build_tests),
    Fact("the gate judges the image of each commit", release.gate_stays),
    Fact("it arrives, sent there by the pipeline", release.arrives),
    Fact(f"the service {SERVICE} runs the image of your commit", release.runs),
)


@check("11.1", BUILD_FACTS)
def build_repaired(world: World) -> Outcome:
    looks_at = f"{SPEC} and {GATE} of your last commit, the pipeline {PIPELINE}, {SERVICE}"
    commits = history.commits()
    if TIDIED not in commits.values() or deployed.executions(world) is None:
        return NotAttempted(looks_at)
    commit, subject = next(iter(commits.items()))
    if subject == TIDIED and not any(map(history.is_changed, (SPEC, GATE))):
        return NotAttempted(looks_at)
    return unmet(BUILD_FACTS, Release(world, commit)) or Passed(
        "Your commit has arrived, tested and judged.",
        "A pipeline shows one fault at a time: the next one waits behind the repair.",
    )
