"""What the webhook of a project is, and which filters CodeBuild takes.

A webhook is a record here: nothing calls its payload URL, and no push starts a build.
https://docs.aws.amazon.com/codebuild/latest/APIReference/API_Webhook.html
https://docs.aws.amazon.com/codebuild/latest/APIReference/API_WebhookFilter.html
https://docs.aws.amazon.com/codebuild/latest/userguide/github-webhook.html

The patterns of filters are regular expressions. Nobody matches them here, so that they are kept as
they are, and not compiled. Of a secret nothing is kept: whoever made or rotated it has it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from labs_helpers.sandbox.codebuild.errors import InvalidInput
from labs_helpers.sandbox.codebuild.naming import repository_on_github
from labs_helpers.sandbox.service.errors import NotHere, not_here

Document = dict[str, Any]

GITHUB = "GITHUB"
_ENTERPRISE = "GITHUB_ENTERPRISE"
_TITLES: Mapping[str, str] = {GITHUB: "GitHub", _ENTERPRISE: "GitHub Enterprise"}
_OTHER_GIT = ("BITBUCKET", "GITLAB", "GITLAB_SELF_MANAGED")

_ANY = frozenset({"ACTOR_ACCOUNT_ID"})
_PUSH = _ANY | {"HEAD_REF", "FILE_PATH", "COMMIT_MESSAGE"}
_PULL = _PUSH | {"BASE_REF"}
_RELEASE = _ANY | {"TAG_NAME", "RELEASE_NAME"}
_FILTERS: Mapping[str, frozenset[str]] = {
    "PUSH": _PUSH,
    "PULL_REQUEST_CREATED": _PULL,
    "PULL_REQUEST_UPDATED": _PULL,
    "PULL_REQUEST_CLOSED": _PULL,
    "PULL_REQUEST_REOPENED": _PULL,
    "PULL_REQUEST_MERGED": _PULL,
    "RELEASED": _RELEASE,
    "PRERELEASED": _RELEASE,
    "WORKFLOW_JOB_QUEUED": _ANY | {"WORKFLOW_NAME"},
}
"""Which types of filters go with an event. REPOSITORY_NAME and ORGANIZATION_NAME go with none: they
are for the webhooks of organizations."""

_GITHUB_ALONE = ("RELEASED", "PRERELEASED")
_NOT_IN_PULLS_OF_ENTERPRISE = frozenset({"FILE_PATH", "COMMIT_MESSAGE"})

_APPROVERS = ("GITHUB_WRITE", "GITHUB_MAINTAIN", "GITHUB_ADMIN")
"""Whose pull requests are built at once, where the request does not say.

https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/codebuild/webhook_test.go
"""


def made(project: Mapping[str, Any], params: Mapping[str, Any], region: str, at: float) -> Document:
    """The new webhook of a project; raises InvalidInput or NotHere.

    On GitHub, CodeBuild adds the hook to the repository; that of GitHub Enterprise, and a manual
    one, the user adds:
    https://docs.aws.amazon.com/codebuild/latest/userguide/run-build-cli-auto-start.html
    """
    source, manual = project["source"], bool(params.get("manualCreation"))
    _check_source(source["type"], params)
    hook: Document = {
        "payloadUrl": f"https://codebuild.{region}.amazonaws.com/webhooks"
        f"?t={secrets.token_urlsafe(96)}&v=1",
        "buildType": "BUILD",
        "lastModifiedSecret": at,
        "status": "ACTIVE",
    }
    if source["type"] == GITHUB:
        repository = _repository(source["location"])
        if not manual:
            number = 100_000_000 + secrets.randbelow(900_000_000)
            hook["url"] = f"https://api.github.com/repos/{repository}/hooks/{number}"
        hook["pullRequestBuildPolicy"] = _policy({"requiresCommentApproval": "ALL_PULL_REQUESTS"})
    if manual:
        hook["manualCreation"] = True
    return _filtered(hook, params, source["type"])


def changed(
    before: Mapping[str, Any], params: Mapping[str, Any], source: str, at: float
) -> Document:
    """A webhook after UpdateWebhook; source: the type of the project's source.

    A branch filter takes the place of filter groups, and filter groups that of a branch filter.
    """
    hook = dict(before)
    if params.get("rotateSecret"):
        hook["lastModifiedSecret"] = at
    return _filtered(hook, params, source)


def new_secret(hook: Mapping[str, Any]) -> str:
    """What GitHub signs its calls with; "" where CodeBuild tells GitHub, and nobody else.

    https://github.com/hashicorp/terraform-provider-aws/issues/5085
    """
    return "" if "url" in hook else secrets.token_hex(32)


def _check_source(kind: str, params: Mapping[str, Any]) -> None:
    if params.get("buildType") == "RUNNER_BUILDKITE_BUILD" and kind == "NO_SOURCE":
        raise NotHere("The sandbox does not have runners for Buildkite; they exist on AWS.")
    if kind in _OTHER_GIT:
        raise NotHere(
            f"The sandbox does not have webhooks of sources of type {kind}; they exist on AWS. It "
            f"keeps those of {GITHUB} and {_ENTERPRISE}."
        )
    if kind not in _TITLES:
        raise InvalidInput(f"Invalid input: sourceType {kind} does not support webhooks")
    if params.get("scopeConfiguration"):
        raise not_here(
            "scopeConfiguration",
            "No organization is here, and the webhook of a project is that of its repository.",
        )
    if params.get("manualCreation") and kind != GITHUB:
        raise InvalidInput("Invalid input: manualCreation is only available for GitHub webhooks")


def _repository(location: str) -> str:
    if found := repository_on_github(location):
        return found
    raise InvalidInput(
        "Invalid project source: source location must be a valid GitHub repository URL"
    )


def _filtered(hook: Document, params: Mapping[str, Any], kind: str) -> Document:
    """A webhook with the filters, the type of build and the policy of a request."""
    branch, groups = params.get("branchFilter"), params.get("filterGroups")
    if branch and groups:
        raise InvalidInput("Invalid input: branchFilter and filterGroups cannot both be given")
    if branch is not None or groups is not None:
        hook.pop("branchFilter", None)
        hook.pop("filterGroups", None)
    if branch:
        hook["branchFilter"] = branch
    if groups:
        for group in groups:
            _check_group(group, kind)
        hook["filterGroups"] = [
            [{"excludeMatchedPattern": False, **each} for each in group] for group in groups
        ]
    if "buildType" in params:
        if params["buildType"] == "RUNNER_BUILDKITE_BUILD":
            raise InvalidInput(
                "Invalid input: buildType RUNNER_BUILDKITE_BUILD is only available for projects of "
                "sourceType NO_SOURCE"
            )
        hook["buildType"] = params["buildType"]
    if policy := params.get("pullRequestBuildPolicy"):
        hook["pullRequestBuildPolicy"] = _policy(policy)
    return hook


def _policy(given: Mapping[str, Any]) -> Document:
    """Who must approve the build of a pull request; raises InvalidInput.

    https://docs.aws.amazon.com/codebuild/latest/APIReference/API_PullRequestBuildPolicy.html
    """
    roles = given.get("approverRoles", [])
    if wrong := [each for each in roles if not each.startswith("GITHUB_")]:
        raise InvalidInput(f"Invalid input: approverRoles of GitHub have no {', '.join(wrong)}")
    if not roles and given["requiresCommentApproval"] != "DISABLED":
        return {**given, "approverRoles": [*_APPROVERS]}
    return dict(given)


def _check_group(group: Sequence[Mapping[str, Any]], kind: str) -> None:
    events = [name for each in group if each["type"] == "EVENT" for name in _events(each, kind)]
    if not events:
        raise InvalidInput("Invalid input: a filter group must have a filter of type EVENT")
    taken = frozenset.intersection(*(_filters(name, kind) for name in events))
    wrong = [each["type"] for each in group if each["type"] not in taken | {"EVENT"}]
    if wrong:
        raise InvalidInput(
            f"The following filter types are not allowed for {_TITLES[kind]} webhook when EVENT is "
            f"[{', '.join(events)}]: [{', '.join(dict.fromkeys(wrong))}]. Make sure input filter "
            "types are supported by all the EVENT types specified."
        )


def _events(each: Mapping[str, Any], kind: str) -> list[str]:
    """The names in the pattern of a filter of type EVENT."""
    names = [name.strip() for name in each["pattern"].split(",")]
    for name in names:
        if name not in _FILTERS or (kind == _ENTERPRISE and name in _GITHUB_ALONE):
            raise InvalidInput(f"Invalid input: {_TITLES[kind]} webhooks have no EVENT {name!r}")
    return names


def _filters(event: str, kind: str) -> frozenset[str]:
    """The types of filters that go with an event of this type of source."""
    taken = _FILTERS[event]
    pull = event.startswith("PULL_REQUEST_")
    return taken - _NOT_IN_PULLS_OF_ENTERPRISE if pull and kind == _ENTERPRISE else taken
