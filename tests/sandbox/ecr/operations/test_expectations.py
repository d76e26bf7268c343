"""What Terraform's provider and moto's tests expect of ECR, as conversations with the API.

Each row is what one acceptance test of theirs creates, reads, updates and deletes, as calls and
answers; what a client makes of the answers by itself (equal policies in another order) is left out.

- https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service/ecr (the *_test.go)
- https://github.com/getmoto/moto/blob/master/tests/test_ecr/test_ecr_boto3.py

The rows of Terraform were read on 2026-11-29, each in the newest version that could be had, which
is of an earlier year for some. Those of moto are written from what is known of its tests. An answer
has at least the members of the row; ABSENT is a member that it must not have; a name of an
exception stands for a refusal with that code.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

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
RULE = {"ecrRepositoryPrefix": "tf-test", "upstreamRegistryUrl": "public.ecr.aws"}
TEMPLATE = {"prefix": "tf-test", "appliedFor": ["PULL_THROUGH_CACHE", "REPLICATION"]}
EXCLUDED = [
    {"filterType": "WILDCARD", "filter": "latest*"},
    {"filterType": "WILDCARD", "filter": "prod-*"},
]
SCANNED = {
    "scanFrequency": "SCAN_ON_PUSH",
    "repositoryFilters": [{"filter": "example", "filterType": "WILDCARD"}],
}

CONTINUOUS = [
    {**SCANNED, "scanFrequency": "CONTINUOUS_SCAN"},
    {**SCANNED, "repositoryFilters": [{"filter": "*", "filterType": "WILDCARD"}]},
]
NATIVE = {"name": "BASIC_SCAN_TYPE_VERSION", "value": "AWS_NATIVE"}
PULLER = {"principalArn": f"arn:aws:iam::{ACCOUNT}:role/tf-test-role"}
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


def registry_policy(*actions: str) -> str:
    statement = {
        "Sid": "testpolicy",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": list(actions),
        "Resource": [f"{ARN}/*"],
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def template_is(**expected: Any) -> Step:
    wanted = {"repositoryCreationTemplates": [expected]}
    return "DescribeRepositoryCreationTemplates", {"prefixes": ["tf-test"]}, wanted


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
    "PullThroughCacheRule_basic": [
        ("CreatePullThroughCacheRule", RULE, {**RULE, "credentialArn": ABSENT}),
        (
            "DescribePullThroughCacheRules",
            {"ecrRepositoryPrefixes": ["tf-test"]},
            {"pullThroughCacheRules": [{**RULE, "registryId": ACCOUNT}]},
        ),
        (
            "DeletePullThroughCacheRule",
            {"ecrRepositoryPrefix": "tf-test"},
            {"ecrRepositoryPrefix": "tf-test"},
        ),
        (
            "DescribePullThroughCacheRules",
            {"ecrRepositoryPrefixes": ["tf-test"]},
            "PullThroughCacheRuleNotFoundException",
        ),
    ],
    "PullThroughCacheRule_failWhenAlreadyExists": [
        ("CreatePullThroughCacheRule", RULE, RULE),
        ("CreatePullThroughCacheRule", RULE, "PullThroughCacheRuleAlreadyExistsException"),
    ],
    "PullThroughCacheRule_repositoryPrefixWithSlash": [
        (
            "CreatePullThroughCacheRule",
            {**RULE, "ecrRepositoryPrefix": "tf-test/abcdefghijklmnopqrstuv"},
            {"ecrRepositoryPrefix": "tf-test/abcdefghijklmnopqrstuv"},
        ),
    ],
    "PullThroughCacheRule_privateRepositorySelfAccount": [
        (
            "CreatePullThroughCacheRule",
            {
                "ecrRepositoryPrefix": "tf-test",
                "upstreamRepositoryPrefix": "ROOT",
                "upstreamRegistryUrl": f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com",
            },
            {"upstreamRepositoryPrefix": "ROOT", "registryId": ACCOUNT},
        ),
    ],
    "RegistryPolicy_basic": [
        ("GetRegistryPolicy", {}, "RegistryPolicyNotFoundException"),
        (
            "PutRegistryPolicy",
            {"policyText": registry_policy("ecr:ReplicateImage")},
            {"registryId": ACCOUNT},
        ),
        (
            "PutRegistryPolicy",
            {"policyText": registry_policy("ecr:ReplicateImage", "ecr:CreateRepository")},
            {"registryId": ACCOUNT},
        ),
        ("GetRegistryPolicy", {}, {"registryId": ACCOUNT}),
        ("DeleteRegistryPolicy", {}, {"registryId": ACCOUNT}),
        ("GetRegistryPolicy", {}, "RegistryPolicyNotFoundException"),
        ("DeleteRegistryPolicy", {}, "RegistryPolicyNotFoundException"),
    ],
    # the test then sets CLAIR, which AWS has retired
    "AccountSetting_basic": [
        ("PutAccountSetting", NATIVE, NATIVE),
        ("GetAccountSetting", {"name": NATIVE["name"]}, NATIVE),
    ],
    "PullTimeUpdateExclusion_basic": [
        ("RegisterPullTimeUpdateExclusion", PULLER, PULLER),
        ("ListPullTimeUpdateExclusions", {}, {"pullTimeUpdateExclusions": list(PULLER.values())}),
        ("DeregisterPullTimeUpdateExclusion", PULLER, PULLER),
        ("ListPullTimeUpdateExclusions", {}, {"pullTimeUpdateExclusions": []}),
        ("DeregisterPullTimeUpdateExclusion", PULLER, "ExclusionNotFoundException"),
    ],
    "RegistryScanningConfiguration_basic": [
        (
            "PutRegistryScanningConfiguration",
            {"scanType": "BASIC", "rules": [SCANNED]},
            {"registryScanningConfiguration": {"scanType": "BASIC", "rules": [SCANNED]}},
        ),
        (
            "PutRegistryScanningConfiguration",
            {"scanType": "BASIC", "rules": []},
            {"registryScanningConfiguration": {"scanType": "BASIC", "rules": []}},
        ),
        (
            "GetRegistryScanningConfiguration",
            {},
            {"registryId": ACCOUNT, "scanningConfiguration": {"scanType": "BASIC", "rules": []}},
        ),
    ],
    "RegistryScanningConfiguration_update": [
        (
            "PutRegistryScanningConfiguration",
            {"scanType": "ENHANCED", "rules": CONTINUOUS},
            {"registryScanningConfiguration": {"scanType": "ENHANCED", "rules": CONTINUOUS}},
        ),
        (
            "GetRegistryScanningConfiguration",
            {},
            {"scanningConfiguration": {"scanType": "ENHANCED", "rules": CONTINUOUS}},
        ),
    ],
    "RepositoryCreationTemplate_basic": [
        (
            "CreateRepositoryCreationTemplate",
            {
                **TEMPLATE,
                "appliedFor": ["CREATE_ON_PUSH", "PULL_THROUGH_CACHE", "REPLICATION"],
                "resourceTags": [{"Key": "Foo", "Value": "Bar"}],
            },
            {"registryId": ACCOUNT},
        ),
        template_is(
            prefix="tf-test",
            appliedFor=["CREATE_ON_PUSH", "PULL_THROUGH_CACHE", "REPLICATION"],
            encryptionConfiguration={"encryptionType": "AES256", "kmsKey": ABSENT},
            imageTagMutability="MUTABLE",
            resourceTags=[{"Key": "Foo", "Value": "Bar"}],
            customRoleArn=ABSENT,
        ),
        ("DeleteRepositoryCreationTemplate", {"prefix": "tf-test"}, {}),
        ("DeleteRepositoryCreationTemplate", {"prefix": "tf-test"}, "TemplateNotFoundException"),
    ],
    "RepositoryCreationTemplate_failWhenAlreadyExists": [
        ("CreateRepositoryCreationTemplate", TEMPLATE, {}),
        ("CreateRepositoryCreationTemplate", TEMPLATE, "TemplateAlreadyExistsException"),
    ],
    "RepositoryCreationTemplate_root": [
        ("CreateRepositoryCreationTemplate", {**TEMPLATE, "prefix": "ROOT"}, {}),
    ],
    "RepositoryCreationTemplate_repository": [
        (
            "CreateRepositoryCreationTemplate",
            {**TEMPLATE, "repositoryPolicy": policy("tf-test", "ecr:ListImages")},
            {},
        ),
        (
            "UpdateRepositoryCreationTemplate",
            {
                "prefix": "tf-test",
                "repositoryPolicy": policy("tf-test", "ecr:ListImages", "ecr:DescribeImages"),
            },
            {"registryId": ACCOUNT},
        ),
        template_is(appliedFor=["PULL_THROUGH_CACHE", "REPLICATION"]),
    ],
    "RepositoryCreationTemplate_mutabilityWithExclusion": [
        (
            "CreateRepositoryCreationTemplate",
            {
                **TEMPLATE,
                "imageTagMutability": "MUTABLE_WITH_EXCLUSION",
                "imageTagMutabilityExclusionFilters": EXCLUDED,
            },
            {},
        ),
        template_is(imageTagMutabilityExclusionFilters=EXCLUDED),
        (
            "UpdateRepositoryCreationTemplate",
            {
                "prefix": "tf-test",
                "imageTagMutability": "MUTABLE_WITH_EXCLUSION",
                "imageTagMutabilityExclusionFilters": EXCLUDED[::-1],
            },
            {},
        ),
        template_is(imageTagMutabilityExclusionFilters=EXCLUDED[::-1]),
    ],
}

UNKNOWN = "sha256:" + "0" * 64


def failed(code: str, **image_id: str) -> dict[str, Any]:
    return {"imageIds": [], "failures": [{"imageId": image_id, "failureCode": code}]}


MOTO: dict[str, list[Step]] = {
    "delete_repository_that_doesnt_exist": [
        ("DeleteRepository", NAMED, "RepositoryNotFoundException")
    ],
    "create_repository_that_already_exists": [
        *created(),
        ("CreateRepository", NAMED, "RepositoryAlreadyExistsException"),
    ],
    "list_images_from_repository_that_doesnt_exist": [
        ("ListImages", NAMED, "RepositoryNotFoundException")
    ],
    "describe_images_that_doesnt_exist": [
        *created(),
        ("DescribeImages", {**NAMED, "imageIds": [{"imageTag": "x"}]}, "ImageNotFoundException"),
    ],
    "batch_get_image_that_doesnt_exist": [
        *created(),
        (
            "BatchGetImage",
            {**NAMED, "imageIds": [{"imageTag": "v5"}]},
            {"images": [], "failures": [{"failureCode": "ImageNotFound"}]},
        ),
    ],
    "batch_delete_image_with_missing_parameters": [
        *created(),
        ("BatchDeleteImage", {**NAMED, "imageIds": [{}]}, failed("MissingDigestAndTag")),
    ],
    "batch_delete_image_with_invalid_digest": [
        *created(),
        (
            "BatchDeleteImage",
            {**NAMED, "imageIds": [{"imageDigest": "sha256:invalid"}]},
            failed("InvalidImageDigest", imageDigest="sha256:invalid"),
        ),
    ],
    "batch_delete_image_with_nonexistent_tag": [
        *created(),
        (
            "BatchDeleteImage",
            {**NAMED, "imageIds": [{"imageTag": "x"}]},
            failed("ImageNotFound", imageTag="x"),
        ),
    ],
    "put_image_tag_mutability_with_invalid_parameter": [
        *created(),
        (
            "PutImageTagMutability",
            {**NAMED, "imageTagMutability": "invalid"},
            "InvalidParameterException",
        ),
    ],
    "tag_resource_not_exists": [
        (
            "TagResource",
            {"resourceArn": f"{ARN}/repo", "tags": [{"Key": "a", "Value": "b"}]},
            "RepositoryNotFoundException",
        )
    ],
    "start_image_scan_error_image_not_exists": [
        *created(),
        ("StartImageScan", {**NAMED, "imageId": {"imageTag": "x"}}, "ImageNotFoundException"),
    ],
    "put_lifecycle_policy_error_repo_not_exists": [
        (
            "PutLifecyclePolicy",
            {**NAMED, "lifecyclePolicyText": LIFECYCLE},
            "RepositoryNotFoundException",
        )
    ],
    "describe_image_scan_findings_error_image_not_exists": [
        *created(),
        (
            "DescribeImageScanFindings",
            {**NAMED, "imageId": {"imageDigest": UNKNOWN}},
            "ImageNotFoundException",
        ),
    ],
    "describe_registry": [
        (
            "DescribeRegistry",
            {},
            {"registryId": ACCOUNT, "replicationConfiguration": {"rules": []}},
        )
    ],
}


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


@pytest.mark.parametrize("name", [*TERRAFORM, *MOTO])
def test_a_conversation_goes_as_terraform_and_moto_expect(ecr: Ecr, name: str) -> None:
    for operation, params, expected in {**TERRAFORM, **MOTO}[name]:
        if isinstance(expected, str):
            assert ecr.error(operation, **params)[0] == expected, operation
        else:
            assert differences(ecr(operation, **params), expected, operation) == []
