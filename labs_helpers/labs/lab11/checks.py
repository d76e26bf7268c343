"""Checks of lab 11: a build and two roles repaired, so that a commit arrives again."""

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
from labs_helpers.labs.lab11 import rights

TIDIED, WELCOME = "Tidy the build", "Welcome the visitors"
"""The subjects of the commits of the two tickets."""
_TESTS = ("test.sh", "tests.sh")
_ONE_IMAGE = re.compile(r"\blabs\s+gate\s+[\"']?[\w./-]+[:@][\"']?(?!\$)[\w:.-]+")
"""A gate for an image that is named in full, without a variable."""


def _newest(*without: str) -> str | None:
    """The newest commit whose subject is none of ``without``."""
    found = history.commits()
    return next((one for one, subject in found.items() if subject not in without), None)


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
    commit = _newest(WELCOME)
    if TIDIED not in history.commits().values() or deployed.executions(world) is None:
        return NotAttempted(looks_at)
    untouched = not any(map(history.is_changed, (SPEC, GATE)))
    if commit is None or (untouched and _newest(TIDIED, WELCOME) != commit):
        return NotAttempted(looks_at)
    return unmet(BUILD_FACTS, Release(world, commit)) or Passed(
        "Your commit has arrived, tested and judged.",
        "A pipeline shows one fault at a time: the next one waits behind the repair.",
    )


def _nothing_committed(given: rights.Roles) -> Finding | None:
    subject = history.commits()[given.release.commit]
    if subject == WELCOME:
        return None
    return Finding(
        "your last commit", subject, "the files were right; what is wrong is not in the repository"
    )


def _commit_arrives(given: rights.Roles) -> Finding | None:
    return release.arrives(given.release)


def _deploy_has_begun(given: rights.Roles) -> Finding | None:
    """What comes after a stage shows only when the stage is over."""
    found = deployed.of_commit(given.release.executions, given.release.commit)
    if found is None or found["status"] == "Succeeded":
        return None
    stage, _ = deployed.why(given.world, found["pipelineExecutionId"])
    on_its_way = found["status"] == "InProgress" or stage not in ("", "Deploy")
    return _commit_arrives(given) if on_its_way else None


def _commit_runs(given: rights.Roles) -> Finding | None:
    if (found := release.runs(given.release)) is not None:
        return found
    service, wanted = given.release.service, given.release.definition
    if service is None or wanted is None or service.definition == wanted.arn:
        return None
    return Finding(
        f"what the service {SERVICE} runs",
        f"{service.definition.rpartition('/')[2]}, which is not that of the commit",
        "somebody has deployed something else since: let the commit's stage Deploy run again",
    )


ROLE_FACTS = (
    Fact("commit nothing", _nothing_committed),
    Fact("demo-app-build may push to demo-app-repo again", rights.build_may_push),
    Fact("the commit arrives, sent there by the pipeline", _deploy_has_begun),
    Fact("demo-app-pipeline may deploy again", rights.pipeline_may_deploy),
    Fact("neither may more than that", rights.no_more),
    Fact("the commit arrives, sent there by the pipeline", _commit_arrives),
    Fact(f"the service {SERVICE} runs its image", _commit_runs),
)


@check("11.2", ROLE_FACTS)
def roles_repaired(world: World) -> Outcome:
    looks_at = (
        f"what the roles demo-app-build and demo-app-pipeline may do, the pipeline {PIPELINE}"
    )
    commits = history.commits()
    if WELCOME not in commits.values() or deployed.executions(world) is None:
        return NotAttempted(looks_at)
    given = rights.Roles(Release(world, next(iter(commits))))
    if commits[given.release.commit] == WELCOME and given.are_as_the_auditors_left_them:
        return NotAttempted(looks_at)
    return unmet(ROLE_FACTS, given) or Passed(
        "Both roles have their rights again, and no others; the commit has arrived.",
        "Whether the auditors agree is another question: show them the log.",
    )
