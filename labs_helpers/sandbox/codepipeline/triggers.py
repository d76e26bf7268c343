"""Triggers of a definition: what CreatePipeline refuses of them, and which push starts what.

Who starts what: https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-triggers.html,
https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-filter.html and
https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-filter-cli.html. A source action
has one trigger at most, and no change detection beside it. Of several filters one is enough; in a
filter, branches and file paths have to fit both. What is excluded is out, whatever is included. A
file counts where it is included and not excluded, and one changed file that counts is enough: AWS
does not say what a push of an excluded file together with another one does.

Sentences of AWS's: wording.toml has who quotes them. The other sentences are the sandbox's, with
CodePipeline's code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from labs_helpers.sandbox.codepipeline import globs
from labs_helpers.sandbox.codepipeline.errors import InvalidStructure
from labs_helpers.sandbox.service.errors import not_here

CONNECTION = "CodeStarSourceConnection"
BRANCH, TAG = "refs/heads/", "refs/tags/"

Push = Mapping[str, Any]
"""{"ref", "commit", "paths"}: of a branch or a tag; paths: the files that the push of a branch
changed, None where nobody knows."""

_NAMES = {"tags": "Git tags", "branches": "branches", "filePaths": "file paths"}


def check(made: Mapping[str, Any]) -> None:
    """Raise InvalidStructure or NotHere for triggers that are wrong, or not here."""
    seen: set[str] = set()
    if made["pipelineType"] == "V1" and "triggers" in made:
        filters = [
            each
            for trigger in made["triggers"]
            for each in trigger["gitConfiguration"].get("push", [])
        ]
        if any("tags" in each for each in filters):
            raise InvalidStructure("Triggers on tag can only be used with V2 pipelines")
        raise InvalidStructure("A pipeline of type V1 has no triggers: set pipelineType to V2")
    sources = {each["name"]: each for each in made["stages"][0]["actions"]}
    for trigger in made.get("triggers", []):
        given = trigger["gitConfiguration"]
        name, pushes = given["sourceActionName"], given.get("push", [])
        source = sources.get(name)
        if source is None or source["actionTypeId"]["provider"] != CONNECTION or name in seen:
            raise InvalidStructure(
                "Triggers for connection must reference a CodeStarSourceConnection action. Note "
                "that when you specify a trigger, you cant specify more than one trigger per "
                "source action."
            )
        seen.add(name)
        if "pullRequest" in given:
            raise not_here(
                "pullRequest of a trigger", "A git folder of yours has no pull requests: use push."
            )
        for each in pushes:
            _check_filter(name, each)


def _check_filter(action: str, given: Mapping[str, Any]) -> None:
    """The combinations that AWS has are tags, branches, and branches with file paths."""
    kinds = {kind for kind in _NAMES if kind in given}
    if kinds not in ({"tags"}, {"branches"}, {"branches", "filePaths"}):
        raise InvalidStructure(
            "The trigger configuration for the source action is not valid. Make sure to choose "
            "valid filter combinations."
        )
    for kind in sorted(kinds):
        patterns = [*given[kind].get("includes", []), *given[kind].get("excludes", [])]
        if not patterns:
            raise InvalidStructure(
                f"The trigger for the source action {action} filters on {_NAMES[kind]} and names "
                "none: give includes, excludes or both"
            )
        for pattern in patterns:
            try:
                globs.check(pattern)
            except globs.BadGlob as error:
                raise InvalidStructure(
                    f"The trigger for the source action {action} has the pattern {pattern!r}, "
                    f"which is no glob: {error}"
                ) from None


def started(
    declaration: Mapping[str, Any], connection: str, repository: str, push: Push
) -> list[dict[str, str]] | None:
    """None for a push that does not start the pipeline; else the revisions of its sources.

    A source with filters takes the commit of the push, whatever its BranchName. A source without
    takes the newest commit of its branch, and is in no revision.
    """
    filters = {
        each["gitConfiguration"]["sourceActionName"]: each["gitConfiguration"].get("push", [])
        for each in declaration.get("triggers", [])
    }
    starts, revisions = False, []
    for action in _sources(declaration, connection, repository):
        given, name = action["configuration"], action["name"]
        if filters.get(name):
            if any(fits(each, push) for each in filters[name]):
                starts = True
                revisions.append(_revision(name, push))
        elif push["ref"] == BRANCH + given["BranchName"]:
            # a trigger without filters starts on every push to the action's branch
            detects = given.get("DetectChanges", "true").lower() != "false"
            starts = starts or name in filters or detects
    return revisions if starts else None


def _sources(
    declaration: Mapping[str, Any], connection: str, repository: str
) -> Iterator[Mapping[str, Any]]:
    wanted = {"ConnectionArn": connection, "FullRepositoryId": repository}
    for action in declaration["stages"][0]["actions"]:
        if wanted.items() <= action["configuration"].items():
            yield action


def _revision(action: str, push: Push) -> dict[str, str]:
    """As sourceRevisions of StartPipelineExecution, with the branch, which the variables name."""
    made = {
        "actionName": action,
        "revisionType": "COMMIT_ID",
        "revisionValue": str(push["commit"]),
    }
    ref = str(push["ref"])
    return {**made, "branch": ref.removeprefix(BRANCH)} if ref.startswith(BRANCH) else made


def fits(given: Mapping[str, Any], push: Push) -> bool:
    """Whether a push passes a filter."""
    ref = str(push["ref"])
    if "tags" in given:
        return ref.startswith(TAG) and _passes(given["tags"], ref.removeprefix(TAG))
    if not ref.startswith(BRANCH) or not _passes(given["branches"], ref.removeprefix(BRANCH)):
        return False
    if "filePaths" not in given:
        return True
    return any(_passes(given["filePaths"], path) for path in push["paths"] or ())


def _passes(criteria: Mapping[str, Sequence[str]], name: str) -> bool:
    """Not excluded, and included where anything is included."""
    if any(globs.matches(each, name) for each in criteria.get("excludes", [])):
        return False
    includes = criteria.get("includes", [])
    return not includes or any(globs.matches(each, name) for each in includes)
