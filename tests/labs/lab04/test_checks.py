"""Lab 04: what its check says of answers that people give."""

from collections.abc import Iterator

import pytest

from labs_helpers.prepare.repositories import no_repository
from tests.labs.desk import Desk, desk, rows

NAME = "team-a/api"
ARN = f"arn:aws:ecr:us-west-2:123456789012:repository/{NAME}"


@pytest.fixture(scope="module")
def lab() -> Iterator[Desk]:
    with desk("04") as made:
        yield made


@pytest.fixture(autouse=True)
def no_repositories(lab: Desk) -> None:
    for one in lab.place.client("ecr").describe_repositories()["repositories"]:
        no_repository(one["repositoryName"]).ensure(lab.place)


def made(
    rule: str = "IMMUTABLE_WITH_EXCLUSION",
    filters: str = "dev-*",
    tags: str = "Key=env,Value=dev",
    name: str = NAME,
) -> str:
    listed = " ".join(f"'filterType=WILDCARD,filter={one}'" for one in filters.split())
    excluded = f"--image-tag-mutability-exclusion-filters {listed}" if listed else ""
    tagged = f"--tags {tags}" if tags else ""
    return (
        f"aws ecr create-repository --repository-name {name} --image-tag-mutability {rule} "
        f"{excluded} {tagged}"
    )


RIGHT = {
    "step by step": f"""
aws ecr create-repository --repository-name {NAME}
aws ecr put-image-tag-mutability --repository-name {NAME} \\
  --image-tag-mutability IMMUTABLE_WITH_EXCLUSION \\
  --image-tag-mutability-exclusion-filters 'filterType=WILDCARD,filter=dev-*'
aws ecr tag-resource --resource-arn {ARN} --tags Key=env,Value=dev
""",
    "a second filter within the first": made(filters="dev-* dev-main*"),
    "more tags": made(tags="Key=env,Value=dev Key=team,Value=a"),
    "from Python": f"""python -c '
import boto3
boto3.client("ecr").create_repository(repositoryName="{NAME}",
    imageTagMutability="IMMUTABLE_WITH_EXCLUSION", tags=[dict(Key="env", Value="dev")],
    imageTagMutabilityExclusionFilters=[dict(filterType="WILDCARD", filter="dev-*")])'""",
}
WRONG = {
    "the settings of AWS": (
        f"aws ecr create-repository --repository-name {NAME} --tags Key=env,Value=dev",
        "MUTABLE | a tag, once pushed, never moves | a push may move the tag 1.4.2",
    ),
    "every tag fixed": (
        made("IMMUTABLE", ""),
        "IMMUTABLE | except tags that begin with dev- | no push may move the tag dev-feature-x.2",
    ),
    "the other way round": (
        made("MUTABLE_WITH_EXCLUSION"),
        "MUTABLE_WITH_EXCLUSION, except dev-* | a tag, once pushed, never moves | this is",
    ),
    "without the hyphen": (made(filters="dev*"), "a push may move the tag dev to another image"),
    "without the star": (made(filters="dev-"), "no push may move the tag dev-feature-x.2 here"),
    "a star before": (made(filters="*dev-*"), "a push may move the tag my-dev-1"),
    "latest as in the lesson": (
        made(filters="dev-* latest"),
        "a push may move the tag latest to another image here",
    ),
    "no tag on the repository": (made(tags=""), "none | on the bill it shows as env = dev"),
    "another value": (made(tags="Key=env,Value=prod"), "env = prod | on the bill it shows as"),
    "a capital": (made(tags="Key=Env,Value=dev"), "Env = dev | on the bill it shows as"),
    "another name": (made(name="team-a-api"), "team-a-api | the repository team-a/api"),
    "another team": (made(name="team-b/api"), "team-b/api | the repository team-a/api"),
}
NOT_TRIED = {
    "nothing": "",
    "the lesson's": "aws ecr create-repository --repository-name payments/api",
}


@pytest.mark.parametrize("answer", rows(RIGHT))
def test_right(lab: Desk, answer: str) -> None:
    assert lab.after("04.1", RIGHT[answer]).startswith("passed: team-a/api keeps its tags")


@pytest.mark.parametrize("answer", rows(WRONG, 12))
def test_wrong(lab: Desk, answer: str) -> None:
    lab.finds_wrong("04.1", *WRONG[answer])


@pytest.mark.parametrize("answer", rows(NOT_TRIED))
def test_not_tried(lab: Desk, answer: str) -> None:
    assert lab.after("04.1", NOT_TRIED[answer]).startswith("not tried: repository team-a/api")
