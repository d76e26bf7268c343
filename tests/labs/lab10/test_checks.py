"""Lab 10: what its checks say in each state a learner can be in."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from labs_helpers.checks import NotAttempted, NotYet, Outcome, Passed, run
from labs_helpers.labs.lab10 import checks
from tests.labs.fakes import FakeWorld, answer, world

HOST = "123456789012.dkr.ecr.us-west-2.amazonaws.com"
IMAGE = f"{HOST}/demo-app-repo"
DIGEST = "sha256:" + "a" * 64
ROLE = "arn:aws:iam::123456789012:role/demo-app-execution"
MADE = Path(__file__).parents[3] / "notebooks" / "files" / "10" / "made-by-the-labs.json"


@pytest.fixture
def seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeWorld]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    manifests = {f"/v2/demo-app-repo/manifests/{DIGEST}": answer(200)}
    with mock_aws():
        session = boto3.Session(region_name="us-west-2")
        clients = {name: session.client(name) for name in ("ecr", "ecs", "iam", "s3")}
        yield world(tmp_path, registries={HOST: manifests}, clients=clients)


def register(seen: FakeWorld, image: str, **more: Any) -> None:
    container = {"name": "web", "image": image, "memory": 128}
    seen.client("ecs").register_task_definition(
        family="demo-app", containerDefinitions=[container], **more
    )


def test_no_definition_is_not_attempted(seen: FakeWorld) -> None:
    assert isinstance(run("10.1", seen), NotAttempted)


def test_a_tag_is_not_attempted(seen: FakeWorld) -> None:
    register(seen, f"{IMAGE}:1.0.0", executionRoleArn=ROLE)
    assert isinstance(run("10.1", seen), NotAttempted)


@pytest.mark.parametrize(
    ("image", "role", "hint"),
    [
        (f"{IMAGE}:1.0.0@{DIGEST}", ROLE, "without a tag"),
        (f"{IMAGE}@sha256:{'b' * 64}", ROLE, "describe-images"),
        (f"{IMAGE}@{DIGEST}", ROLE.replace("execution", "build"), "no right to pull"),
    ],
)
def test_a_definition_that_could_not_pull_is_shown(
    seen: FakeWorld, image: str, role: str, hint: str
) -> None:
    register(seen, image, executionRoleArn=role)
    found = run("10.1", seen)
    assert isinstance(found, NotYet)
    assert hint in found.suggestion


def test_the_newest_revision_counts(seen: FakeWorld) -> None:
    register(seen, f"{IMAGE}@{DIGEST}", executionRoleArn=ROLE)
    assert isinstance(run("10.1", seen), Passed)
    register(seen, f"{IMAGE}:latest", executionRoleArn=ROLE)
    assert isinstance(run("10.1", seen), NotAttempted)


def left(seen: FakeWorld) -> Outcome:
    return run("10.2", seen)


def test_everything_still_there_is_not_attempted(seen: FakeWorld) -> None:
    seen.client("ecr").create_repository(repositoryName="demo-app-repo")
    seen.client("iam").create_user(UserName="labs-ci")
    assert isinstance(left(seen), NotAttempted)


def test_a_thing_that_is_left_is_named(seen: FakeWorld) -> None:
    seen.client("s3").create_bucket(
        Bucket="labs-cli-123456789012",
        CreateBucketConfiguration={"LocationConstraint": "us-west-2"},
    )
    found = left(seen)
    assert isinstance(found, NotYet)
    assert found.found == "bucket labs-cli-123456789012"
    assert "--force" in found.suggestion


def test_a_revision_that_is_left_is_named(seen: FakeWorld) -> None:
    register(seen, f"{IMAGE}:1")
    found = left(seen)
    assert isinstance(found, NotYet)
    assert found.found == "task definition demo-app:1"


def test_what_the_learner_owns_under_other_names_stays(seen: FakeWorld) -> None:
    seen.client("ecr").create_repository(repositoryName="production")
    seen.client("iam").create_user(UserName="ada")
    assert isinstance(left(seen), Passed)


def test_the_check_and_the_learners_list_have_the_same_names() -> None:
    listed = json.loads(MADE.read_text())
    assert listed == {
        "repositories": list(checks.REPOSITORIES),
        "task definitions": [checks.FAMILY],
        "users": list(checks.USERS),
        "roles": list(checks.ROLES),
        "buckets": [f"{name}-ACCOUNT" for name in checks.BUCKETS],
    }
