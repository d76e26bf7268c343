"""Who is asked for what: each operation names its action and resource before anything is done."""

import pytest

from labs_helpers.sandbox.identity import Principal
from labs_helpers.sandbox.service.errors import AccessDenied
from tests.sandbox.ecr.operations.ecr_api import ACCOUNT, OTHER_ACCOUNT, Ecr

DEMO = f"arn:aws:ecr:us-west-2:{ACCOUNT}:repository/demo"


@pytest.fixture
def asked(ecr: Ecr) -> list[tuple[str, str]]:
    """The (action, resource) pairs that ``ecr`` asks about; everything is allowed."""
    pairs: list[tuple[str, str]] = []

    def note(principal: Principal, action: str, resource: str, *_: object, **__: object) -> None:
        pairs.append((action, resource))

    ecr.authorize = note
    return pairs


def test_the_resource_is_the_repository_that_the_request_names(
    ecr: Ecr, asked: list[tuple[str, str]]
) -> None:
    ecr("CreateRepository", repositoryName="demo", tags=[{"Key": "a", "Value": "b"}])
    ecr("ListTagsForResource", resourceArn=DEMO)
    ecr("ListImages", repositoryName="demo")
    ecr("ListImageReferrers", repositoryName="demo", subjectId={"imageDigest": "sha256:0"})
    ecr("DescribeRepositories", repositoryNames=["demo"])
    assert asked == [
        ("ecr:CreateRepository", DEMO),
        ("ecr:TagResource", DEMO),
        ("ecr:ListTagsForResource", DEMO),
        ("ecr:ListImages", DEMO),
        ("ecr:BatchGetImage", DEMO),
        ("ecr:DescribeRepositories", DEMO),
    ]


def test_the_resource_lies_in_the_registry_that_the_request_names(
    ecr: Ecr, asked: list[tuple[str, str]]
) -> None:
    ecr("DescribeRepositories", registryId=OTHER_ACCOUNT)
    assert asked == [
        ("ecr:DescribeRepositories", f"arn:aws:ecr:us-west-2:{OTHER_ACCOUNT}:repository/*")
    ]


def test_the_registry_itself_has_no_resource(ecr: Ecr, asked: list[tuple[str, str]]) -> None:
    ecr("GetAuthorizationToken")
    ecr("DescribeRegistry")
    assert asked == [("ecr:GetAuthorizationToken", "*"), ("ecr:DescribeRegistry", "*")]


def test_a_refusal_is_answered_and_nothing_is_done(ecr: Ecr) -> None:
    def refuse(principal: Principal, action: str, resource: str, *_: object, **__: object) -> None:
        raise AccessDenied(
            f"User: {principal.arn} is not authorized to perform: {action} on resource: {resource}"
        )

    allowed = ecr.authorize
    ecr.authorize = refuse
    assert ecr.error("CreateRepository", repositoryName="demo") == (
        "AccessDeniedException",
        f"User: arn:aws:iam::{ACCOUNT}:user/learner is not authorized to perform: "
        f"ecr:CreateRepository on resource: {DEMO}",
    )
    ecr.authorize = allowed
    assert ecr("DescribeRepositories")["repositories"] == []
