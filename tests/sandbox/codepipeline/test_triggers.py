"""Triggers: which are refused, and which push starts a pipeline.

Pages of AWS's: pipelines-triggers, pipelines-filter and pipelines-filter-cli below
https://docs.aws.amazon.com/codepipeline/latest/userguide/
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from labs_helpers.sandbox.codepipeline import definition as rules
from labs_helpers.sandbox.codepipeline import triggers
from labs_helpers.sandbox.service.errors import ServiceError
from tests.sandbox.codepipeline.pipeline_room import (
    ACCOUNT,
    action,
    approval,
    definition,
    s3_source,
)

ARN = f"arn:aws:codeconnections:us-west-2:{ACCOUNT}:connection/c"
STRUCTURE = "InvalidStructureException"
COMBINATIONS = (
    "The trigger configuration for the source action is not valid. Make sure to choose valid "
    "filter combinations."
)
REFERENCE = (
    "Triggers for connection must reference a CodeStarSourceConnection action. Note that when you "
    "specify a trigger, you cant specify more than one trigger per source action."
)


def source(name: str = "App", **configuration: str) -> dict[str, Any]:
    given = {"ConnectionArn": ARN, "FullRepositoryId": "ada/app", "BranchName": "main"}
    return action(
        "Source", "CodeStarSourceConnection", {**given, **configuration}, name, outputs=[name]
    )


def trigger(*push: dict[str, Any], name: str = "App", **more: Any) -> dict[str, Any]:
    given = {"sourceActionName": name, **more}
    if push:
        given["push"] = list(push)
    return {"providerType": "CodeStarSourceConnection", "gitConfiguration": given}


def only(kind: str, *includes: str, excludes: tuple[str, ...] = ()) -> dict[str, Any]:
    """A filter of one kind."""
    lists = {"includes": list(includes), "excludes": list(excludes)}
    return {kind: {name: found for name, found in lists.items() if found}}


def pipeline(*triggers: dict[str, Any], **more: Any) -> dict[str, Any]:
    given = {"pipelineType": "V2", "triggers": list(triggers), **more}
    made = definition("p", [source(), s3_source()], approval(), **given)
    return rules.with_defaults(made, 1)


MAIN = only("branches", "main")

WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    ("no such source", pipeline(trigger(MAIN, name="Web")), STRUCTURE, REFERENCE),
    ("a source of S3", pipeline(trigger(MAIN, name="Source")), STRUCTURE, REFERENCE),
    ("an action that is no source", pipeline(trigger(MAIN, name="Approval")), STRUCTURE, REFERENCE),
    ("two triggers of a source", pipeline(trigger(MAIN), trigger(MAIN)), STRUCTURE, REFERENCE),
    ("tags with branches", pipeline(trigger({**MAIN, **only("tags", "v*")})), STRUCTURE,
     COMBINATIONS),
    ("tags with files", pipeline(trigger({**only("tags", "v*"), **only("filePaths", "a")})),
     STRUCTURE, COMBINATIONS),
    ("files alone", pipeline(trigger(only("filePaths", "src/**"))), STRUCTURE, COMBINATIONS),
    ("an empty filter", pipeline(trigger(MAIN, {})), STRUCTURE, COMBINATIONS),
    ("no branches", pipeline(trigger({"branches": {}})), STRUCTURE,
     "The trigger for the source action App filters on branches and names none: give includes, "
     "excludes or both"),
    ("no files", pipeline(trigger({**MAIN, "filePaths": {}})), STRUCTURE, "filters on file paths"),
    ("no tags", pipeline(trigger({"tags": {}})), STRUCTURE, "filters on Git tags and names none"),
    ("no glob", pipeline(trigger(only("branches", "main", excludes=("{a",)))), STRUCTURE,
     "The trigger for the source action App has the pattern '{a', which is no glob: { has no }"),
    ("tags of V1", pipeline(trigger(only("tags", "v*")), pipelineType="V1"), STRUCTURE,
     "Triggers on tag can only be used with V2 pipelines"),
    ("branches of V1", pipeline(trigger(MAIN), pipelineType="V1"), STRUCTURE,
     "A pipeline of type V1 has no triggers: set pipelineType to V2"),
    ("no triggers of V1", pipeline(pipelineType="V1"), STRUCTURE,
     "A pipeline of type V1 has no triggers: set pipelineType to V2"),
    ("pull requests", pipeline(trigger(pullRequest=[{"events": ["CLOSED"]}])), "NotInSandbox",
     "The sandbox does not have pullRequest of a trigger; it exists on AWS."),
]  # fmt: skip


@pytest.mark.parametrize(
    ("made", "code", "words"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG]
)
def test_a_trigger_is_refused_in_words(made: dict[str, Any], code: str, words: str) -> None:
    with pytest.raises(ServiceError) as caught:
        rules.check(made, ACCOUNT, "us-west-2")
    assert caught.value.code == code
    assert re.search(re.escape(words), caught.value.message), caught.value.message


BRANCH, TAG = "refs/heads/", "refs/tags/"
OF_THE_PAGE = {
    **only("branches", "feature/**", "release/**", excludes=("mainline",)),
    **only(
        "filePaths",
        *("projectA/**", "common/**/*.js"),
        excludes=("**/README.md", "**/LICENSE", "**/CONTRIBUTING.md"),
    ),
}
"""The filter of pipelines-filter-cli, without its tags, with which no definition is taken."""

STARTS: list[tuple[str, list[dict[str, Any]], str, list[str] | None, bool]] = [
    ("no filter, the action's branch", [], BRANCH + "main", ["a"], True),
    ("no filter, another branch", [], BRANCH + "dev", ["a"], False),
    ("no filter, a tag", [], TAG + "main", None, False),
    ("the branch, included", [only("branches", "dev")], BRANCH + "dev", ["a"], True),
    ("the action's branch, not included", [only("branches", "dev")], BRANCH + "main", ["a"], False),
    ("the branch, excluded", [only("branches", excludes=("dev",))], BRANCH + "dev", ["a"], False),
    ("another is excluded", [only("branches", excludes=("dev",))], BRANCH + "x", ["a"], True),
    ("excluded and included", [only("branches", "**", excludes=("dev",))], BRANCH + "dev", ["a"],
     False),
    ("an asterisk stays in a folder", [only("branches", "feature/*")], BRANCH + "feature/a/b",
     ["a"], False),
    ("a tag of a branch's name", [only("branches", "v1")], TAG + "v1", None, False),
    ("a tag, included", [only("tags", "release-v0", "release-v1", excludes=("release-v2",))],
     TAG + "release-v1", None, True),
    ("a tag, not included", [only("tags", "release-v0", "release-v1")], TAG + "release-v3", None,
     False),
    ("a tag, excluded", [only("tags", "release-*", excludes=("release-v2",))], TAG + "release-v2",
     None, False),
    ("a branch of a tag's name", [only("tags", "v*")], BRANCH + "v1", ["a"], False),
    ("branch and file", [OF_THE_PAGE], BRANCH + "feature/triggers", ["common/app.js"], True),
    ("the branch alone", [OF_THE_PAGE], BRANCH + "feature/triggers", ["src/index.js"], False),
    ("the file alone", [OF_THE_PAGE], BRANCH + "main", ["common/app.js"], False),
    ("the file, excluded", [OF_THE_PAGE], BRANCH + "release/1", ["projectA/README.md"], False),
    ("one of the files", [OF_THE_PAGE], BRANCH + "release/1", ["README.md", "projectA/a"], True),
    ("no files", [OF_THE_PAGE], BRANCH + "release/1", [], False),
    ("files that nobody knows", [OF_THE_PAGE], BRANCH + "release/1", None, False),
    ("only excluded files", [{**MAIN, **only("filePaths", excludes=("docs/**",))}],
     BRANCH + "main", ["docs/a", "docs/b/c"], False),
    ("no excluded file", [{**MAIN, **only("filePaths", excludes=("docs/**",))}],
     BRANCH + "main", ["src/a"], True),
    ("one filter of two", [only("tags", "v*"), only("branches", "dev")], BRANCH + "dev", ["a"],
     True),
    ("one excludes, one includes", [only("branches", excludes=("dev",)), only("branches", "dev")],
     BRANCH + "dev", ["a"], True),
    ("none of two", [only("tags", "v*"), only("branches", "dev")], BRANCH + "main", ["a"], False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("filters", "ref", "paths", "starts"),
    [row[1:] for row in STARTS],
    ids=[row[0] for row in STARTS],
)
def test_a_push_starts_what_its_filters_let_through(
    filters: list[dict[str, Any]], ref: str, paths: list[str] | None, starts: bool
) -> None:
    made = pipeline(trigger(*filters))
    rules.check(made, ACCOUNT, "us-west-2")
    push = {"ref": ref, "commit": "c0ffee", "paths": paths}
    found = triggers.started(made, ARN, "ada/app", push)
    assert (found is not None) == starts
    if starts and filters:
        assert found is not None
        wanted = {"actionName": "App", "revisionType": "COMMIT_ID", "revisionValue": "c0ffee"}
        branch = {"branch": ref.removeprefix(BRANCH)} if ref.startswith(BRANCH) else {}
        assert found == [{**wanted, **branch}]
    assert triggers.started(made, ARN, "ada/other", push) is None
    assert triggers.started(made, f"{ARN}2", "ada/app", push) is None


@pytest.mark.parametrize("ref", ["refs/heads/main", "refs/heads/dev", "refs/tags/v1"])
@pytest.mark.parametrize("detects", ["true", "false"])
@pytest.mark.parametrize("given", [(), (trigger(only("tags", "v*")),), (trigger(),)])
def test_a_trigger_stands_for_the_detection_of_changes(
    given: tuple[dict[str, Any], ...], detects: str, ref: str
) -> None:
    """Without one, DetectChanges says whether the action's branch counts."""
    made = rules.with_defaults(
        definition(
            "p",
            source(DetectChanges=detects),
            approval(),
            pipelineType="V2",
            **({"triggers": list(given)} if given else {}),
        ),
        1,
    )
    rules.check(made, ACCOUNT, "us-west-2")
    starts = triggers.started(made, ARN, "ada/app", {"ref": ref, "commit": "c", "paths": []})
    if not given:
        wanted = detects == "true" and ref.endswith("main")
    elif "push" in given[0]["gitConfiguration"]:
        wanted = ref.startswith("refs/tags/")
    else:
        wanted = ref.endswith("main")
    assert (starts is not None) == wanted


def test_each_source_has_its_own_trigger() -> None:
    other = source("Web", FullRepositoryId="ada/web")
    made = rules.with_defaults(
        definition(
            "p",
            [source(), source("Same"), other],
            approval(),
            pipelineType="V2",
            triggers=[trigger(only("tags", "v*")), trigger(only("tags", "*"), name="Same")],
        ),
        1,
    )
    rules.check(made, ACCOUNT, "us-west-2")
    tag = {"ref": "refs/tags/v1", "commit": "c", "paths": None}
    found = triggers.started(made, ARN, "ada/app", tag)
    assert [each["actionName"] for each in found or ()] == ["App", "Same"]
    assert triggers.started(made, ARN, "ada/web", tag) is None
    main = {"ref": "refs/heads/main", "commit": "c", "paths": []}
    assert triggers.started(made, ARN, "ada/web", main) == []
    assert triggers.started(made, ARN, "ada/app", main) is None
