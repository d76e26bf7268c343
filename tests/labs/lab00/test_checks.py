"""Lab 00: what its check says of answers that people give."""

from collections.abc import Iterator

import pytest

from labs_helpers.prepare.step import Place
from tests.labs.desk import Desk, desk, rows

CREATE = "aws ecr create-repository --repository-name"
ELSEWHERE = ("eu-west-1", "us-east-1")


@pytest.fixture(scope="module")
def lab() -> Iterator[Desk]:
    with desk("00") as made:
        yield made


@pytest.fixture(autouse=True)
def no_repository(lab: Desk) -> None:
    empty_registry(lab.place)


def empty_registry(place: Place) -> None:
    for ecr in (place.client("ecr", region) for region in (place.region, *ELSEWHERE)):
        for one in ecr.describe_repositories()["repositories"]:
            ecr.delete_repository(repositoryName=one["repositoryName"], force=True)


RIGHT = {
    "the command of the text": f"{CREATE} hello-labs",
    "with settings": f"{CREATE} hello-labs --image-tag-mutability IMMUTABLE",
    "another as well": f"{CREATE} hello-lab; {CREATE} hello-labs",
    "from Python": """python -c '
import boto3
boto3.client("ecr").create_repository(repositoryName="hello-labs")'""",
}
WRONG = {
    name: (f"{CREATE} {name}", f"{name} | one called hello-labs | compare the two names")
    for name in ("hello_labs", "hello-lab", "helo-labs", "hello-labs2", "labs-hello", "hello/labs")
}
WRONG |= {
    f"in {region}": (
        f"{command} --region {region}",
        f"the repositories of your registry in us-west-2 | hello-labs is in {region}, and not in "
        "us-west-2 | one called hello-labs | each region has a registry of its own",
    )
    for region, command in (
        ("eu-west-1", f"{CREATE} hello-labs"),
        ("us-east-1", f"{CREATE} hello_labs; {CREATE} hello-labs"),
    )
}
NOT_TRIED = {
    "nothing": "",
    "a name that ECR refuses": f"{CREATE} Hello-Labs",
    "another name": f"{CREATE} production",
    "another name in another region": f"{CREATE} production --region eu-west-1",
}


@pytest.mark.parametrize("answer", rows(RIGHT))
def test_right(lab: Desk, answer: str) -> None:
    assert lab.after("00.1", RIGHT[answer]).startswith("passed: The repository hello-labs is there")


@pytest.mark.parametrize("answer", rows(WRONG, 8))
def test_wrong(lab: Desk, answer: str) -> None:
    lab.finds_wrong("00.1", *WRONG[answer])


@pytest.mark.parametrize("answer", rows(NOT_TRIED))
def test_not_tried(lab: Desk, answer: str) -> None:
    seen = lab.after("00.1", NOT_TRIED[answer])
    assert seen.startswith("not tried: the repositories of account 123456789012 in us-west-2")
