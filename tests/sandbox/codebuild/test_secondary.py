"""Builds with several sources and several artifacts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.policies import allow
from tests.sandbox.authorization.people_here import refusal_of
from tests.sandbox.codebuild.build_room import LOGS, Room, context, packed

SPEC = {
    "version": 0.2,
    "phases": {
        "build": {
            "commands": [
                "cp $CODEBUILD_SRC_DIR_library/words from-library",
                "echo $CODEBUILD_SOURCE_REPO_URL_library at $CODEBUILD_SOURCE_VERSION_library",
                "cat words; echo $(ls $CODEBUILD_SRC_DIR_library)",
            ]
        }
    },
    "artifacts": {
        "files": ["words"],
        "secondary-artifacts": {
            "docs": {"files": ["from-library"], "name": "named-$CODEBUILD_BUILD_NUMBER"},
            "flat": {"files": ["deep/er/*"], "base-directory": ".", "discard-paths": "yes"},
        },
    },
}


@pytest.fixture(scope="module")
def versions(room: Room) -> dict[str, str]:
    """The two versions of the source "library"; and the role of the builds."""
    room.role("several", LOGS, allow("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"))
    s3 = room.client("s3")
    place = {"LocationConstraint": "us-west-2"}
    for bucket in ("several", "several-made"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
    status = {"Status": "Enabled"}
    s3.put_bucket_versioning(Bucket="several", VersioningConfiguration=status)
    files = {"words": "of the app\n", "deep/er/file": "x"}
    s3.put_object(Bucket="several", Key="app.zip", Body=packed(files))
    found = {}
    for text in ("old", "new"):
        body = packed({"words": f"{text} of the library\n"})
        found[text] = s3.put_object(Bucket="several", Key="library.zip", Body=body)["VersionId"]
    return found


def project(room: Room, name: str, **changed: Any) -> None:
    settings = {
        "source": {"type": "S3", "location": "several/app.zip", "buildspec": json.dumps(SPEC)},
        "secondarySources": [
            {"type": "S3", "location": "several/library.zip", "sourceIdentifier": "library"}
        ],
        "artifacts": {"type": "S3", "location": "several-made", "packaging": "ZIP"},
        "secondaryArtifacts": [
            {
                "type": "S3",
                "location": "several-made",
                "path": "docs",
                "artifactIdentifier": "docs",
                "overrideArtifactName": True,
            },
            {
                "type": "S3",
                "location": "several-made",
                "name": "flat",
                "artifactIdentifier": "flat",
            },
        ],
        "serviceRole": "arn:aws:iam::123456789012:role/several",
    }
    room.project(name, **{**settings, **changed})


def test_two_sources_and_three_artifacts(room: Room, versions: dict[str, str]) -> None:
    old = [{"sourceIdentifier": "library", "sourceVersion": versions["old"]}]
    project(room, "several", secondarySourceVersions=old)
    build = room.run("several")
    log = room.log(build["id"])
    assert build["buildStatus"] == "SUCCEEDED", log
    assert "of the app" in log
    assert f"s3://several/library.zip at {versions['old']}\n" in log
    listed = room.client("s3").list_objects_v2(Bucket="several-made")["Contents"]
    assert sorted(each["Key"] for each in listed) == [
        "docs/named-1/from-library",
        "flat/file",
        "several",
    ]
    made = room.client("s3").get_object(Bucket="several-made", Key="docs/named-1/from-library")
    assert made["Body"].read() == b"old of the library\n"
    assert build["secondarySourceVersions"] == old
    places = {each["artifactIdentifier"]: each["location"] for each in build["secondaryArtifacts"]}
    assert places == {
        "docs": "arn:aws:s3:::several-made/docs/named-1",
        "flat": "arn:aws:s3:::several-made/flat",
    }
    newer = [{"sourceIdentifier": "library", "sourceVersion": versions["new"]}]
    build = room.run("several", secondarySourcesVersionOverride=newer)
    made = room.client("s3").get_object(Bucket="several-made", Key="docs/named-2/from-library")
    assert made["Body"].read() == b"new of the library\n"


def test_a_secondary_source_that_is_not_there(room: Room, versions: dict[str, str]) -> None:
    absent = [{"type": "S3", "location": "several/no.zip", "sourceIdentifier": "lost"}]
    project(room, "lost", secondarySources=absent)
    code, message = context(room.run("lost"), "DOWNLOAD_SOURCE")
    assert code == "CLIENT_ERROR"
    assert message.startswith("NoSuchKey: ") or message.startswith("AccessDenied: ")
    assert message.endswith(" for source lost")


def test_artifacts_that_the_project_does_not_have(room: Room, versions: dict[str, str]) -> None:
    project(room, "unknown", secondaryArtifacts=[])
    code, message = context(room.run("unknown"), "UPLOAD_ARTIFACTS")
    assert code == "CLIENT_ERROR"
    assert "secondary artifacts docs" in message


def test_an_override_is_checked_as_a_project_is(room: Room, versions: dict[str, str]) -> None:
    project(room, "checked")
    changed = [{"type": "CODEPIPELINE", "artifactIdentifier": "docs"}]
    _, code, message = refusal_of(
        room.client("codebuild"),
        "start_build",
        projectName="checked",
        secondaryArtifactsOverride=changed,
    )
    assert code == "InvalidInputException"
    assert "artifactType CODEPIPELINE is not allowed for secondaryArtifacts" in message
