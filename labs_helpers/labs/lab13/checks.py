"""Checks of lab 13: a release that was taken back, and two roles repaired."""

from __future__ import annotations

from labs_helpers.checks.goal import Fact, Finding, unmet
from labs_helpers.checks.outcome import NotAttempted, Outcome, Passed
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World
from labs_helpers.labs.delivery import deployed, history, release
from labs_helpers.labs.delivery.names import PIPELINE, SERVICE
from labs_helpers.labs.delivery.release import Release
from labs_helpers.labs.lab13 import rights, taken_back

WELCOME = "Welcome the visitors"
"""The subject of the commit of the ticket."""

BACK_FACTS = (
    Fact("delete nothing", taken_back.nothing_deleted),
    Fact("commit nothing", taken_back.nothing_committed),
    Fact(
        f"the service {SERVICE} runs the image that it ran before; build nothing",
        taken_back.ran_before,
    ),
)


@check("13.1", BACK_FACTS)
def release_taken_back(world: World) -> Outcome:
    looks_at = f"the service {SERVICE}, its task definitions, and the images of {world.repository}"
    releases = taken_back.releases_of(world)
    if releases is None:
        return NotAttempted(f"{looks_at}; the cells of the lesson deploy the bad release first")
    if releases.is_cleaned_up:
        return NotAttempted(
            f"{looks_at}; no task definition of the service is active, as after the lab's clean-up"
        )
    if releases.is_as_found:
        return NotAttempted(looks_at)
    if releases.runs_the_good_one:
        says = "The release from before runs again, in its own image, to the last byte."
    else:
        says = "The release from before ran again, and your commits have come after that."
    return unmet(BACK_FACTS, releases) or Passed(
        says, "The bad image is still there to be looked into."
    )


# the roles


def _nothing_committed(given: rights.Roles) -> Finding | None:
    """No commit instead of the repair; those that came when the commit had arrived are no such."""
    if not given.later or given.has_arrived:
        return None
    return Finding(
        "your last commit",
        given.later[0],
        f"the files of {WELCOME} were right; what is wrong is not in the repository: go back to "
        f"that commit (git reset --hard {given.release.tag}), and say yes when it waits",
    )


def _was_retried(given: rights.Roles) -> bool:
    """Whether the commit's build has run more than once."""
    release = given.release
    made = deployed.actions_of_commit(given.world, release.executions, release.commit)
    return len([one for one in made if one["stageName"] == "Build"]) > 1


def _commit_arrives(given: rights.Roles) -> Finding | None:
    if given.later and given.has_arrived:
        return None
    return release.arrives(given.release)


def _deploy_has_begun(given: rights.Roles) -> Finding | None:
    """What comes after a stage shows only when the stage is over."""
    found = deployed.of_commit(given.release.executions, given.release.commit)
    if found is None or found["status"] == "Succeeded":
        return None
    stage, _ = deployed.why(deployed.actions(given.world, found["pipelineExecutionId"]))
    on_its_way = found["status"] == "InProgress" or stage not in ("", "Deploy")
    return _commit_arrives(given) if on_its_way else None


def _commit_runs(given: rights.Roles) -> Finding | None:
    if (found := release.runs(given.release)) is not None:
        return found
    service, wanted = given.release.service, given.release.definition
    if service is None or wanted is None or service.definition == wanted.arn or given.later:
        return None
    return Finding(
        f"what the service {SERVICE} runs",
        f"{service.definition.rpartition('/')[2]}, which is not that of the commit",
        "somebody has deployed something else since: let the commit's stage Deploy run again",
    )


ROLE_FACTS = (
    Fact("commit nothing", _nothing_committed),
    # what is too much first: to add what is missing does not take it away
    Fact("neither may more than that", rights.no_more),
    Fact("demo-app-build may push to demo-app-repo again", rights.build_may_push),
    Fact("the commit arrives, sent there by the pipeline", _deploy_has_begun),
    Fact("demo-app-pipeline may deploy again", rights.pipeline_may_deploy),
    Fact("the commit arrives, sent there by the pipeline", _commit_arrives),
    Fact(f"the service {SERVICE} runs its image", _commit_runs),
)


@check("13.2", ROLE_FACTS)
def roles_repaired(world: World) -> Outcome:
    looks_at = (
        "what the roles demo-app-build and demo-app-pipeline themselves may do, and the executions "
        f"of the pipeline {PIPELINE}"
    )
    commits = history.commits()
    commit = next((one for one, subject in commits.items() if subject == WELCOME), None)
    if commit is None or deployed.executions(world) is None:
        return NotAttempted(looks_at)
    order = [*commits]
    later = tuple(commits[one] for one in order[: order.index(commit)])
    given = rights.Roles(Release(world, commit), later)
    if (
        not later
        and given.are_as_the_auditors_left_them
        and not _was_retried(given)
        and not given.elsewhere
    ):
        return NotAttempted(looks_at)
    return unmet(ROLE_FACTS, given) or Passed(
        "Both roles have their rights again, and no others; the commit has arrived"
        + (", and your commits have come after that." if later else "."),
        "Whether the auditors agree is another question: show them the log.",
    )
