"""Check of lab 11: a build and a gate repaired, so that a commit arrives again."""

from __future__ import annotations

import re

from labs_helpers.checks.goal import Fact, Finding, unmet
from labs_helpers.checks.outcome import NotAttempted, Outcome, Passed
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World
from labs_helpers.labs.delivery import deployed, history, release
from labs_helpers.labs.delivery.buildspec import Spec
from labs_helpers.labs.delivery.names import PIPELINE, SERVICE
from labs_helpers.labs.delivery.release import GATE, SPEC, Release

TIDIED = "Tidy the build"
"""The subject of the ticket's commit."""
_TESTS = ("test.sh", "tests.sh")
_ONE_IMAGE = re.compile(r"\blabs\s+gate\s+[\"']?[\w./-]+[:@][\"']?(?!\$)[\w:.-]+")
"""A gate for an image that is named in full, without a variable."""


def _gate_judges_each(given: Release) -> Finding | None:
    if isinstance(given.gate, Spec):
        for command in given.gate.all_commands:
            if _ONE_IMAGE.search(command):
                return Finding(
                    f"{GATE} of your last commit",
                    f"{command.strip()}\nthis judges one image, whatever the build has pushed",
                    "the name of the image has to follow the commit",
                )
    return release.gate_stays(given)


def _the_test_tests(given: Release) -> Finding | None:
    if (found := release.test_stays(given) or release.tags_stay(given)) is not None:
        return found
    script = next((one for one in _TESTS if history.file(one, given.commit)), _TESTS[0])
    text = history.file(script, given.commit) or b""
    if b"</html>" in text and b"exit 1" in text:
        return None
    return Finding(
        f"{script} of your last commit",
        "it does not look for the end of the page any more",
        "the test was right: half a page has to stop the build",
    )


BUILD_FACTS = (
    Fact("a commit of yours", release.committed),
    Fact("the test before the push, and a build that ends at a failed test", _the_test_tests),
    Fact("the gate judges the image of each commit", _gate_judges_each),
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
