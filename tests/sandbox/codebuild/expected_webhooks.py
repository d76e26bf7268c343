"""Rows of webhooks (test_public_expectations.py), from the acceptance tests of Terraform.

The tests run on an account with source credentials, which the sandbox has none of: so the webhooks
here are manual ones and those of GitHub Enterprise, for which CodeBuild asks no provider.
"""

from __future__ import annotations

import re
from typing import Any

from tests.sandbox.codebuild.expected_projects import API, project
from tests.sandbox.public_expectations import ABSENT, Step, refused, row

SUITE = (
    "https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/codebuild/"
    "webhook_test.go"
)
GITHUB = {"type": "GITHUB", "location": "https://github.com/hashicorp/acceptance.git"}
ENTERPRISE = {"type": "GITHUB_ENTERPRISE", "location": "https://example.com/acceptance.git"}
HTTPS = re.compile("^https://")
ANY = re.compile(".+")
DEFAULT = ["GITHUB_WRITE", "GITHUB_MAINTAIN", "GITHUB_ADMIN"]


def of(name: str, source: dict[str, Any]) -> Step:
    return ("create_project", project(name, source=source), {"project": {"webhook": ABSENT}})


def manual(name: str, expected: dict[str, Any], **params: Any) -> Step:
    given = {"projectName": name, "manualCreation": True, **params}
    return ("create_webhook", given, {"webhook": expected})


def shown(name: str, expected: Any) -> Step:
    """What BatchGetProjects shows of the webhook."""
    return ("batch_get_projects", {"names": [name]}, {"projects": [{"webhook": expected}]})


WEBHOOKS = [
    row(
        "the user adds the hook of GitHub Enterprise, with a secret and a payload URL",
        SUITE + "#TestAccCodeBuildWebhook_gitHubEnterprise",
        of("enterprise", ENTERPRISE),
        (
            "create_webhook",
            {"projectName": "enterprise", "branchFilter": "dev"},
            {
                "webhook": {
                    "branchFilter": "dev",
                    "payloadUrl": HTTPS,
                    "secret": ANY,
                    "url": ABSENT,
                    "manualCreation": ABSENT,
                    "scopeConfiguration": ABSENT,
                }
            },
        ),
        shown("enterprise", {"branchFilter": "dev", "payloadUrl": HTTPS, "secret": ABSENT}),
        (
            "update_webhook",
            {"projectName": "enterprise", "branchFilter": "master", "rotateSecret": False},
            {"webhook": {"branchFilter": "master", "secret": ABSENT}},
        ),
        shown("enterprise", {"branchFilter": "master", "url": ABSENT}),
    ),
    row(
        "without an access token no hook is added to a repository on GitHub",
        SUITE + "#TestAccCodeBuildWebhook_gitHub",
        of("tokenless", GITHUB),
        (
            "create_webhook",
            {"projectName": "tokenless"},
            refused(
                "ResourceNotFoundException",
                "Access token not found in CodeBuild project for server type github",
            ),
        ),
        ("batch_get_projects", {"names": ["tokenless"]}, {"projects": [{"webhook": ABSENT}]}),
        aws="https://github.com/30Piraten/pipeline/blob/main/errors/err1.md",
    ),
    row(
        "a manual webhook has its secret for whoever adds the hook",
        SUITE + "#TestAccCodeBuildWebhook_manualCreation",
        of("manual", GITHUB),
        manual("manual", {"manualCreation": True, "payloadUrl": HTTPS, "secret": ANY}),
        shown("manual", {"secret": ABSENT, "buildType": "BUILD"}),
    ),
    row(
        "the type of build is changed",
        SUITE + "#TestAccCodeBuildWebhook_buildType",
        of("typed", GITHUB),
        manual("typed", {"buildType": "BUILD"}, buildType="BUILD"),
        (
            "update_webhook",
            {"projectName": "typed", "buildType": "BUILD_BATCH", "branchFilter": ""},
            {"webhook": {"buildType": "BUILD_BATCH", "branchFilter": ABSENT}},
        ),
        shown("typed", {"buildType": "BUILD_BATCH"}),
    ),
    row(
        "a webhook of all of GitHub is refused by name",
        SUITE + "#TestAccCodeBuildWebhook_scopeConfiguration",
        of("scoped", GITHUB),
        (
            "create_webhook",
            {
                "projectName": "scoped",
                "scopeConfiguration": {"name": "scoped", "scope": "GITHUB_GLOBAL"},
            },
            refused("NotInSandbox", re.compile("scopeConfiguration")),
        ),
        aws=API + "ScopeConfiguration.html",
    ),
    row(
        "filter groups are answered with what they exclude",
        SUITE + "#TestAccCodeBuildWebhook_filterGroup",
        of("filtered", GITHUB),
        manual(
            "filtered",
            {"branchFilter": ABSENT},
            filterGroups=[
                [
                    {"type": "EVENT", "pattern": "PUSH"},
                    {
                        "type": "HEAD_REF",
                        "pattern": "refs/heads/master",
                        "excludeMatchedPattern": True,
                    },
                ],
                [{"type": "EVENT", "pattern": "PULL_REQUEST_UPDATED"}],
            ],
        ),
        shown(
            "filtered",
            {
                "filterGroups": [
                    [
                        {"type": "EVENT", "pattern": "PUSH", "excludeMatchedPattern": False},
                        {
                            "type": "HEAD_REF",
                            "pattern": "refs/heads/master",
                            "excludeMatchedPattern": True,
                        },
                    ],
                    [
                        {
                            "type": "EVENT",
                            "pattern": "PULL_REQUEST_UPDATED",
                            "excludeMatchedPattern": False,
                        }
                    ],
                ]
            },
        ),
    ),
    row(
        "pull requests wait for an approval unless the webhook says otherwise",
        SUITE + "#TestAccCodeBuildWebhook_gitHubWithPullRequestBuildPolicy",
        of("pulled", GITHUB),
        manual(
            "pulled",
            {
                "pullRequestBuildPolicy": {
                    "requiresCommentApproval": "ALL_PULL_REQUESTS",
                    "approverRoles": DEFAULT,
                }
            },
        ),
        (
            "update_webhook",
            {
                "projectName": "pulled",
                "pullRequestBuildPolicy": {
                    "requiresCommentApproval": "FORK_PULL_REQUESTS",
                    "approverRoles": ["GITHUB_MAINTAIN", "GITHUB_ADMIN"],
                },
            },
            {},
        ),
        shown(
            "pulled",
            {
                "pullRequestBuildPolicy": {
                    "requiresCommentApproval": "FORK_PULL_REQUESTS",
                    "approverRoles": ["GITHUB_MAINTAIN", "GITHUB_ADMIN"],
                }
            },
        ),
        (
            "update_webhook",
            {
                "projectName": "pulled",
                "pullRequestBuildPolicy": {"requiresCommentApproval": "DISABLED"},
            },
            {"webhook": {"pullRequestBuildPolicy": {"requiresCommentApproval": "DISABLED"}}},
        ),
    ),
    row(
        "a deleted webhook is gone, and deleting again is refused",
        SUITE + "#TestAccCodeBuildWebhook_disappears",
        of("disappears", ENTERPRISE),
        ("create_webhook", {"projectName": "disappears"}, {"webhook": {"buildType": "BUILD"}}),
        ("delete_webhook", {"projectName": "disappears"}, {}),
        ("batch_get_projects", {"names": ["disappears"]}, {"projects": [{"webhook": ABSENT}]}),
        (
            "delete_webhook",
            {"projectName": "disappears"},
            refused("ResourceNotFoundException"),
        ),
    ),
    row(
        "the webhook goes with its project",
        SUITE + "#TestAccCodeBuildWebhook_Disappears_project",
        of("projectless", ENTERPRISE),
        ("create_webhook", {"projectName": "projectless"}, {}),
        ("delete_project", {"name": "projectless"}, {}),
        (
            "delete_webhook",
            {"projectName": "projectless"},
            refused(
                "ResourceNotFoundException",
                "Project cannot be found: "
                "arn:aws:codebuild:us-west-2:123456789012:project/projectless",
            ),
        ),
        of("projectless", ENTERPRISE),
        ("create_webhook", {"projectName": "projectless"}, {"webhook": {"status": "ACTIVE"}}),
    ),
]
