"""Lab 02: what its checks say in each state a learner can be in, by the sandbox's IAM."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.checks import NotAttempted, NotYet, Passed, run
from labs_helpers.workspace import Workspace
from tests.labs.fakes import world
from tests.policies import allow, deny, policy
from tests.sandbox import sandbox_process
from tests.sandbox.sandbox_process import Running

FILES = Workspace.find().notebooks / "files" / "02"
REPOSITORY = "arn:aws:ecr:us-west-2:123456789012:repository/"
PAYMENTS, DEMO = f"{REPOSITORY}payments/api", f"{REPOSITORY}demo-app-repo"
READ = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
LOGIN = allow("ecr:GetAuthorizationToken")
PULL = allow(*READ, on=DEMO)
FULL = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryFullAccess"


def solution() -> list[dict[str, Any]]:
    text = (FILES / "push-demo-app.json").read_text().replace(DEMO, PAYMENTS)
    found: list[dict[str, Any]] = json.loads(text)["Statement"]
    return found


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = sandbox_process.start(tmp_path_factory.mktemp("labs"))
    yield running
    running.stop()


@pytest.fixture
def iam(sandbox: Running) -> Any:
    """IAM as the lab leaves it at its start: the intern, and nobody else."""
    client = sandbox.client("iam")
    for group in ("labs-readers", "labs-pushers"):
        with suppress(client.exceptions.NoSuchEntityException):
            for user in client.get_group(GroupName=group)["Users"]:
                client.remove_user_from_group(GroupName=group, UserName=user["UserName"])
            for name in client.list_group_policies(GroupName=group)["PolicyNames"]:
                client.delete_group_policy(GroupName=group, PolicyName=name)
            client.delete_group(GroupName=group)
    for user in ("labs-ci", "labs-intern"):
        with suppress(client.exceptions.NoSuchEntityException):
            for name in client.list_user_policies(UserName=user)["PolicyNames"]:
                client.delete_user_policy(UserName=user, PolicyName=name)
            for one in client.list_attached_user_policies(UserName=user)["AttachedPolicies"]:
                client.detach_user_policy(UserName=user, PolicyArn=one["PolicyArn"])
            client.delete_user(UserName=user)
    client.create_user(UserName="labs-intern")
    return client


def outcome(check: str, folder: Path, iam: Any) -> Any:
    return run(check, world(folder, clients={"iam": iam}))


def ci_with(iam: Any, *statements: dict[str, Any]) -> None:
    iam.create_user(UserName="labs-ci")
    iam.put_user_policy(UserName="labs-ci", PolicyName="work", PolicyDocument=policy(*statements))


def test_no_user_is_not_attempted(iam: Any, tmp_path: Path) -> None:
    assert isinstance(outcome("02.1", tmp_path, iam), NotAttempted)


def test_a_user_without_a_policy_is_shown(iam: Any, tmp_path: Path) -> None:
    iam.create_user(UserName="labs-ci")
    seen = outcome("02.1", tmp_path, iam)
    assert isinstance(seen, NotYet)
    assert seen.found == "none"


def test_a_policy_for_the_one_repository_passes(iam: Any, tmp_path: Path) -> None:
    ci_with(iam, *solution())
    assert isinstance(outcome("02.1", tmp_path, iam), Passed)


def test_a_condition_on_the_region_passes_too(iam: Any, tmp_path: Path) -> None:
    here = {"StringEquals": {"aws:RequestedRegion": "us-west-2"}}
    ci_with(iam, *({**statement, "Condition": here} for statement in solution()))
    assert isinstance(outcome("02.1", tmp_path, iam), Passed)


@pytest.mark.parametrize(
    ("statements", "says"),
    [
        ([LOGIN, allow("ecr:*", on=DEMO)], f"ecr:BatchCheckLayerAvailability on {PAYMENTS}"),
        ([allow("ecr:*", on=PAYMENTS)], "ecr:GetAuthorizationToken on *"),
        ([allow("ecr:*")], f"ecr:BatchDeleteImage on {PAYMENTS}: allowed"),
        ([*solution(), allow("ecr:Put*", on=f"{REPOSITORY}*")], "another-teams"),
        ([*solution(), allow("s3:List*")], "s3:ListAllMyBuckets on *: allowed"),
        ([*solution(), deny("ecr:PutImage")], "ecr:PutImage"),
    ],
)
def test_too_little_and_too_much_are_named(
    iam: Any, tmp_path: Path, statements: list[dict[str, Any]], says: str
) -> None:
    ci_with(iam, *statements)
    seen = outcome("02.1", tmp_path, iam)
    assert isinstance(seen, NotYet)
    assert says in seen.found + seen.wanted


def intern_in(iam: Any, group: str, *statements: dict[str, Any]) -> None:
    iam.create_group(GroupName=group)
    if statements:
        iam.put_group_policy(GroupName=group, PolicyName="pull", PolicyDocument=policy(*statements))
    iam.add_user_to_group(GroupName=group, UserName="labs-intern")


def test_the_intern_as_found_is_not_attempted(iam: Any, tmp_path: Path) -> None:
    iam.attach_user_policy(UserName="labs-intern", PolicyArn=FULL)
    assert isinstance(outcome("02.2", tmp_path, iam), NotAttempted)


def test_the_intern_in_the_group_passes(iam: Any, tmp_path: Path) -> None:
    intern_in(iam, "labs-readers", LOGIN, PULL)
    assert isinstance(outcome("02.2", tmp_path, iam), Passed)


@pytest.mark.parametrize(
    ("group", "own", "statements", "says"),
    [
        ("labs-readers", FULL, [LOGIN, PULL], "AmazonEC2ContainerRegistryFullAccess"),
        ("labs-pushers", None, [LOGIN, PULL], "labs-pushers"),
        ("labs-readers", None, [], "ecr:GetAuthorizationToken"),
        ("labs-readers", None, [LOGIN, allow(*READ, "ecr:PutImage", on=DEMO)], "ecr:PutImage"),
        ("labs-readers", None, [LOGIN, allow(*READ)], "another-teams"),
    ],
)
def test_the_intern_nearly_mended(
    iam: Any,
    tmp_path: Path,
    group: str,
    own: str | None,
    statements: list[dict[str, Any]],
    says: str,
) -> None:
    intern_in(iam, group, *statements)
    if own:
        iam.attach_user_policy(UserName="labs-intern", PolicyArn=own)
    seen = outcome("02.2", tmp_path, iam)
    assert isinstance(seen, NotYet)
    assert says in seen.looked_at + seen.found + seen.wanted
