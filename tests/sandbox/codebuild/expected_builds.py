"""Rows of builds, reports and what is not here (test_public_expectations.py)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from tests.sandbox.codebuild.expected_projects import (
    API,
    ARN,
    NONE,
    OPERATIONS,
    SUITE,
    created,
    project,
)
from tests.sandbox.public_expectations import ABSENT, AWS, FLOCI, Step, Told, has, refused, row

CLIENT = FLOCI + "compatibility-tests/sdk-test-java/src/test/java/com/floci/test/CodeBuildTest.java"


def started(name: str, expected: Any = None, **overrides: Any) -> Step:
    return ("start_build", {"projectName": name, **overrides}, {"build": expected or {}})


BUILDS = [
    row(
        "a project without builds lists none",
        SUITE,
        created("unbuilt"),
        ("list_builds_for_project", {"projectName": "unbuilt"}, {"ids": []}),
    ),
    row(
        "each start is a build of its project",
        SUITE,
        created("thrice"),
        *[started("thrice")] * 3,
        ("list_builds_for_project", {"projectName": "thrice"}, {"ids": [str, str, str]}),
        ("list_builds", {}, {"ids": has(*(Told(at, "build.id") for at in (1, 2, 3)))}),
    ),
    row(
        "a build of no project is refused",
        SUITE,
        (
            "start_build",
            {"projectName": "none"},
            refused("ResourceNotFoundException", f"Project cannot be found: {ARN}project/none"),
        ),
    ),
    row(
        "a build of a source in S3 has no version unless one is given; moto says refs/heads/main",
        SUITE,
        created("versionless"),
        started("versionless", {"sourceVersion": ABSENT}),
        aws=API + "StartBuild.html#CodeBuild-StartBuild-request-sourceVersion",
    ),
    row(
        "a start overrides the version and the artifacts",
        SUITE,
        created("overridden", artifacts={"type": "S3", "location": "b"}),
        started(
            "overridden",
            {"sourceVersion": "fix/testing", "artifacts": {"location": ""}},
            sourceVersion="fix/testing",
            artifactsOverride=NONE,
        ),
    ),
    row(
        "a new build is in progress, with a number, an id and an ARN",
        CLIENT,
        created("begun"),
        started(
            "begun",
            {
                "id": re.compile("^begun:[0-9a-f-]{36}$"),
                "arn": re.compile(f"^{ARN}build/begun:"),
                "buildNumber": 1,
                "buildStatus": "IN_PROGRESS",
                "buildComplete": False,
                "startTime": datetime,
            },
        ),
    ),
    row(
        "a build that just began has two phases; moto has ended it with eleven",
        SUITE,
        created("phases"),
        started("phases"),
        (
            "batch_get_builds",
            {"ids": [Told(1, "build.id")]},
            {
                "builds": [
                    {
                        "currentPhase": "QUEUED",
                        "phases": [
                            {"phaseType": "SUBMITTED", "phaseStatus": "SUCCEEDED"},
                            {"phaseType": "QUEUED", "phaseStatus": ABSENT},
                        ],
                    }
                ]
            },
        ),
        aws=AWS + "codebuild/latest/userguide/view-build-details.html#view-build-details-phases",
    ),
    row(
        "an id of no build is one that was not found; moto refuses one without a colon",
        SUITE,
        ("batch_get_builds", {"ids": ["nothing"]}, {"builds": [], "buildsNotFound": ["nothing"]}),
        aws=API + "BatchGetBuilds.html#CodeBuild-BatchGetBuilds-response-buildsNotFound",
    ),
    row(
        "a deleted project lists no builds",
        SUITE,
        created("deleted"),
        started("deleted"),
        ("delete_project", {"name": "deleted"}, {}),
        (
            "list_builds_for_project",
            {"projectName": "deleted"},
            refused("ResourceNotFoundException"),
        ),
    ),
    row(
        "a build that waits is stopped at once, and can be repeated",
        SUITE,
        created("stopped"),
        started("stopped"),
        ("stop_build", {"id": Told(1, "build.id")}, {"build": {"buildStatus": "STOPPED"}}),
        (
            "retry_build",
            {"id": Told(1, "build.id")},
            {"build": {"buildStatus": "IN_PROGRESS", "buildNumber": 2}},
        ),
    ),
    row(
        "stopping a build that is not there is refused",
        SUITE,
        (
            "stop_build",
            {"id": "some:7d5e4b6e-0000-4000-8000-000000000000"},
            refused("ResourceNotFoundException"),
        ),
    ),
    row(
        "a project without source needs its buildspec; Floci's gets it at the start",
        CLIENT,
        (
            "create_project",
            project("specless", source={"type": "NO_SOURCE"}),
            refused("InvalidInputException", re.compile("buildspec")),
        ),
        aws=AWS + "codebuild/latest/userguide/create-project.html",
    ),
    row(
        "a report group is made, listed, found and deleted",
        OPERATIONS,
        (
            "create_report_group",
            {"name": "tests", "type": "TEST", "exportConfig": {"exportConfigType": "NO_EXPORT"}},
            {
                "reportGroup": {
                    "name": "tests",
                    "type": "TEST",
                    "arn": f"{ARN}report-group/tests",
                    "status": "ACTIVE",
                }
            },
        ),
        ("list_report_groups", {}, {"reportGroups": has(f"{ARN}report-group/tests")}),
        (
            "batch_get_report_groups",
            {"reportGroupArns": [f"{ARN}report-group/tests", f"{ARN}report-group/none"]},
            {
                "reportGroups": [{"name": "tests"}],
                "reportGroupsNotFound": [f"{ARN}report-group/none"],
            },
        ),
        ("delete_report_group", {"arn": f"{ARN}report-group/tests"}, {}),
    ),
    row(
        "credentials of a source are refused by name: a connection has them",
        OPERATIONS,
        (
            "import_source_credentials",
            {"token": "t", "serverType": "GITHUB", "authType": "OAUTH"},
            refused("NotInSandbox"),
        ),
        aws=API + "ImportSourceCredentials.html",
    ),
    row(
        "the list of CodeBuild's own images is refused by name",
        OPERATIONS,
        ("list_curated_environment_images", {}, refused("NotInSandbox")),
        aws=API + "ListCuratedEnvironmentImages.html",
    ),
]
