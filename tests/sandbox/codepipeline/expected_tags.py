"""Rows of executions, of tags and of what is not here (test_public_expectations.py)."""

from __future__ import annotations

import re

from tests.sandbox.codepipeline.expected_pipelines import (
    API,
    ARN,
    NOWHERE,
    OPERATIONS,
    SUITE,
    TAG,
    created,
    pipeline,
)
from tests.sandbox.public_expectations import Told, has, refused, row


def of(name: str) -> dict[str, str]:
    return {"resourceArn": ARN + name}


TAGS = [
    row(
        "a start answers with the execution's ID",
        OPERATIONS,
        created("started"),
        (
            "start_pipeline_execution",
            {"name": "started", "clientRequestToken": "token"},
            {"pipelineExecutionId": re.compile("^[0-9a-f-]{36}$")},
        ),
        (
            "get_pipeline_execution",
            {"pipelineName": "started", "pipelineExecutionId": Told(1, "pipelineExecutionId")},
            {"pipelineExecution": {"pipelineName": "started", "pipelineVersion": 1}},
        ),
    ),
    row(
        "the state has each stage and action",
        OPERATIONS,
        created("state"),
        (
            "get_pipeline_state",
            {"name": "state"},
            {
                "stageStates": [
                    {"stageName": "Source", "actionStates": [{"actionName": "Source"}]},
                    {"stageName": "Approval", "actionStates": [{"actionName": "Approval"}]},
                ]
            },
        ),
    ),
    row(
        "tags are added and taken away, one that is not there too",
        SUITE,
        created("tagged", TAG),
        ("tag_resource", {**of("tagged"), "tags": [{"key": "key-2", "value": "2"}]}, {}),
        (
            "list_tags_for_resource",
            of("tagged"),
            {"tags": has(TAG, {"key": "key-2", "value": "2"})},
        ),
        ("untag_resource", {**of("tagged"), "tagKeys": ["key", "none"]}, {}),
        ("list_tags_for_resource", of("tagged"), {"tags": [{"key": "key-2", "value": "2"}]}),
    ),
    *(
        row(
            f"{operation} of a pipeline that is not there is refused",
            SUITE,
            (operation, {**of("none"), **more}, refused("ResourceNotFoundException", NOWHERE)),
        )
        for operation, more in {
            "list_tags_for_resource": {},
            "tag_resource": {"tags": [TAG]},
            "untag_resource": {"tagKeys": ["key"]},
        }.items()
    ),
    row(
        "a tag of AWS's own is nobody's to set",
        SUITE,
        created("systemic"),
        (
            "tag_resource",
            {**of("systemic"), "tags": [{"key": "aws:key", "value": "value"}]},
            refused(
                "InvalidTagsException",
                "Not allowed to modify system tags. System tags start with 'aws:'. "
                "msg=[Caller is an end user and not allowed to mutate system tags]",
            ),
        ),
    ),
    row(
        "51 tags are too many",
        SUITE,
        created("laden", TAG),
        (
            "tag_resource",
            {**of("laden"), "tags": [{"key": f"k{n}", "value": "v"} for n in range(50)]},
            refused("TooManyTagsException", f"Tag limit exceeded for resource [{ARN}laden]."),
        ),
        ("list_tags_for_resource", of("laden"), {"tags": [TAG]}),
    ),
    row(
        "tags at the creation have the same rules",
        API + "CreatePipeline.html#API_CreatePipeline_Errors",
        (
            "create_pipeline",
            {"pipeline": pipeline("spoilt"), "tags": [{"key": "aws:k", "value": "v"}]},
            refused("InvalidTagsException"),
        ),
        (
            "create_pipeline",
            {
                "pipeline": pipeline("spoilt"),
                "tags": [{"key": f"k{n}", "value": "v"} for n in range(51)],
            },
            refused("TooManyTagsException"),
        ),
    ),
    *(
        row(
            f"{operation} is refused by name",
            OPERATIONS,
            (operation, given, refused("NotInSandbox")),
            aws=API + page,
        )
        for operation, given, page in (
            (
                "create_custom_action_type",
                {
                    "category": "Build",
                    "provider": "Worker",
                    "version": "1",
                    "inputArtifactDetails": {"minimumCount": 0, "maximumCount": 1},
                    "outputArtifactDetails": {"minimumCount": 0, "maximumCount": 1},
                },
                "CreateCustomActionType.html",
            ),
            ("put_webhook", {"webhook": {"name": "hook"}}, "PutWebhook.html"),
            ("list_webhooks", {}, "ListWebhooks.html"),
        )
    ),
]
