"""Repositories by the API: creating, describing, deleting, settings and resource tags."""

import pytest

from labs_helpers.sandbox.ecr.elsewhere import Elsewhere, KmsError
from tests.sandbox.ecr.operations.ecr_api import ACCOUNT, OTHER_ACCOUNT, Ecr, Refused, principal

ARN = f"arn:aws:ecr:us-west-2:{ACCOUNT}:repository/demo"


def test_a_new_repository_is_described_as_aws_describes_it(ecr: Ecr) -> None:
    made = ecr("CreateRepository", repositoryName="demo")["repository"]
    assert made == {
        "repositoryArn": ARN,
        "registryId": ACCOUNT,
        "repositoryName": "demo",
        "repositoryUri": f"{ACCOUNT}.dkr.ecr.us-west-2.amazonaws.com/demo",
        "createdAt": ecr.clock.now().timestamp(),
        "imageTagMutability": "MUTABLE",
        "imageScanningConfiguration": {"scanOnPush": False},
        "encryptionConfiguration": {"encryptionType": "AES256"},
    }
    assert ecr("DescribeRepositories")["repositories"] == [made]


def test_a_name_is_taken_once(demo: Ecr) -> None:
    assert demo.error("CreateRepository", repositoryName="demo") == (
        "RepositoryAlreadyExistsException",
        f"The repository with name 'demo' already exists in the registry with id '{ACCOUNT}'",
    )


def test_describing_a_repository_that_is_not_there_says_which_registry(demo: Ecr) -> None:
    assert demo.error("DescribeRepositories", repositoryNames=["demo", "other"]) == (
        "RepositoryNotFoundException",
        f"The repository with name 'other' does not exist in the registry with id '{ACCOUNT}'",
    )


def test_regions_are_apart(demo: Ecr) -> None:
    demo.region = "eu-west-1"
    assert demo("DescribeRepositories")["repositories"] == []
    made = demo("CreateRepository", repositoryName="demo")["repository"]
    assert made["repositoryUri"].startswith(f"{ACCOUNT}.dkr.ecr.eu-west-1.")


def test_registry_id_names_another_accounts_registry(demo: Ecr) -> None:
    demo.caller = principal(OTHER_ACCOUNT)
    assert demo.error("ListImages", repositoryName="demo")[0] == "RepositoryNotFoundException"
    assert demo("ListImages", repositoryName="demo", registryId=ACCOUNT) == {"imageIds": []}


def test_pages_of_repositories_cover_each_once(ecr: Ecr) -> None:
    for number in range(5):
        ecr("CreateRepository", repositoryName=f"r{number}")
    seen, token = [], {}
    while token is not None:
        answer = ecr("DescribeRepositories", maxResults=2, **token)
        assert len(answer["repositories"]) <= 2
        seen += [each["repositoryName"] for each in answer["repositories"]]
        token = {"nextToken": answer["nextToken"]} if "nextToken" in answer else None
    assert seen == [f"r{number}" for number in range(5)]


def test_a_page_token_survives_a_deletion_in_between(ecr: Ecr) -> None:
    for number in range(4):
        ecr("CreateRepository", repositoryName=f"r{number}")
    token = ecr("DescribeRepositories", maxResults=2)["nextToken"]
    ecr("DeleteRepository", repositoryName="r1")
    rest = ecr("DescribeRepositories", nextToken=token)["repositories"]
    assert [each["repositoryName"] for each in rest] == ["r2", "r3"]


@pytest.mark.parametrize("token", ["", "x", "Zm9v", "é", "QUFB" * 40])
def test_a_page_token_that_was_not_given_is_refused(demo: Ecr, token: str) -> None:
    assert demo.error("DescribeRepositories", nextToken=token)[0] == "InvalidParameterException"


def test_a_page_token_belongs_to_its_list(ecr: Ecr) -> None:
    for name in ("demo", "more"):
        ecr("CreateRepository", repositoryName=name)
    token = ecr("DescribeRepositories", maxResults=1)["nextToken"]
    code, _ = ecr.error("ListImages", repositoryName="demo", nextToken=token)
    assert code == "InvalidParameterException"


def test_deleting_what_holds_images_wants_force(demo: Ecr) -> None:
    demo.push("demo", "v1")
    assert demo.error("DeleteRepository", repositoryName="demo") == (
        "RepositoryNotEmptyException",
        f"The repository with name 'demo' in registry with id '{ACCOUNT}' cannot be deleted "
        "because it still contains images",
    )
    gone = demo("DeleteRepository", repositoryName="demo", force=True)["repository"]
    assert gone["repositoryName"] == "demo"
    assert demo("DescribeRepositories")["repositories"] == []


def test_settings_of_a_repository_are_kept(demo: Ecr) -> None:
    demo("PutImageTagMutability", repositoryName="demo", imageTagMutability="IMMUTABLE")
    demo(
        "PutImageScanningConfiguration",
        repositoryName="demo",
        imageScanningConfiguration={"scanOnPush": True},
    )
    (now,) = demo("DescribeRepositories")["repositories"]
    assert now["imageTagMutability"] == "IMMUTABLE"
    assert now["imageScanningConfiguration"] == {"scanOnPush": True}


def test_exclusion_filters_and_mutability_go_together(demo: Ecr) -> None:
    code, message = demo.error(
        "PutImageTagMutability", repositoryName="demo", imageTagMutability="MUTABLE_WITH_EXCLUSION"
    )
    assert (code, message) == (
        "InvalidParameterException",
        "Invalid parameter at 'imageTagMutabilityExclusionFilters' failed to satisfy constraint: "
        "'ImageTagMutabilityExclusionFilters can't be null when imageTagMutability is set as "
        "MUTABLE_WITH_EXCLUSION'",
    )
    filters = [{"filterType": "WILDCARD", "filter": "dev-*"}]
    answer = demo(
        "PutImageTagMutability",
        repositoryName="demo",
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=filters,
    )
    assert answer["imageTagMutabilityExclusionFilters"] == filters


def test_resource_tags_are_added_replaced_and_removed(ecr: Ecr) -> None:
    ecr("CreateRepository", repositoryName="demo", tags=[{"Key": "env", "Value": "dev"}])
    ecr("TagResource", resourceArn=ARN, tags=[{"Key": "env", "Value": "prod"}])
    ecr("TagResource", resourceArn=ARN, tags=[{"Key": "team", "Value": "labs"}])
    assert ecr("ListTagsForResource", resourceArn=ARN)["tags"] == [
        {"Key": "env", "Value": "prod"},
        {"Key": "team", "Value": "labs"},
    ]
    assert ecr("UntagResource", resourceArn=ARN, tagKeys=["env", "none"]) == {}
    assert ecr("ListTagsForResource", resourceArn=ARN)["tags"] == [{"Key": "team", "Value": "labs"}]


@pytest.mark.parametrize("arn", ["demo", "arn:aws:s3:::demo", f"arn:aws:ecr:::{ACCOUNT}"])
def test_tags_belong_to_a_repositorys_arn(demo: Ecr, arn: str) -> None:
    assert demo.error("ListTagsForResource", resourceArn=arn) == (
        "InvalidParameterException",
        "Invalid parameter at 'resourceArn' failed to satisfy constraint: 'Invalid ARN'",
    )


@pytest.mark.parametrize("key", ["", "k" * 129, "aws:reserved"])
def test_a_resource_tag_has_a_sound_key(demo: Ecr, key: str) -> None:
    tags = [{"Key": key, "Value": "x"}]
    assert demo.error("TagResource", resourceArn=ARN, tags=tags) == (
        "InvalidTagParameterException",
        "Tag parameters are invalid",
    )


def test_a_repository_has_fifty_resource_tags_at_most(demo: Ecr) -> None:
    tags = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
    demo("TagResource", resourceArn=ARN, tags=tags)
    code, _ = demo.error("TagResource", resourceArn=ARN, tags=[{"Key": "more", "Value": ""}])
    assert code == "TooManyTagsException"


def test_encryption_with_kms_names_its_key(ecr: Ecr) -> None:
    """Reported as S4."""
    managed, own = "arn:aws:kms:us-west-2:123456789012:key/managed", "arn:aws:kms:::key/own"

    def key(account: str, region: str, name: str | None) -> str:
        assert (account, region) == ("123456789012", "us-west-2")
        if name not in (None, "own"):
            raise KmsError.no_key(name)
        return own if name else managed

    ecr.elsewhere = Elsewhere(kms_key=key)
    for name, kind, given, used in (
        ("one", "KMS", {}, managed),
        ("two", "KMS_DSSE", {}, managed),
        ("three", "KMS", {"kmsKey": "own"}, own),
    ):
        made = ecr(
            "CreateRepository",
            repositoryName=name,
            encryptionConfiguration={"encryptionType": kind, **given},
        )
        wanted = {"encryptionType": kind, "kmsKey": used}
        assert made["repository"]["encryptionConfiguration"] == wanted
    with pytest.raises(Refused) as refused:
        ecr(
            "CreateRepository",
            repositoryName="four",
            encryptionConfiguration={"encryptionType": "KMS", "kmsKey": "arn:aws:kms:::key/gone"},
        )
    assert refused.value.body == {
        "__type": "KmsException",
        "message": "Key 'arn:aws:kms:::key/gone' does not exist",
        "kmsError": "NotFoundException",
    }


def test_a_key_that_is_disabled_ends_push_and_pull(ecr: Ecr) -> None:
    key = "arn:aws:kms:us-west-2:123456789012:key/one"
    ecr.elsewhere = Elsewhere(kms_key=lambda *_: key)
    ecr(
        "CreateRepository",
        repositoryName="locked",
        encryptionConfiguration={"encryptionType": "KMS", "kmsKey": key},
    )
    digest = ecr.push("locked", "v1")
    layer = ecr.upload("locked", b"layer one")
    manifest = ecr.manifest("locked", "two")
    asked = {"repositoryName": "locked"}

    def disabled(*_: object) -> str:
        raise KmsError("DisabledException", f"{key} is disabled.")

    ecr.elsewhere = Elsewhere(kms_key=disabled)
    [failed] = ecr("BatchGetImage", **asked, imageIds=[{"imageDigest": digest}])["failures"]
    assert (failed["failureCode"], failed["failureReason"]) == ("KmsError", f"{key} is disabled.")
    for operation, params in (
        ("PutImage", {"imageManifest": manifest}),
        ("InitiateLayerUpload", {}),
        ("GetDownloadUrlForLayer", {"layerDigest": layer}),
    ):
        assert ecr.error(operation, **asked, **params) == ("KmsException", f"{key} is disabled.")
    assert len(ecr("DescribeImages", **asked)["imageDetails"]) == 1
