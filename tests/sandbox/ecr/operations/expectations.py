"""Conversations with ECR's API: calls, and what each answer must have.

An answer has at least the members of the row; ABSENT is a member that it must not have; a name of
an exception stands for a refusal with that code, and a pair for code and message. "push" stands for
the upload of an image's blobs, and for PutImage.
"""

from __future__ import annotations

import json
from typing import Any

from tests.sandbox.ecr.operations.ecr_api import ACCOUNT, REGION, Ecr

ABSENT = object()
Step = tuple[str, dict[str, Any], Any]

ARN = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository"
NAMED = {"repositoryName": "repo"}


def policy(sid: str, *actions: str) -> str:
    statement = {"Sid": sid, "Effect": "Allow", "Principal": "*", "Action": list(actions)}
    return json.dumps({"Version": "2008-10-17", "Statement": [statement]})


def created(*, given: dict[str, Any] | None = None, **expected: Any) -> list[Step]:
    """A repository that is created, and described with what is expected."""
    return [
        ("CreateRepository", {**NAMED, **(given or {})}, {"repository": {**NAMED, **expected}}),
        ("DescribeRepositories", {"repositoryNames": ["repo"]}, {"repositories": [expected]}),
    ]


GONE: list[Step] = [
    ("DeleteRepository", NAMED, {"repository": NAMED}),
    ("DescribeRepositories", {"repositoryNames": ["repo"]}, "RepositoryNotFoundException"),
    ("DeleteRepository", NAMED, "RepositoryNotFoundException"),
]
LIFECYCLE = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "description": "Expire images older than 14 days",
                "selection": {
                    "tagStatus": "untagged",
                    "countType": "sinceImagePushed",
                    "countUnit": "days",
                    "countNumber": 14,
                },
                "action": {"type": "expire"},
            }
        ]
    }
)
EXCLUDED = [
    {"filterType": "WILDCARD", "filter": "latest*"},
    {"filterType": "WILDCARD", "filter": "prod-*"},
]


def goes_as_expected(ecr: Ecr, steps: list[Step]) -> None:
    """Make the calls, and hold each answer against its row."""
    for operation, params, expected in steps:
        if operation == "push":
            ecr.push("repo", **params)
        elif isinstance(expected, tuple):
            assert ecr.error(operation, **params) == expected
        elif isinstance(expected, str):
            assert ecr.error(operation, **params)[0] == expected, operation
        else:
            assert differences(ecr(operation, **params), expected, operation) == []


def differences(found: Any, expected: Any, path: str) -> list[str]:
    """Where an answer is not what a row expects of it."""
    if isinstance(expected, dict):
        missing = []
        for name, value in expected.items():
            if value is ABSENT:
                missing += [f"{path}.{name} is there"] if name in found else []
            elif name not in found:
                missing.append(f"{path}.{name} is missing")
            else:
                missing += differences(found[name], value, f"{path}.{name}")
        return missing
    if isinstance(expected, list):
        if len(found) != len(expected):
            return [f"{path} has {len(found)} items, not {len(expected)}: {found}"]
        pairs = zip(found, expected, strict=True)
        return [line for one, two in pairs for line in differences(one, two, path)]
    return [] if found == expected else [f"{path} is {found!r}, not {expected!r}"]
