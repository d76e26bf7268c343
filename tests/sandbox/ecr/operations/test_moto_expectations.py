"""What moto's tests expect of ECR, as calls and answers.

https://github.com/getmoto/moto/tree/0af643a5dbfc98797f08ee64f5be3ef8002d56ff/tests/test_ecr

The rows were read in that version, of 2026-08-22; a row bears the name of the test without "test_".
What boto3 refuses before it asks, and moto's made-up findings and tokens, are left out. Its replica
rules are in test_operations_registry.py, its templates of CloudFormation in tests/sandbox/moto.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.ecr.operations.ecr_api import (
    ACCOUNT,
    MANIFEST,
    OTHER_ACCOUNT,
    REGION,
    Ecr,
    digest_of,
    manifest_of,
)
from tests.sandbox.ecr.operations.expectations import (
    ABSENT,
    ARN,
    LIFECYCLE,
    NAMED,
    Step,
    created,
    goes_as_expected,
)

TAGGED = {"resourceArn": f"{ARN}/repo", "tags": [{"Key": "key-2", "Value": "value-2"}]}
ONE, TWO = (digest_of(manifest_of(content)) for content in ("one", "two"))
INVALID = "InvalidParameterException"
REGISTRY = {"registryId": ACCOUNT}


def said(constraint: str, place: str = "PolicyText") -> tuple[str, str]:
    words = f"Invalid parameter at '{place}' failed to satisfy constraint: '{constraint}'"
    return INVALID, words


def missing(code: str, what: str) -> tuple[str, str]:
    """A refusal: the repository has no such thing."""
    known = f"the repository with name 'repo' in the registry with id '{ACCOUNT}'"
    return f"{code}NotFoundException", f"{what} does not exist for {known}"


def no_image(digest: str = "null", tag: str = "x") -> tuple[str, str]:
    return (
        "ImageNotFoundException",
        f"The image with imageId {{imageDigest:'{digest}', imageTag:'{tag}'}} does not exist within"
        f" the repository with name 'repo' in the registry with id '{ACCOUNT}'",
    )


def failed(code: str, reason: str, **image_id: str) -> list[dict[str, Any]]:
    return [{"imageId": image_id, "failureCode": code, "failureReason": reason}]


def deleted(image_id: dict[str, str], *gone: tuple[str, str], failures: Any = ()) -> Step:
    ids = [{"imageDigest": digest, "imageTag": tag} for digest, tag in gone]
    answer = {"imageIds": ids, "failures": list(failures)}
    return "BatchDeleteImage", {**NAMED, "imageIds": [image_id]}, answer


def tagged(tag: str, content: str = "one") -> Step:
    return "push", {"tag": tag, "content": content}, None


def put_again(tag: str, content: str, expected: Any) -> Step:
    given = {"imageManifest": manifest_of(content), "imageTag": tag}
    return "PutImage", {**NAMED, **given}, expected


def described(*tags: list[str] | object) -> Step:
    """The tags of each image of the repository; ABSENT for an image without one."""
    return "DescribeImages", NAMED, {"imageDetails": [{"imageTags": each} for each in tags]}


def policy(*actions: str, **more: Any) -> str:
    principal = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": list(actions), **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


_SAME = json.loads(policy("ecr:DescribeImages", Sid="same"))["Statement"]
TWICE = json.dumps({"Version": "2012-10-17", "Statement": [*_SAME, *_SAME]})
"""Two statements with one Sid, which ECR takes in the policy of a repository."""


def rule(**changed: Any) -> str:
    selection = {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 30}
    whole = {"rulePriority": 1, "selection": selection, "action": {"type": "expire"}, **changed}
    rules = [{name: each for name, each in whole.items() if each is not None}]
    # ECR reads no text of fewer than 100 characters
    return json.dumps({"rules": rules}).ljust(100)


def selecting(**changed: Any) -> str:
    selection = {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 30}
    whole = {**selection, **changed}
    return rule(selection={name: each for name, each in whole.items() if each is not None})


def scanned(**expected: Any) -> Step:
    answer = {"repositoryArn": f"{ARN}/repo", "repositoryName": "repo", **expected}
    asked = {"repositoryNames": ["repo"]}
    return (
        "BatchGetRepositoryScanningConfiguration",
        asked,
        {"scanningConfigurations": [answer], "failures": []},
    )


def filters(name: str) -> list[dict[str, str]]:
    return [{"filter": name, "filterType": "WILDCARD"}]


def scanning(kind: str, *rules: tuple[str, str]) -> Step:
    given = [{"scanFrequency": one, "repositoryFilters": filters(two)} for one, two in rules]
    configuration = {"scanType": kind, "rules": given}
    return (
        "PutRegistryScanningConfiguration",
        configuration,
        {"registryScanningConfiguration": configuration},
    )


NO_REPOSITORY = (
    "RepositoryNotFoundException",
    f"The repository with name 'repo' does not exist in the registry with id '{ACCOUNT}'",
)
NO_REGISTRY_POLICY = (
    "RegistryPolicyNotFoundException",
    f"Registry policy does not exist in the registry with id '{ACCOUNT}'",
)
NO_POLICY = missing("RepositoryPolicy", "Repository policy")
NO_LIFECYCLE = missing("LifecyclePolicy", "Lifecycle policy")

WITHOUT_REPOSITORY: list[Step] = [
    (operation, params, NO_REPOSITORY)
    for operation, params in (
        ("DeleteRepository", NAMED),
        ("DescribeRepositories", {"repositoryNames": ["repo"]}),
        ("DescribeImages", {**NAMED, "imageIds": [{"imageTag": "x"}]}),
        ("ListImages", NAMED),
        ("ListTagsForResource", {"resourceArn": f"{ARN}/repo"}),
        ("TagResource", TAGGED),
        ("UntagResource", {"resourceArn": f"{ARN}/repo", "tagKeys": ["key-1"]}),
        ("PutImageTagMutability", {**NAMED, "imageTagMutability": "IMMUTABLE"}),
        (
            "PutImageScanningConfiguration",
            {**NAMED, "imageScanningConfiguration": {"scanOnPush": True}},
        ),
        ("SetRepositoryPolicy", {**NAMED, "policyText": policy("ecr:DescribeImages")}),
        ("GetRepositoryPolicy", NAMED),
        ("DeleteRepositoryPolicy", NAMED),
        ("PutLifecyclePolicy", {**NAMED, "lifecyclePolicyText": LIFECYCLE}),
        ("GetLifecyclePolicy", NAMED),
        ("DeleteLifecyclePolicy", NAMED),
        ("StartImageScan", {**NAMED, "imageId": {"imageTag": "latest"}}),
        ("DescribeImageScanFindings", {**NAMED, "imageId": {"imageTag": "latest"}}),
    )
]
"""The tests *_error_not_exists, *_error_repo_not_exists and *_that_doesnt_exist."""

LIFECYCLE_TEXTS = {
    "parse[not_json]": (json.dumps("text"), "Could not map policyString into LifecyclePolicy."),
    "parse[not_dict]": ("[{}]", "Could not map policyString into LifecyclePolicy."),
    "extract_rules[no_rules]": (
        '{"no_rules": "test"}',
        'object has missing required properties (["rules"])',
    ),
    "rule_properties[missing_rulePriority]": (
        rule(rulePriority=None),
        'object has missing required properties (["rulePriority"])',
    ),
    "rule_properties[missing_selection]": (
        rule(selection=None),
        'object has missing required properties (["selection"])',
    ),
    "rule_properties[missing_action]": (
        rule(action=None),
        'object has missing required properties (["action"])',
    ),
    "rule_properties[unknown]": (
        rule(unknown=123),
        'object instance has properties which are not allowed by the schema: (["unknown"])',
    ),
    "action_properties[missing_type]": (
        rule(action={}),
        'object has missing required properties (["type"])',
    ),
    "action_properties[unknown]": (
        rule(action={"type": "expire", "unknown": 123}),
        'object instance has properties which are not allowed by the schema: (["unknown"])',
    ),
    "selection_properties[missing_tagStatus]": (
        selecting(tagStatus=None),
        'object has missing required properties (["tagStatus"])',
    ),
    "selection_properties[missing_countType]": (
        selecting(countType=None),
        'object has missing required properties (["countType"])',
    ),
    "selection_properties[missing_countNumber]": (
        selecting(countNumber=None),
        'object has missing required properties (["countNumber"])',
    ),
    "selection_properties[unknown]": (
        selecting(unknown=123),
        'object instance has properties which are not allowed by the schema: (["unknown"])',
    ),
    "selection_properties[unknown_countType_value]": (
        selecting(countType="unknown"),
        "instance failed to match exactly one schema (matched 0 out of 2)",
    ),
    "selection_properties[zero_countNumber_value]": (
        selecting(countNumber=0),
        "numeric instance is lower than the required minimum (minimum: 1, found: 0)",
    ),
    "selection_properties[negative_countNumber_value]": (
        selecting(countNumber=-1),
        "numeric instance is lower than the required minimum (minimum: 1, found: -1)",
    ),
    # moto's words of these five begin the list of values with a colon, put no quotation marks
    # around the value, or name a type of Python; ours are those of the validator whose other words
    # AWS passes on: https://github.com/java-json-tools/json-schema-validator
    "rule_type[not_dict]": (
        json.dumps({"rules": ["not_dict"]}),
        'instance type (string) does not match any allowed primitive type (allowed: ["object"])',
    ),
    "extract_rules[not_list]": (
        json.dumps({"rules": {"rulePriority": 1}}),
        'instance type (object) does not match any allowed primitive type (allowed: ["array"])',
    ),
    "action_properties[unknown_type_value]": (
        rule(action={"type": "keep"}),
        'instance value ("keep") not found in enum (possible values: ["expire","transition"])',
    ),
    "selection_properties[unknown_tagStatus_value]": (
        selecting(tagStatus="unknown"),
        'instance value ("unknown") not found in enum (possible values: '
        '["any","tagged","untagged"])',
    ),
    "selection_properties[unknown_countUnit_value]": (
        selecting(countType="sinceImagePushed", countUnit="unknown"),
        'instance value ("unknown") not found in enum (possible values: ["days"])',
    ),
}

MOTO: dict[str, list[Step]] = {
    "create_repository": created(
        repositoryArn=f"{ARN}/repo",
        registryId=ACCOUNT,
        repositoryUri=f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/repo",
        imageTagMutability="MUTABLE",
        imageScanningConfiguration={"scanOnPush": False},
        encryptionConfiguration={"encryptionType": "AES256"},
    ),
    "create_repository_in_different_account": [
        ("CreateRepository", {**NAMED, "registryId": OTHER_ACCOUNT}, {"repository": NAMED}),
        ("DescribeRepositories", {"registryId": OTHER_ACCOUNT}, {"repositories": [NAMED]}),
        ("DescribeRepositories", {"registryId": ACCOUNT}, {"repositories": []}),
    ],
    "create_repository_error_already_exists": [
        *created(),
        (
            "CreateRepository",
            NAMED,
            (
                "RepositoryAlreadyExistsException",
                "The repository with name 'repo' already exists in the registry with id "
                f"'{ACCOUNT}'",
            ),
        ),
    ],
    "create_repository_error_name_validation": [
        ("CreateRepository", {"repositoryName": "tesT"}, INVALID)
    ],
    "create_repository_invalid_image_tag_mutability_param": [
        ("CreateRepository", {**NAMED, "imageTagMutability": "INVALID"}, INVALID)
    ],
    "describe_repositories_2": [
        *created(),
        ("DescribeRepositories", {"registryId": OTHER_ACCOUNT}, {"repositories": []}),
    ],
    "delete_repository_with_force": [
        *created(),
        tagged("latest"),
        ("DeleteRepository", {**NAMED, "force": True}, {"repository": NAMED}),
        ("DescribeRepositories", {}, {"repositories": []}),
    ],
    "delete_repository_error_not_empty": [
        *created(),
        tagged("latest"),
        (
            "DeleteRepository",
            NAMED,
            (
                "RepositoryNotEmptyException",
                f"The repository with name 'repo' in registry with id '{ACCOUNT}' cannot be "
                "deleted because it still contains images",
            ),
        ),
    ],
    "put_image": [
        *created(),
        tagged("v1"),
        put_again(
            "latest",
            "one",
            {
                "image": {
                    **NAMED,
                    **REGISTRY,
                    "imageId": {"imageTag": "latest", "imageDigest": ONE},
                    "imageManifestMediaType": MANIFEST,
                }
            },
        ),
    ],
    "put_image_without_mediatype": [
        *created(),
        (
            "PutImage",
            {**NAMED, "imageManifest": json.dumps({"schemaVersion": 2, "config": {}})},
            (INVALID, "image manifest mediatype not provided in manifest or parameter"),
        ),
    ],
    "put_same_image_with_same_tag": [
        *created(),
        tagged("my-tag"),
        put_again(
            "my-tag",
            "one",
            (
                "ImageAlreadyExistsException",
                f"Image with digest '{ONE}' and tag 'my-tag' already exists in the repository "
                f"with name 'repo' in registry with id '{ACCOUNT}'",
            ),
        ),
        described(["my-tag"]),
    ],
    "ecr_image_digest": [
        *created(),
        tagged("v1"),
        (
            "PutImage",
            {**NAMED, "imageManifest": manifest_of("one"), "imageTag": "x", "imageDigest": ONE},
            {"image": {"imageId": {"imageDigest": ONE}}},
        ),
    ],
    "multiple_tags__ensure_tags_exist_only_on_one_image": [
        *created(),
        tagged("image_001"),
        tagged("mock-tag"),
        tagged("image_002", "two"),
        tagged("mock-tag", "two"),
        (
            "BatchGetImage",
            {**NAMED, "imageIds": [{"imageTag": "mock-tag"}]},
            {"images": [{"imageManifest": manifest_of("two")}], "failures": []},
        ),
    ],
    "list_same_image_with_multiple_tags": [
        *created(),
        tagged("tag1"),
        tagged("tag2"),
        ("push", {"content": "two"}, None),
        (
            "ListImages",
            NAMED,
            {
                "imageIds": [
                    {"imageDigest": ONE, "imageTag": "tag1"},
                    {"imageDigest": ONE, "imageTag": "tag2"},
                    {"imageDigest": TWO, "imageTag": ABSENT},
                ]
            },
        ),
    ],
    "list_images_from_repository_that_doesnt_exist": [
        *created(),
        ("ListImages", {**NAMED, "registryId": OTHER_ACCOUNT}, "RepositoryNotFoundException"),
    ],
    "describe_images_tags_should_not_contain_empty_tag1": [
        *created(),
        ("push", {"content": "one"}, None),
        described(ABSENT),
        tagged("v1"),
        tagged("v2"),
        (
            "DescribeImages",
            {**NAMED, "imageIds": [{"imageTag": "v2"}]},
            {"imageDetails": [{"imageDigest": ONE, "imageTags": ["v1", "v2"]}]},
        ),
    ],
    "describe_images_by_digest": [
        *created(),
        tagged("latest"),
        tagged("v1", "two"),
        (
            "DescribeImages",
            {**NAMED, "imageIds": [{"imageDigest": TWO}]},
            {"imageDetails": [{**NAMED, **REGISTRY, "imageDigest": TWO, "imageTags": ["v1"]}]},
        ),
    ],
    "describe_image_that_doesnt_exist": [
        *created(),
        ("DescribeImages", {**NAMED, "imageIds": [{"imageTag": "x"}]}, no_image()),
    ],
    "batch_get_image_that_doesnt_exist": [
        *created(),
        (
            "BatchGetImage",
            {**NAMED, "imageIds": [{"imageTag": "v5"}]},
            {
                "images": [],
                "failures": failed("ImageNotFound", "Requested image not found", imageTag="v5"),
            },
        ),
    ],
    "batch_delete_image_by_tag": [
        *created(),
        *(tagged(tag) for tag in ("v1", "v1.0", "latest")),
        deleted({"imageTag": "latest"}, (ONE, "latest")),
        described(["v1", "v1.0"]),
    ],
    "batch_delete_image_delete_last_tag": [
        *created(),
        tagged("v1"),
        deleted({"imageTag": "v1"}, (ONE, "v1")),
        described(),
    ],
    "batch_delete_image_with_nonexistent_tag": [
        *created(),
        tagged("v1"),
        deleted(
            {"imageTag": "x"},
            failures=failed("ImageNotFound", "Requested image not found", imageTag="x"),
        ),
    ],
    "batch_delete_image_by_digest": [
        *created(),
        *(tagged(tag) for tag in ("v1", "v2", "latest")),
        deleted({"imageDigest": ONE}, (ONE, "latest"), (ONE, "v1"), (ONE, "v2")),
        described(),
    ],
    "batch_delete_image_with_invalid_digest": [
        *created(),
        deleted(
            {"imageDigest": "sha256:invalid-digest"},
            failures=failed(
                "InvalidImageDigest",
                "Invalid request parameters: image digest should satisfy the regex "
                "'[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
                imageDigest="sha256:invalid-digest",
            ),
        ),
    ],
    "batch_delete_image_with_missing_parameters": [
        *created(),
        deleted(
            {},
            failures=failed(
                "MissingDigestAndTag",
                "Invalid request parameters: both tag and digest cannot be null",
            ),
        ),
    ],
    "batch_delete_image_with_mismatched_digest_and_tag": [
        *created(),
        tagged("v1"),
        deleted(
            {"imageDigest": ONE, "imageTag": "v2"},
            failures=failed(
                "ImageNotFound", "Requested image not found", imageDigest=ONE, imageTag="v2"
            ),
        ),
    ],
    "delete_batch_image_with_multiple_images": [
        *created(),
        *(tagged(f"tag{each}", content=str(each)) for each in range(4)),
        (
            "BatchDeleteImage",
            {
                **NAMED,
                "imageIds": [{"imageDigest": digest_of(manifest_of(each))} for each in "12"],
            },
            {"failures": []},
        ),
        described(["tag0"], ["tag3"]),
    ],
    "tag_resource": [
        *created(given={"tags": [{"Key": "key-1", "Value": "value-1"}]}),
        ("TagResource", TAGGED, {}),
        (
            "ListTagsForResource",
            {"resourceArn": f"{ARN}/repo"},
            {
                "tags": [
                    {"Key": "key-1", "Value": "value-1"},
                    {"Key": "key-2", "Value": "value-2"},
                ]
            },
        ),
    ],
    "list_tags_for_resource_error_invalid_param": [
        ("ListTagsForResource", {"resourceArn": "invalid"}, said("Invalid ARN", "resourceArn"))
    ],
    "put_image_tag_mutability_error_invalid_param": [
        *created(),
        (
            "PutImageTagMutability",
            {**NAMED, "imageTagMutability": "invalid"},
            said(
                "Member must satisfy enum value set: [IMMUTABLE, MUTABLE, "
                "MUTABLE_WITH_EXCLUSION, IMMUTABLE_WITH_EXCLUSION]",
                "imageTagMutability",
            ),
        ),
    ],
    "put_image_scanning_configuration": [
        *created(),
        (
            "PutImageScanningConfiguration",
            {**NAMED, "imageScanningConfiguration": {"scanOnPush": True}},
            {**NAMED, **REGISTRY, "imageScanningConfiguration": {"scanOnPush": True}},
        ),
    ],
    "set_repository_policy_validation": [
        *created(),
        ("SetRepositoryPolicy", {**NAMED, "policyText": TWICE}, NAMED),
        ("SetRepositoryPolicy", {**NAMED, "policyText": TWICE.replace("2012", "2008")}, NAMED),
    ],
    "delete_repository_policy_error_policy_not_exists": [
        *created(),
        ("GetRepositoryPolicy", NAMED, NO_POLICY),
        ("DeleteRepositoryPolicy", NAMED, NO_POLICY),
    ],
    "delete_lifecycle_policy_error_policy_not_exists": [
        *created(),
        ("GetLifecyclePolicy", NAMED, NO_LIFECYCLE),
        ("DeleteLifecyclePolicy", NAMED, NO_LIFECYCLE),
    ],
    "put_registry_policy": [
        (
            "PutRegistryPolicy",
            {"policyText": policy("ecr:CreateRepository", "ecr:ReplicateImage", Resource="*")},
            REGISTRY,
        ),
        ("DeleteRegistryPolicy", {}, REGISTRY),
        ("GetRegistryPolicy", {}, NO_REGISTRY_POLICY),
        ("DeleteRegistryPolicy", {}, NO_REGISTRY_POLICY),
    ],
    "put_registry_policy_error_invalid_action": [
        (
            "PutRegistryPolicy",
            {"policyText": policy("ecr:DescribeRepositories", Resource="*")},
            INVALID,
        )
    ],
    "start_image_scan_error_image_not_exists": [
        *created(),
        ("StartImageScan", {**NAMED, "imageId": {"imageTag": "x"}}, no_image()),
        ("DescribeImageScanFindings", {**NAMED, "imageId": {"imageTag": "x"}}, no_image()),
    ],
    "start_image_scan_error_image_tag_digest_mismatch": [
        *created(),
        tagged("latest"),
        (
            "StartImageScan",
            {**NAMED, "imageId": {"imageTag": "x", "imageDigest": ONE}},
            no_image(ONE),
        ),
    ],
    "start_image_scan": [
        *created(),
        tagged("latest"),
        (
            "StartImageScan",
            {**NAMED, "imageId": {"imageTag": "latest"}},
            {
                **NAMED,
                "imageId": {"imageTag": "latest", "imageDigest": ONE},
                "imageScanStatus": {"status": "IN_PROGRESS"},
            },
        ),
        (
            "StartImageScan",
            {**NAMED, "imageId": {"imageTag": "latest"}},
            (
                "LimitExceededException",
                "The scan quota per image has been exceeded. Wait and try again.",
            ),
        ),
    ],
    "describe_image_scan_findings_error_scan_not_exists": [
        *created(),
        tagged("latest"),
        (
            "DescribeImageScanFindings",
            {**NAMED, "imageId": {"imageTag": "latest"}},
            (
                "ScanNotFoundException",
                "Image scan does not exist for the image with '{imageDigest:'null', "
                f"imageTag:'latest'}}' in the repository with name 'repo' in the registry with id "
                f"'{ACCOUNT}'",
            ),
        ),
    ],
    "describe_registry": [
        ("DescribeRegistry", {}, {**REGISTRY, "replicationConfiguration": {"rules": []}})
    ],
    "put_replication_configuration_error_same_source": [
        (
            "PutReplicationConfiguration",
            {
                "replicationConfiguration": {
                    "rules": [{"destinations": [{"region": REGION, **REGISTRY}]}]
                }
            },
            said(
                "Replication destination cannot be the same as the source registry",
                "replicationConfiguration",
            ),
        )
    ],
    "batch_get_repository_scanning_configuration": [
        *created(),
        scanned(scanOnPush=False, scanFrequency="MANUAL", appliedScanFilters=[]),
        (
            "BatchGetRepositoryScanningConfiguration",
            {"repositoryNames": ["unknown"]},
            {
                "scanningConfigurations": [],
                "failures": [
                    {
                        "repositoryName": "unknown",
                        "failureCode": "REPOSITORY_NOT_FOUND",
                        "failureReason": "REPOSITORY_NOT_FOUND",
                    }
                ],
            },
        ),
    ],
    # scanOnPush is left out: moto shows the repository's own setting, which a rule overrides
    "put_registry_scanning_configuration": [
        *created(),
        scanning("ENHANCED", ("CONTINUOUS_SCAN", "repo")),
        scanned(scanFrequency="CONTINUOUS_SCAN", appliedScanFilters=filters("repo")),
        scanning("ENHANCED", ("SCAN_ON_PUSH", "rep*")),
        scanned(scanFrequency="SCAN_ON_PUSH", appliedScanFilters=filters("rep*")),
        scanning("ENHANCED", ("SCAN_ON_PUSH", "unknown")),
        scanned(scanFrequency="MANUAL", appliedScanFilters=[]),
    ],
    "registry_scanning_configuration_lifecycle": [
        *created(),
        (
            "GetRegistryScanningConfiguration",
            {},
            {**REGISTRY, "scanningConfiguration": {"rules": [], "scanType": "BASIC"}},
        ),
        scanning("BASIC", ("SCAN_ON_PUSH", "rep*")),
        scanned(scanFrequency="SCAN_ON_PUSH", appliedScanFilters=filters("rep*")),
        scanning("BASIC"),
        scanned(scanFrequency="MANUAL", appliedScanFilters=[]),
    ],
    "ecr_failures_due_to_exclusion_filters": [
        (
            "CreateRepository",
            {
                **NAMED,
                "imageTagMutability": "MUTABLE_WITH_EXCLUSION",
                "imageTagMutabilityExclusionFilters": [{"filter": "abc", "filterType": "invalid"}],
            },
            INVALID,
        )
    ],
}


def excluding(mutability: str, name: str) -> list[Step]:
    given = {"imageTagMutability": mutability, "imageTagMutabilityExclusionFilters": filters(name)}
    return created(given=given, **given)


OTHERWISE: dict[str, tuple[str, list[Step]]] = {
    "put_multiple_images_with_same_tag": (
        "moto drops an image that loses its last tag. On AWS the image stays, untagged: "
        "https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_examples.html "
        "has rules for such images",
        [*created(), tagged("v1"), tagged("v1", "two"), described(ABSENT, ["v1"])],
    ),
    "put_image_with_multiple_tags": (
        "moto lists an image's tags in the order of the pushes; AWS promises no order "
        "(https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageDetail.html), and "
        "ours is by name",
        [*created(), tagged("v1"), tagged("latest"), described(["latest", "v1"])],
    ),
    "put_image of a manifest whose layers nobody uploaded": (
        "moto takes any layer; AWS answers LayersNotFoundException: "
        "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImage.html",
        [*created(), put_again("v1", "one", "LayersNotFoundException")],
    ),
    "ecr_image_tag_immutability": (
        "moto answers ImageAlreadyExistsException for a tag that may not move; AWS has a code of "
        "its own, even for the image that has the tag: "
        "https://github.com/aws/containers-roadmap/issues/2179",
        [
            *created(given={"imageTagMutability": "IMMUTABLE"}),
            tagged("tagA"),
            put_again("tagA", "one", "ImageTagAlreadyExistsException"),
            tagged("tagB"),
            ("push", {"content": "two"}, None),
            put_again("tagA", "two", "ImageTagAlreadyExistsException"),
            described(["tagA", "tagB"], ABSENT),
        ],
    ),
    "ecr_image_tag_mutability_with_exclusion_filters": (
        "moto reads the filter tagME.* as a regular expression; on AWS only * is special, and the "
        "filter is tagME*: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/"
        "API_ImageTagMutabilityExclusionFilter.html",
        [
            *excluding("MUTABLE_WITH_EXCLUSION", "tagME*"),
            tagged("tagME1"),
            tagged("tagA"),
            tagged("tagA", "two"),
            put_again("tagME1", "two", "ImageTagAlreadyExistsException"),
            described(["tagME1"], ["tagA"]),
        ],
    ),
    "ecr_image_tag_immutability_with_exclusion_filters": (
        "the same filter, of a repository whose other tags may not move",
        [
            *excluding("IMMUTABLE_WITH_EXCLUSION", "tagME*"),
            tagged("tagME1"),
            tagged("tagA"),
            tagged("tagME1", "two"),
            put_again("tagA", "two", "ImageTagAlreadyExistsException"),
            described(["tagA"], ["tagME1"]),
        ],
    ),
    "batch_delete_image_with_matching_digest_and_tag": (
        "moto deletes the image with all its tags. AWS's page says that a digest does that, and "
        "that a tag takes itself alone; ours takes the one tag where both are given, which loses "
        "less: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchDeleteImage.html",
        [
            *created(),
            tagged("v1"),
            tagged("latest"),
            deleted({"imageDigest": ONE, "imageTag": "v1"}, (ONE, "v1")),
            described(["latest"]),
        ],
    ),
    "list_images_from_repository_that_doesnt_exist[123]": (
        "moto takes an id of three digits; the model wants twelve: "
        "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ListImages.html",
        [("ListImages", {**NAMED, "registryId": "123"}, INVALID)],
    ),
    "put_lifecycle_policy": (
        "moto takes patterns and prefixes of tags, and a unit of days, in a rule about untagged "
        "images that counts images; AWS has them for tagged images, and for days: "
        "https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html",
        [
            *created(),
            (
                "PutLifecyclePolicy",
                {
                    **NAMED,
                    "lifecyclePolicyText": selecting(
                        tagPatternList=["tagx"], tagPrefixList=["tag-"], countUnit="days"
                    ),
                },
                INVALID,
            ),
        ],
    ),
    "put_registry_scanning_configuration[MANUAL]": (
        "moto takes MANUAL in a rule of enhanced scanning, which has SCAN_ON_PUSH and "
        "CONTINUOUS_SCAN only: "
        "https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning-enhanced.html",
        [
            (
                "PutRegistryScanningConfiguration",
                {
                    "scanType": "ENHANCED",
                    "rules": [{"scanFrequency": "MANUAL", "repositoryFilters": filters("x")}],
                },
                INVALID,
            )
        ],
    ),
}
"""Why ours answers otherwise than moto's tests expect, by test, and the conversation here."""


@pytest.mark.parametrize("name", MOTO)
def test_a_conversation_goes_as_moto_expects(ecr: Ecr, name: str) -> None:
    goes_as_expected(ecr, MOTO[name])


def test_calls_about_no_repository_are_refused_in_the_words_that_moto_expects(ecr: Ecr) -> None:
    goes_as_expected(ecr, WITHOUT_REPOSITORY)


@pytest.mark.parametrize("name", LIFECYCLE_TEXTS)
def test_a_lifecycle_policy_is_refused_in_the_words_that_moto_expects(ecr: Ecr, name: str) -> None:
    text, words = LIFECYCLE_TEXTS[name]
    given = {**NAMED, "lifecyclePolicyText": text.ljust(100)}
    refused = said(f"Lifecycle policy validation failure: {words}", "LifecyclePolicyText")
    goes_as_expected(ecr, [*created(), ("PutLifecyclePolicy", given, refused)])


@pytest.mark.parametrize("name", OTHERWISE)
def test_where_moto_expects_otherwise_the_conversation_goes_so(ecr: Ecr, name: str) -> None:
    why, steps = OTHERWISE[name]
    assert why
    goes_as_expected(ecr, steps)
