"""Lab 04: what its checks say of answers that people give."""

import json
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


def test_a_repository_in_another_region_is_named(lab: Desk) -> None:
    lab.finds_wrong(
        "04.1",
        f"{made()} --region eu-west-1",
        f"{NAME} is in eu-west-1, and not in us-west-2 | the repository {NAME} | each region has a"
        " registry of its own",
    )
    lab.done(f"aws ecr delete-repository --repository-name {NAME} --region eu-west-1")


@pytest.mark.parametrize("answer", rows(NOT_TRIED))
def test_not_tried(lab: Desk, answer: str) -> None:
    assert lab.after("04.1", NOT_TRIED[answer]).startswith("not tried: repository team-a/api")


MONTH = ["53"]
"""The cell between the answer and the check: a release a week."""
BACK = "python release.py payments/api 1.1 prod"
PROD = {"tagStatus": "tagged", "tagPatternList": ["prod"]}
ANY = {"tagStatus": "any"}
DAYS = {"countType": "sinceImagePushed", "countUnit": "days"}


def policy(*selections: dict[str, object]) -> str:
    """Shell that puts a policy; each rule expires, and counts images unless it says otherwise."""
    rules = [
        {
            "rulePriority": number,
            "selection": {"countType": "imageCountMoreThan", **selection},
            "action": {"type": "expire"},
        }
        for number, selection in enumerate(selections, 1)
    ]
    text = json.dumps({"rules": rules})
    return (
        "aws ecr put-lifecycle-policy --repository-name payments/api"
        f" --lifecycle-policy-text '{text}'"
    )


KEEP = policy({**PROD, "countNumber": 1}, {**ANY, "countNumber": 3})
KEPT = {
    "the policy first": f"{KEEP}\n{BACK}",
    "a prefix, and a large number": BACK
    + "\n"
    + policy(
        {"tagStatus": "tagged", "tagPrefixList": ["prod"], "countNumber": 99},
        {**ANY, "countNumber": 3},
    ),
    "releases that a rule has before the one by age": BACK
    + "\n"
    + policy(
        {**PROD, "countNumber": 1},
        {"tagStatus": "tagged", "tagPatternList": ["1.*"], "countNumber": 3},
        {**ANY, **DAYS, "countNumber": 1},
    ),
    "prod alone is pushed, and no rule is about it": """python -c '
from release import release
release("payments/api", "1.1")'
manifest=$(aws ecr batch-get-image --repository-name payments/api --image-ids imageTag=1.1 \\
  --query "images[0].imageManifest" --output text)
aws ecr put-image --repository-name payments/api --image-tag prod --image-manifest "$manifest"
aws ecr batch-delete-image --repository-name payments/api --image-ids imageTag=1.1
"""
    + policy(
        {"tagStatus": "tagged", "tagPatternList": ["1.*"], "countNumber": 3},
        {"tagStatus": "untagged", "countNumber": 1},
    ),
}
TAKEN = {
    "pushed again, and the policy as it was": (BACK, "besides the newest: 1.13, 1.12"),
    "a policy that looks at numbers only": (
        f"{BACK}\n{policy({**ANY, 'countNumber': 3})}",
        "payments/api:prod | not there; there are 1.16, 1.15, 1.14",
    ),
    "the policy alone": (KEEP, "payments/api:prod | not there; there are 1.16, 1.15, 1.14"),
    "another version": (
        f"python release.py payments/api 1.12 prod\n{KEEP}",
        "version 1.12 | version 1.1 is back",
    ),
    "too few": (
        f"{BACK}\n{policy({**PROD, 'countNumber': 1}, {**ANY, 'countNumber': 2})}",
        "1.16, 1.15, 1.1+prod | the three newest images stay",
    ),
    "days in place of a number": (
        f"{BACK}\n{policy({**PROD, 'countNumber': 1}, {**ANY, **DAYS, 'countNumber': 10})}",
        "1.16, 1.1+prod | the three newest images stay",
    ),
    "no policy any more": (
        f"{BACK}\naws ecr delete-lifecycle-policy --repository-name payments/api",
        "there is no policy | a policy never takes the image tagged prod | a repository without a"
        " policy keeps every image",
    ),
    "days that leave three today": (
        f"{BACK}\n{policy({**PROD, 'countNumber': 1}, {**ANY, **DAYS, 'countNumber': 22})}",
        "rule 2 takes an image after 22 days (sinceImagePushed) | the three newest images stay |"
        " nothing may be released for a month",
    ),
    "a prod that goes in ten years": (
        f"{BACK}\n{policy({**PROD, **DAYS, 'countNumber': 3650}, {**ANY, 'countNumber': 3})}",
        "rule 1 takes an image after 3650 days (sinceImagePushed) | a policy never takes the image"
        " tagged prod | prod may be older than that one day",
    ),
    "an archive in place of an end": (
        BACK
        + "\n"
        + policy({**PROD, "countNumber": 1}, {**ANY, "countNumber": 3}).replace(
            '3}, "action": {"type": "expire"}',
            '3}, "action": {"type": "transition", "targetStorageClass": "archive"}',
        ),
        "archived | older ones go | an image in the archive is still in the repository",
    ),
    "a pattern that fits the releases too": (
        BACK
        + "\n"
        + policy(
            {"tagStatus": "tagged", "tagPatternList": ["*"], "countNumber": 1},
            {**ANY, "countNumber": 3},
        ),
        "payments/api:prod | not there; there are 1.16",
    ),
}


@pytest.fixture
def expired(lab: Desk) -> None:
    """Production's image has expired, and ten releases are left."""
    lab.cells("14", "24r", "25", "28a")


@pytest.mark.usefixtures("expired")
@pytest.mark.parametrize("answer", rows(KEPT, 2))
def test_production_is_kept(lab: Desk, answer: str) -> None:
    seen = lab.after("04.2", KEPT[answer], MONTH)
    assert seen.startswith("passed: A month of releases later"), seen


@pytest.mark.usefixtures("expired")
@pytest.mark.parametrize("answer", rows(TAKEN, 3))
def test_production_is_not_kept(lab: Desk, answer: str) -> None:
    lab.finds_wrong("04.2", *TAKEN[answer], MONTH)


@pytest.mark.usefixtures("expired")
def test_the_month_has_to_pass(lab: Desk) -> None:
    lab.finds_wrong("04.2", f"{BACK}\n{KEEP}", "not applied yet, since it was put")
    lab.python("lab.clock.advance(days=1)")
    lab.finds_wrong("04.2", "true", "that proves nothing yet")


@pytest.mark.usefixtures("expired")
def test_a_month_alone_is_no_try(lab: Desk) -> None:
    assert lab.after("04.2", "", MONTH).startswith("not tried: the images of payments/api")


def test_no_repository_is_no_try(lab: Desk) -> None:
    assert lab.after("04.2", "").startswith("not tried: the images of payments/api")
