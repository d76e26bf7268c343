"""What Terraform expects of ECR's repositories and their policies.

Each row is what one acceptance test of its provider creates, reads, updates and deletes, as calls
and answers; what a client makes of the answers by itself (equal policies in another order) is left
out.

https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service/ecr (the *_test.go)

The rows were read on 2026-11-29, each in the newest version that could be had, which is of an
earlier year for some.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.ecr.operations.ecr_api import ACCOUNT, REGION, Ecr
from tests.sandbox.ecr.operations.expectations import (
    ABSENT,
    ARN,
    EXCLUDED,
    GONE,
    LIFECYCLE,
    NAMED,
    Step,
    created,
    goes_as_expected,
    policy,
)

DAYS_14 = {"countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14}


def rules(*given: dict[str, Any]) -> str:
    """A lifecycle policy as ECR prints policies."""
    return json.dumps({"rules": given}, separators=(",", ":"))


def ordered(*priorities: int) -> str:
    """Rules 1 and 2 of one policy, in an order."""
    tags = {"tagStatus": "tagged", "tagPrefixList": ["first", "second", "third"]}
    by_priority = {1: {"tagStatus": "untagged"}, 2: tags}
    action = {"type": "expire"}
    return rules(
        *(
            {"rulePriority": each, "selection": {**by_priority[each], **DAYS_14}, "action": action}
            for each in priorities
        )
    )


ARCHIVED = rules(
    {
        "rulePriority": 1,
        "description": "Archive images not pulled in 90 days",
        "selection": {**DAYS_14, "tagStatus": "any", "countType": "sinceImagePulled"},
        "action": {"type": "transition", "targetStorageClass": "archive"},
    },
    {
        "rulePriority": 2,
        "description": "Delete images archived for more than 365 days",
        "selection": {
            "tagStatus": "any",
            "storageClass": "archive",
            "countType": "sinceImageTransitioned",
            "countUnit": "days",
            "countNumber": 365,
        },
        "action": {"type": "expire"},
    },
)


TERRAFORM: dict[str, list[Step]] = {
    "Repository_basic": [
        *created(
            repositoryArn=f"{ARN}/repo",
            registryId=ACCOUNT,
            repositoryUri=f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/repo",
            imageTagMutability="MUTABLE",
            imageScanningConfiguration={"scanOnPush": False},
            encryptionConfiguration={"encryptionType": "AES256", "kmsKey": ABSENT},
        ),
        *GONE,
    ],
    "Repository_tags": [
        *created(given={"tags": [{"Key": "Environment", "Value": "production"}]}),
        (
            "TagResource",
            {"resourceArn": f"{ARN}/repo", "tags": [{"Key": "Usage", "Value": "changed"}]},
            {},
        ),
        ("UntagResource", {"resourceArn": f"{ARN}/repo", "tagKeys": ["Environment"]}, {}),
        (
            "ListTagsForResource",
            {"resourceArn": f"{ARN}/repo"},
            {"tags": [{"Key": "Usage", "Value": "changed"}]},
        ),
    ],
    "Repository_immutability": created(
        given={"imageTagMutability": "IMMUTABLE"}, imageTagMutability="IMMUTABLE"
    ),
    "Repository_mutabilityWithExclusion": [
        *created(
            given={
                "imageTagMutability": "MUTABLE_WITH_EXCLUSION",
                "imageTagMutabilityExclusionFilters": EXCLUDED,
            },
            imageTagMutability="MUTABLE_WITH_EXCLUSION",
            imageTagMutabilityExclusionFilters=EXCLUDED,
        ),
        (
            "PutImageTagMutability",
            {**NAMED, "imageTagMutability": "MUTABLE"},
            {"imageTagMutability": "MUTABLE", "imageTagMutabilityExclusionFilters": ABSENT},
        ),
    ],
    "Repository_Image_scanning": [
        *created(
            given={"imageScanningConfiguration": {"scanOnPush": True}},
            imageScanningConfiguration={"scanOnPush": True},
        ),
        (
            "PutImageScanningConfiguration",
            {**NAMED, "imageScanningConfiguration": {"scanOnPush": False}},
            {"imageScanningConfiguration": {"scanOnPush": False}},
        ),
    ],
    "Repository_Encryption_aes256": created(
        given={"encryptionConfiguration": {"encryptionType": "AES256"}},
        encryptionConfiguration={"encryptionType": "AES256", "kmsKey": ABSENT},
    ),
    "RepositoryPolicy_basic": [
        *created(),
        ("GetRepositoryPolicy", NAMED, "RepositoryPolicyNotFoundException"),
        ("SetRepositoryPolicy", {**NAMED, "policyText": policy("one", "ecr:ListImages")}, NAMED),
        ("GetRepositoryPolicy", NAMED, {"registryId": ACCOUNT, **NAMED}),
        (
            "SetRepositoryPolicy",
            {**NAMED, "policyText": policy("one", "ecr:ListImages", "ecr:DescribeImages")},
            {"registryId": ACCOUNT, **NAMED},
        ),
        ("DeleteRepositoryPolicy", NAMED, {"registryId": ACCOUNT, **NAMED}),
        ("DeleteRepositoryPolicy", NAMED, "RepositoryPolicyNotFoundException"),
        *GONE,
        ("GetRepositoryPolicy", NAMED, "RepositoryNotFoundException"),
    ],
    "LifecyclePolicy_basic": [
        *created(),
        ("GetLifecyclePolicy", NAMED, "LifecyclePolicyNotFoundException"),
        (
            "PutLifecyclePolicy",
            {**NAMED, "lifecyclePolicyText": LIFECYCLE},
            {"registryId": ACCOUNT, **NAMED},
        ),
        ("GetLifecyclePolicy", NAMED, {"registryId": ACCOUNT, **NAMED}),
        ("DeleteLifecyclePolicy", NAMED, NAMED),
        ("GetLifecyclePolicy", NAMED, "LifecyclePolicyNotFoundException"),
    ],
    "LifecyclePolicy_ignoreEquivalent": [
        *created(),
        ("PutLifecyclePolicy", {**NAMED, "lifecyclePolicyText": ordered(1, 2)}, NAMED),
        ("PutLifecyclePolicy", {**NAMED, "lifecyclePolicyText": ordered(2, 1)}, NAMED),
    ],
    "LifecyclePolicy_archive": [
        *created(),
        ("PutLifecyclePolicy", {**NAMED, "lifecyclePolicyText": ARCHIVED}, NAMED),
        ("GetLifecyclePolicy", NAMED, {"lifecyclePolicyText": ARCHIVED}),
    ],
}


@pytest.mark.parametrize("name", TERRAFORM)
def test_a_conversation_goes_as_terraform_expects(ecr: Ecr, name: str) -> None:
    goes_as_expected(ecr, TERRAFORM[name])
