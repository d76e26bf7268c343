"""Rows of pipelines that are made, changed and shown (test_public_expectations.py)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from tests.sandbox.codepipeline.pipeline_room import (
    ACCOUNT,
    ROLE,
    Action,
    approval,
    definition,
    s3_deploy,
    s3_source,
)
from tests.sandbox.public_expectations import AWS, FLOCI, MOTO, Step, Told, has, refused, row

SUITE = MOTO + "test_codepipeline/test_codepipeline.py"
OPERATIONS = FLOCI + (
    "src/test/java/io/github/hectorvent/floci/services/codepipeline/"
    "CodePipelineIntegrationTest.java"
)

CLIENT = (
    FLOCI + "compatibility-tests/sdk-test-java/src/test/java/com/floci/test/CodePipelineTest.java"
)

API = AWS + "codepipeline/latest/APIReference/API_"
ARN = f"arn:aws:codepipeline:us-west-2:{ACCOUNT}:"
NOWHERE = f"The account with id '{ACCOUNT}' does not include a pipeline with the name 'none'"
TAG = {"key": "key", "value": "value"}
ABSENT_ROLE = f"arn:aws:iam::{ACCOUNT}:role/absent"
OTHER_ROLE = f"arn:aws:iam::{ACCOUNT}:role/of-s3"


def pipeline(name: str, *stages: Action, **changed: Any) -> dict[str, Any]:
    return definition(name, *(stages or (s3_source(), approval())), **changed)


def created(name: str, *tags: dict[str, str]) -> Step:
    given = {"pipeline": pipeline(name), "tags": list(tags)}
    return ("create_pipeline", given, {"pipeline": {"name": name}, "tags": list(tags)})


PIPELINES = [
    row(
        "a new pipeline has version 1, its tags, and each action the defaults",
        SUITE,
        (
            "create_pipeline",
            {"pipeline": pipeline("made", s3_source(), approval()), "tags": [TAG]},
            {
                "pipeline": {
                    "name": "made",
                    "roleArn": ROLE,
                    "version": 1,
                    "stages": [
                        {"actions": [{"runOrder": 1, "inputArtifacts": []}]},
                        {"actions": [{"runOrder": 1, "configuration": {}, "outputArtifacts": []}]},
                    ],
                },
                "tags": [TAG],
            },
        ),
    ),
    row("a pipeline without tags answers with none", SUITE, created("untagged")),
    row(
        "a pipeline supersedes unless it says otherwise, and is of type V1",
        OPERATIONS,
        (
            "create_pipeline",
            {"pipeline": pipeline("mode")},
            {"pipeline": {"executionMode": "SUPERSEDED", "pipelineType": "V1"}},
        ),
    ),
    row(
        "a second pipeline of a name: the code is AWS's, moto's is InvalidStructureException",
        SUITE,
        created("twice"),
        (
            "create_pipeline",
            {"pipeline": pipeline("twice")},
            refused(
                "PipelineNameInUseException",
                f"A pipeline with the name 'twice' already exists in account '{ACCOUNT}'",
            ),
        ),
        aws=API + "CreatePipeline.html#API_CreatePipeline_Errors",
    ),
    row(
        "a role that is not there is one that CodePipeline may not take",
        SUITE,
        (
            "create_pipeline",
            {"pipeline": pipeline("roleless", roleArn=ABSENT_ROLE)},
            refused(
                "InvalidStructureException",
                f"CodePipeline is not authorized to perform AssumeRole on role {ABSENT_ROLE}",
            ),
        ),
    ),
    row(
        "a role that trusts another service is refused in the same words",
        SUITE,
        (
            "create_pipeline",
            {"pipeline": pipeline("distrusted", roleArn=OTHER_ROLE)},
            refused(
                "InvalidStructureException",
                f"CodePipeline is not authorized to perform AssumeRole on role {OTHER_ROLE}",
            ),
        ),
    ),
    row(
        "a role that trusts CodeBuild and CodePipeline is taken",
        SUITE,
        (
            "create_pipeline",
            {"pipeline": pipeline("trusted", roleArn=f"arn:aws:iam::{ACCOUNT}:role/of-both")},
            {"pipeline": {"roleArn": f"arn:aws:iam::{ACCOUNT}:role/of-both"}},
        ),
    ),
    row(
        "one stage is too few",
        SUITE,
        (
            "create_pipeline",
            {"pipeline": pipeline("short", s3_source())},
            refused(
                "InvalidStructureException",
                "Pipeline has only 1 stage(s). There should be a minimum of 2 stages in a pipeline",
            ),
        ),
    ),
    row(
        "a role that is no ARN fails the model before the stages do; Floci looks at the stages",
        OPERATIONS,
        (
            "create_pipeline",
            {"pipeline": {"name": "invalid", "roleArn": "role", "stages": []}},
            refused("ValidationException", re.compile("roleArn")),
        ),
        aws=API + "PipelineDeclaration.html#CodePipeline-Type-PipelineDeclaration-roleArn",
    ),
    row(
        "a deployment to S3 says whether it unpacks; Floci's does not",
        OPERATIONS,
        (
            "create_pipeline",
            {
                "pipeline": pipeline(
                    "packed",
                    s3_source(),
                    {**s3_deploy(), "configuration": {"BucketName": "b", "ObjectKey": "k"}},
                )
            },
            refused("InvalidActionDeclarationException", re.compile("'Extract'")),
        ),
        aws=AWS + "codepipeline/latest/userguide/action-reference-S3Deploy.html",
    ),
    row(
        "a pipeline is got with its ARN and times",
        SUITE,
        created("got"),
        (
            "get_pipeline",
            {"name": "got"},
            {
                "pipeline": {"name": "got", "version": 1},
                "metadata": {
                    "pipelineArn": f"{ARN}got",
                    "created": datetime,
                    "updated": datetime,
                },
            },
        ),
    ),
    row(
        "a pipeline that is not there cannot be got",
        SUITE,
        (
            "get_pipeline",
            {"name": "none"},
            refused(
                "PipelineNotFoundException",
                f"Account '{ACCOUNT}' does not have a pipeline with name 'none'",
            ),
        ),
    ),
    row(
        "an update is a new version and leaves the time of creation",
        SUITE,
        created("updated"),
        ("get_pipeline", {"name": "updated"}, {}),
        (
            "update_pipeline",
            {"pipeline": pipeline("updated", s3_source(S3Bucket="other"), approval())},
            {"pipeline": {"version": 2}},
        ),
        (
            "get_pipeline",
            {"name": "updated"},
            {"pipeline": {"version": 2}, "metadata": {"created": Told(1, "metadata.created")}},
        ),
        ("get_pipeline", {"name": "updated", "version": 1}, {"pipeline": {"version": 1}}),
    ),
    row(
        "an update may rename a stage",
        CLIENT,
        created("renamed"),
        (
            "update_pipeline",
            {"pipeline": pipeline("renamed", s3_source(), {**approval(), "name": "Release"})},
            {"pipeline": {"stages": [{"name": "Source"}, {"name": "Release"}]}},
        ),
    ),
    row(
        "a pipeline that is not there cannot be updated",
        SUITE,
        (
            "update_pipeline",
            {"pipeline": pipeline("none")},
            refused("ResourceNotFoundException", NOWHERE),
        ),
    ),
    row(
        "pipelines are listed by name with version and times",
        SUITE,
        created("listed-2"),
        created("listed-1"),
        (
            "list_pipelines",
            {},
            {
                "pipelines": has(
                    {"name": "listed-1", "version": 1, "created": datetime, "updated": datetime},
                    {"name": "listed-2", "version": 1},
                )
            },
        ),
    ),
    row(
        "a pipeline is deleted, and deleting it again is no error",
        SUITE,
        created("deleted"),
        ("delete_pipeline", {"name": "deleted"}, {}),
        ("get_pipeline", {"name": "deleted"}, refused("PipelineNotFoundException")),
        ("delete_pipeline", {"name": "deleted"}, {}),
    ),
]
