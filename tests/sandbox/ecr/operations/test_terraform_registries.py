"""What Terraform expects of ECR's registries: their policy, settings, cache rules and templates.

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

from tests.sandbox.ecr.operations.ecr_api import ACCOUNT, Ecr
from tests.sandbox.ecr.operations.expectations import (
    ABSENT,
    ARN,
    EXCLUDED,
    Step,
    goes_as_expected,
    policy,
)

RULE = {"ecrRepositoryPrefix": "tf-test", "upstreamRegistryUrl": "public.ecr.aws"}
TEMPLATE = {"prefix": "tf-test", "appliedFor": ["PULL_THROUGH_CACHE", "REPLICATION"]}
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


@pytest.mark.parametrize("name", TERRAFORM)
def test_a_conversation_goes_as_terraform_expects(ecr: Ecr, name: str) -> None:
    goes_as_expected(ecr, TERRAFORM[name])
