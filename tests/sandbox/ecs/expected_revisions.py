"""Rows of revisions of task definitions (test_public_expectations.py)."""

from __future__ import annotations

from typing import Any

from tests.sandbox.ecs.expected_clusters import ARN, SUITE
from tests.sandbox.ecs.expected_definitions import BOX, defined
from tests.sandbox.public_expectations import MOTO, has, refused, row

DELETED = MOTO + "test_ecs/test_ecs_task_definitions.py"
TAGGED = MOTO + "test_ecs/test_ecs_task_def_tags.py"


def failure(given: str, reason: str) -> Any:
    return {"taskDefinitions": [], "failures": [{"arn": given, "reason": reason}]}


REVISIONS = [
    row(
        "a family is described by its last revision, and each by its number",
        SUITE,
        *[defined("described")] * 3,
        (
            "describe_task_definition",
            {"taskDefinition": "described"},
            {"taskDefinition": {"revision": 3}},
        ),
        (
            "describe_task_definition",
            {"taskDefinition": "described:2"},
            {"taskDefinition": {"taskDefinitionArn": f"{ARN}task-definition/described:2"}},
        ),
    ),
    row(
        "tags of a definition are set and taken away",
        TAGGED,
        defined("labelled", tags=[{"key": "k1", "value": "v1"}]),
        (
            "tag_resource",
            {
                "resourceArn": f"{ARN}task-definition/labelled:1",
                "tags": [{"key": "k2", "value": "v2"}],
            },
            {},
        ),
        (
            "describe_task_definition",
            {"taskDefinition": "labelled:1", "include": ["TAGS"]},
            {"tags": has({"key": "k1"}, {"key": "k2"})},
        ),
        (
            "untag_resource",
            {"resourceArn": f"{ARN}task-definition/labelled:1", "tagKeys": ["k2"]},
            {},
        ),
        (
            "list_tags_for_resource",
            {"resourceArn": f"{ARN}task-definition/labelled:1"},
            {"tags": [{"key": "k1", "value": "v1"}]},
        ),
    ),
    row(
        "revisions are listed by their family's whole name, and families by the beginning",
        SUITE,
        *[defined("prefixed_a")] * 2,
        ("list_task_definitions", {"familyPrefix": "prefixed"}, {"taskDefinitionArns": []}),
        (
            "list_task_definitions",
            {"familyPrefix": "prefixed_a"},
            {"taskDefinitionArns": [f"{ARN}task-definition/prefixed_a:{n}" for n in (1, 2)]},
        ),
        (
            "list_task_definition_families",
            {"familyPrefix": "prefixed"},
            {"families": ["prefixed_a"]},
        ),
    ),
    row(
        "a deregistered revision is INACTIVE and listed so",
        SUITE,
        *[defined("retired")] * 2,
        (
            "deregister_task_definition",
            {"taskDefinition": "retired:2"},
            {"taskDefinition": {"status": "INACTIVE", "containerDefinitions": [BOX]}},
        ),
        *(
            (
                "list_task_definitions",
                {"familyPrefix": "retired", "status": status},
                {"taskDefinitionArns": [f"{ARN}task-definition/retired:{revision}"]},
            )
            for status, revision in (("ACTIVE", 1), ("INACTIVE", 2))
        ),
    ),
    *(
        row(
            f"{given} is deregistered not at all",
            SUITE,
            (
                "deregister_task_definition",
                {"taskDefinition": given},
                refused("ClientException", words),
            ),
        )
        for given, words in {
            "fake_task": "Revision is missing.",
            "fake_task:foo": "Invalid revision number. Number: foo",
            "fake_task:1": "Unable to describe task definition.",
        }.items()
    ),
    row(
        "an INACTIVE revision is deleted, an ACTIVE one is not",
        DELETED,
        defined("deleted"),
        (
            "delete_task_definitions",
            {"taskDefinitions": [f"{ARN}task-definition/deleted:1"]},
            failure(
                f"{ARN}task-definition/deleted:1",
                "The specified task definition is still in ACTIVE status. "
                "Please deregister the target and try again.",
            ),
        ),
        ("deregister_task_definition", {"taskDefinition": "deleted:1"}, {}),
        (
            "delete_task_definitions",
            {"taskDefinitions": ["deleted:1"]},
            {"taskDefinitions": [{"status": "DELETE_IN_PROGRESS"}], "failures": []},
        ),
    ),
    *(
        row(
            f"deleting {given} fails in words",
            DELETED,
            ("delete_task_definitions", {"taskDefinitions": [given]}, failure(given, reason)),
        )
        for given, reason in {
            "invalid-task-definition-name": "The specified task definition identifier is invalid. "
            "Specify a valid name or ARN and try again.",
            "nonexistent-task-definition:1": "The specified task definition does not exist. "
            "Specify a valid account, family, revision and try again.",
        }.items()
    ),
]
