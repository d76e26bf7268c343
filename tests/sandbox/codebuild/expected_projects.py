"""Rows of projects (test_public_expectations.py)."""

from __future__ import annotations

from typing import Any

from tests.sandbox.codebuild.build_room import LINUX
from tests.sandbox.public_expectations import AWS, FLOCI, MOTO, Step, has, refused, row

SUITE = MOTO + "test_codebuild/test_codebuild.py"
OPERATIONS = FLOCI + (
    "src/test/java/io/github/hectorvent/floci/services/codebuild/CodeBuildIntegrationTest.java"
)

API = AWS + "codebuild/latest/APIReference/API_"
ROLE = "arn:aws:iam::123456789012:role/service-role/builds"
ARN = "arn:aws:codebuild:us-west-2:123456789012:"
SOURCE = {"type": "S3", "location": "bucket/path/file.zip"}
NONE = {"type": "NO_ARTIFACTS"}


def project(name: str, **changed: Any) -> dict[str, Any]:
    return {
        "name": name,
        "source": SOURCE,
        "artifacts": NONE,
        "environment": LINUX,
        "serviceRole": ROLE,
        **changed,
    }


def created(name: str, **changed: Any) -> Step:
    given = project(name, **changed)
    return ("create_project", given, {"project": {"name": name, "serviceRole": ROLE}})


PROJECTS = [
    row(
        "a project with artifacts in S3 is answered as it was given",
        SUITE,
        (
            "create_project",
            project("kept", artifacts={"type": "S3", "location": "b"}, tags=[{"key": "k"}]),
            {
                "project": {
                    "arn": f"{ARN}project/kept",
                    "source": SOURCE,
                    "artifacts": {"type": "S3", "location": "b"},
                    "environment": LINUX,
                    "tags": [{"key": "k"}],
                }
            },
        ),
    ),
    row(
        "a project has 60 minutes and is private unless it says otherwise",
        OPERATIONS,
        (
            "create_project",
            project("plain"),
            {"project": {"timeoutInMinutes": 60, "projectVisibility": "PRIVATE"}},
        ),
    ),
    row(
        "a name of more than 150 characters is refused",
        SUITE,
        ("create_project", project("some_project_" * 12), refused("InvalidInputException")),
    ),
    row(
        "a name with an exclamation mark is refused",
        SUITE,
        ("create_project", project("!some_project_"), refused("InvalidInputException")),
    ),
    row(
        "a role whose account is no account is refused",
        SUITE,
        (
            "create_project",
            project("roleless", serviceRole="arn:aws:iam::0000:role/service-role/builds"),
            refused("InvalidInputException"),
        ),
    ),
    row(
        "a second project of a name is refused",
        SUITE,
        created("twice"),
        (
            "create_project",
            project("twice"),
            refused(
                "ResourceAlreadyExistsException", f"Project already exists: {ARN}project/twice"
            ),
        ),
    ),
    row(
        "projects are listed by name",
        SUITE,
        created("listed2"),
        created("listed1"),
        ("list_projects", {}, {"projects": has("listed1", "listed2")}),
    ),
    row(
        "a project is found by name and by ARN",
        SUITE,
        created("found"),
        ("batch_get_projects", {"names": ["found"]}, {"projects": [{"name": "found"}]}),
        (
            "batch_get_projects",
            {"names": [f"{ARN}project/found"]},
            {"projects": [{"name": "found", "arn": f"{ARN}project/found"}]},
        ),
    ),
    row(
        "a project that is not there is named beside those that are",
        OPERATIONS,
        created("there"),
        (
            "batch_get_projects",
            {"names": ["there", "nowhere"]},
            {"projects": [{"name": "there"}], "projectsNotFound": ["nowhere"]},
        ),
    ),
    row(
        "an update changes what it names",
        OPERATIONS,
        created("changed", description="before"),
        (
            "update_project",
            {"name": "changed", "description": "after", "timeoutInMinutes": 120},
            {"project": {"description": "after", "timeoutInMinutes": 120, "source": SOURCE}},
        ),
    ),
    row(
        "deleting a project that is not there succeeds, where Floci refuses",
        OPERATIONS,
        ("delete_project", {"name": "never"}, {}),
        aws=API + "DeleteProject.html#API_DeleteProject_Errors",
    ),
]
