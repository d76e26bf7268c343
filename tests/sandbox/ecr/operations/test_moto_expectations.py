"""What moto's tests expect of ECR, where AWS answers so too.

https://github.com/getmoto/moto/blob/master/tests/test_ecr/test_ecr_boto3.py

The rows are written from what is known of these tests.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.ecr.operations.ecr_api import ACCOUNT, Ecr
from tests.sandbox.ecr.operations.expectations import (
    ARN,
    LIFECYCLE,
    NAMED,
    Step,
    created,
    goes_as_expected,
)

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


@pytest.mark.parametrize("name", MOTO)
def test_a_conversation_goes_as_moto_expects(ecr: Ecr, name: str) -> None:
    goes_as_expected(ecr, MOTO[name])
