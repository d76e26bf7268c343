"""What Terraform expects of ECR where it only reads: its data sources.

Each row is what one acceptance test of its provider makes and reads, as calls and answers. Data
sources that read what test_terraform_repositories.py and test_terraform_registries.py have read
already are left out; so is the one of lifecycle policies, which asks nobody.

https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service/ecr
(the *_data_source_test.go)

The rows were read on 2026-11-30, each in the newest version that could be had, which is of an
earlier year for some. The images of the tests are pushed here, where Terraform reads those of a
public registry.
"""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest

from tests.sandbox.ecr.operations.ecr_api import (
    ACCOUNT,
    REGION,
    Ecr,
    blobs_of,
    digest_of,
    manifest_of,
)
from tests.sandbox.ecr.operations.expectations import (
    ABSENT,
    ARN,
    NAMED,
    Step,
    created,
    goes_as_expected,
    policy,
)

HOST = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
ONE, TWO = (digest_of(manifest_of(content)) for content in ("one", "two"))
SIZE = sum(map(len, blobs_of("one")))
DETAILS = {**NAMED, "registryId": ACCOUNT, "imageDigest": ONE, "imageSizeInBytes": SIZE}
TAGS = [{"Key": "Environment", "Value": "production"}, {"Key": "Usage", "Value": "original"}]

TERRAFORM: dict[str, list[Step]] = {
    "ImageDataSource_basic": [
        *created(),
        ("push", {"tag": "2022.1"}, {}),
        ("push", {"tag": "latest"}, {}),
        (
            "DescribeImages",
            {**NAMED, "imageIds": [{"imageTag": "latest"}]},
            {"imageDetails": [{**DETAILS, "imageTags": ["2022.1", "latest"]}]},
        ),
        (
            "DescribeImages",
            {**NAMED, "registryId": ACCOUNT, "imageIds": [{"imageDigest": ONE}]},
            {"imageDetails": [{**DETAILS, "imageTags": ["2022.1", "latest"]}]},
        ),
        (
            "DescribeImages",
            {**NAMED, "imageIds": [{"imageDigest": ONE, "imageTag": "latest"}]},
            {"imageDetails": [{**DETAILS, "imageTags": ["2022.1", "latest"]}]},
        ),
        ("DescribeImages", NAMED, {"imageDetails": [DETAILS], "nextToken": ABSENT}),
        ("DescribeImages", {**NAMED, "imageIds": [{"imageTag": "no"}]}, "ImageNotFoundException"),
        ("DescribeImages", {"repositoryName": "no"}, "RepositoryNotFoundException"),
    ],
    "ImagesDataSource_basic": [
        *created(),
        (
            "SetRepositoryPolicy",
            {**NAMED, "policyText": policy("new policy", "ecr:ListImages")},
            {},
        ),
        ("ListImages", NAMED, {"imageIds": [], "nextToken": ABSENT}),
    ],
    "ImagesDataSource_publicRepo": [
        *created(),
        ("push", {"tag": "latest"}, {}),
        (
            "ListImages",
            {**NAMED, "registryId": ACCOUNT},
            {"imageIds": [{"imageTag": "latest", "imageDigest": ONE}]},
        ),
    ],
    "RepositoriesDataSource_empty": [("DescribeRepositories", {}, {"repositories": []})],
    "RepositoriesDataSource_basic": [
        *created(),
        ("DescribeRepositories", {}, {"repositories": [NAMED], "nextToken": ABSENT}),
    ],
    "RepositoryDataSource_basic": [
        *created(
            given={"tags": TAGS},
            repositoryArn=f"{ARN}/repo",
            registryId=ACCOUNT,
            repositoryUri=f"{HOST}/repo",
            imageTagMutability="MUTABLE",
            imageScanningConfiguration={"scanOnPush": False},
            encryptionConfiguration={"encryptionType": "AES256", "kmsKey": ABSENT},
        ),
        ("ListTagsForResource", {"resourceArn": f"{ARN}/repo"}, {"tags": TAGS}),
        ("DescribeImages", NAMED, {"imageDetails": []}),
    ],
    "RepositoryDataSource_mutabilityWithExclusion": created(
        given={
            "imageTagMutability": "MUTABLE_WITH_EXCLUSION",
            "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "test*"}],
        },
        imageTagMutabilityExclusionFilters=[{"filterType": "WILDCARD", "filter": "test*"}],
    ),
    "RepositoryDataSource_nonExistent": [
        ("DescribeRepositories", {"repositoryNames": ["tf-no"]}, "RepositoryNotFoundException")
    ],
}


@pytest.mark.parametrize("name", TERRAFORM)
def test_a_conversation_goes_as_terraform_expects(ecr: Ecr, name: str) -> None:
    goes_as_expected(ecr, TERRAFORM[name])


def test_the_newest_of_two_images_is_found(ecr: Ecr) -> None:
    """ImageDataSource_basic: most_recent takes the image that was pushed last."""
    goes_as_expected(ecr, created())
    ecr.push("repo", "1", content="one")
    ecr.clock.advance(timedelta(minutes=1))
    ecr.push("repo", "2", content="two")
    found = ecr("DescribeImages", repositoryName="repo")["imageDetails"]
    assert max(found, key=lambda each: float(each["imagePushedAt"]))["imageDigest"] == TWO


@pytest.mark.parametrize("registry", [{}, {"registryIds": [ACCOUNT]}])
def test_a_token_has_all_that_terraform_takes_from_it(
    ecr: Ecr, registry: dict[str, list[str]]
) -> None:
    """AuthorizationTokenDataSource_basic"""
    (found,) = ecr("GetAuthorizationToken", **registry)["authorizationData"]
    user, _, password = base64.b64decode(found["authorizationToken"]).decode().partition(":")
    assert (user, bool(password)) == ("AWS", True)
    assert found["proxyEndpoint"] == f"https://{HOST}"
    assert found["expiresAt"] == ecr.clock.now().timestamp() + timedelta(hours=12).total_seconds()
