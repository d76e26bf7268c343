"""Check of lab 09: a release that the pipeline brings to ECS by digest."""

from __future__ import annotations

from labs_helpers.checks.goal import Fact, Finding, unmet
from labs_helpers.checks.outcome import NotAttempted, Outcome, Passed
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World
from labs_helpers.labs.delivery import deployed, history, release
from labs_helpers.labs.delivery.buildspec import Spec
from labs_helpers.labs.delivery.names import PIPELINE, SERVICE
from labs_helpers.labs.delivery.release import LOOKED_AT, RECORD, SPEC, Release


def _is_untouched(given: Release) -> bool:
    """Whether the buildspec still is the one that was to be repaired."""
    if history.is_changed(SPEC) or not isinstance(given.spec, Spec):
        return False
    line = given.spec.line_with(RECORD)
    return 'app\\"' in line and "@" not in line


def _by_digest(given: Release) -> Finding | None:
    found = given.definition
    if found is None or "@" in found.image:
        return None
    return Finding(
        f"the image in the task definition {found.name}",
        found.image,
        "this is a tag, and a tag can move: after the push, ECR knows the digest",
    )


RELEASE_FACTS = (
    Fact("a commit of yours", release.committed),
    Fact("the test before the push, and a build that ends at a failed test", release.test_stays),
    Fact("tags from the commit's id", release.tags_stay),
    Fact("the rest stays: the gate", release.gate_stays),
    Fact("it arrives, sent there by the pipeline", release.arrives),
    Fact(
        f"the service {SERVICE} runs the image of your commit; tags from the commit's id",
        release.runs,
    ),
    Fact(f"{RECORD} names the image by digest", _by_digest),
)


@check("09.1", RELEASE_FACTS)
def arrived_by_digest(world: World) -> Outcome:
    looks_at = f"{LOOKED_AT}, the pipeline {PIPELINE} and the service {SERVICE}"
    commits = history.commits()
    if not commits or deployed.executions(world) is None:
        return NotAttempted(looks_at)
    given = Release(world, next(iter(commits)))
    if _is_untouched(given):
        return NotAttempted(looks_at)
    return unmet(RELEASE_FACTS, given) or Passed(
        "Your commit has arrived, and ECS was given its image by digest.",
        "Whoever moves a tag now changes nothing of what was approved.",
    )
