"""Lab 02: what its checks say in each state a learner can be in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_helpers.checks import NotAttempted, NotYet, Passed, policies, run
from labs_helpers.workspace import Workspace
from tests.checks.fakes import world

FILES = Workspace.find().notebooks / "files" / "02"
PAYMENTS = "arn:aws:ecr:us-west-2:123456789012:repository/payments/api"
PULL = ["ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]


def allow(actions: str | list[str], resource: str = "*") -> dict[str, Any]:
    return {"Statement": {"Effect": "Allow", "Action": actions, "Resource": resource}}


class Iam:
    """IAM with inline policies only: each user has names of groups, and policy documents."""

    class exceptions:
        class NoSuchEntityException(Exception):
            pass

    def __init__(self, **users: tuple[list[str], list[dict[str, Any]]]) -> None:
        self.users = {f"labs-{name}": user for name, user in users.items()}
        self.groups: dict[str, list[dict[str, Any]]] = {}

    def _user(self, name: str) -> tuple[list[str], list[dict[str, Any]]]:
        if name not in self.users:
            raise self.exceptions.NoSuchEntityException
        return self.users[name]

    def get_user(self, UserName: str) -> dict[str, Any]:
        self._user(UserName)
        return {}

    def list_user_policies(self, UserName: str) -> dict[str, Any]:
        return {"PolicyNames": [str(n) for n in range(len(self._user(UserName)[1]))]}

    def get_user_policy(self, UserName: str, PolicyName: str) -> dict[str, Any]:
        return {"PolicyDocument": self._user(UserName)[1][int(PolicyName)]}

    def list_attached_user_policies(self, UserName: str) -> dict[str, Any]:
        return {"AttachedPolicies": []}

    def list_groups_for_user(self, UserName: str) -> dict[str, Any]:
        return {"Groups": [{"GroupName": name} for name in self._user(UserName)[0]]}

    def list_group_policies(self, GroupName: str) -> dict[str, Any]:
        return {"PolicyNames": [str(n) for n in range(len(self.groups[GroupName]))]}

    def get_group_policy(self, GroupName: str, PolicyName: str) -> dict[str, Any]:
        return {"PolicyDocument": self.groups[GroupName][int(PolicyName)]}

    def list_attached_group_policies(self, GroupName: str) -> dict[str, Any]:
        return {"AttachedPolicies": []}


def outcome(check: str, tmp_path: Path, iam: Iam) -> Any:
    return run(check, world(tmp_path, clients={"iam": iam}))


def solution() -> dict[str, Any]:
    text = (FILES / "push-demo-app.json").read_text()
    found: dict[str, Any] = json.loads(text.replace("/demo-app-repo", "/payments/api"))
    return found


def test_no_user_is_not_attempted(tmp_path: Path) -> None:
    assert isinstance(outcome("02.1", tmp_path, Iam()), NotAttempted)


def test_a_user_without_a_policy_is_shown(tmp_path: Path) -> None:
    seen = outcome("02.1", tmp_path, Iam(ci=([], [])))

    assert isinstance(seen, NotYet)
    assert seen.found == "none"


def test_a_policy_for_the_one_repository_passes(tmp_path: Path) -> None:
    assert isinstance(outcome("02.1", tmp_path, Iam(ci=([], [solution()]))), Passed)


@pytest.mark.parametrize(
    ("documents", "says"),
    [
        ([json.loads((FILES / "push-demo-app.json").read_text())], "BatchCheckLayerAvailability"),
        ([allow("ecr:*", PAYMENTS)], "ecr:GetAuthorizationToken on *"),
        ([allow("ecr:*")], f"ecr:BatchDeleteImage on {PAYMENTS}: allowed"),
        ([solution(), allow("ecr:Put*", PAYMENTS.replace("payments/api", "*"))], "another-teams"),
        ([solution(), allow("*")], "BatchDeleteImage"),
    ],
)
def test_too_little_and_too_much_are_named(
    tmp_path: Path, documents: list[dict[str, Any]], says: str
) -> None:
    seen = outcome("02.1", tmp_path, Iam(ci=([], documents)))

    assert isinstance(seen, NotYet)
    assert says in seen.found + seen.wanted


def intern(groups: list[str], own: list[dict[str, Any]], readers: list[dict[str, Any]]) -> Iam:
    iam = Iam(intern=(groups, own))
    iam.groups["labs-readers"] = readers
    return iam


def test_the_intern_as_found_is_not_attempted(tmp_path: Path) -> None:
    assert isinstance(outcome("02.2", tmp_path, intern([], [allow("ecr:*")], [])), NotAttempted)


def test_the_intern_in_the_group_passes(tmp_path: Path) -> None:
    seen = outcome("02.2", tmp_path, intern(["labs-readers"], [], [allow(PULL)]))

    assert isinstance(seen, Passed)


@pytest.mark.parametrize(
    ("groups", "own", "readers", "says"),
    [
        (["labs-readers"], [allow("ecr:*")], [allow(PULL)], "itself"),
        (["labs-pushers"], [], [allow(PULL)], "groups"),
        (["labs-readers"], [], [], "ecr:GetAuthorizationToken"),
        (["labs-readers"], [], [allow([*PULL, "ecr:PutImage"])], "PutImage"),
    ],
)
def test_the_intern_nearly_mended(
    tmp_path: Path,
    groups: list[str],
    own: list[dict[str, Any]],
    readers: list[dict[str, Any]],
    says: str,
) -> None:
    seen = outcome("02.2", tmp_path, intern(groups, own, readers))

    assert isinstance(seen, NotYet)
    assert says in seen.looked_at + seen.found + seen.wanted


@given(st.text(alphabet="abAB*?[].:/", max_size=12))
def test_a_deny_wins_and_a_negation_turns_round(resource: str) -> None:
    everything = allow("*")
    deny = {"Statement": [{"Effect": "Deny", "Action": "ECR:putimage", "Resource": "*"}]}
    but = {"Statement": [{"Effect": "Allow", "NotAction": "ecr:*", "Resource": "*"}]}

    assert policies.allows([everything], "ecr:PutImage", resource)
    assert not policies.allows([everything, deny], "ecr:PutImage", resource)
    assert not policies.allows([but], "ecr:PutImage", resource)
    assert policies.allows([but], "s3:GetObject", resource)
    assert not policies.allows([], "ecr:PutImage", resource)


def test_brackets_in_a_pattern_mean_themselves() -> None:
    assert policies.allows([allow("ecr:Put?mage", "arn:[ab]")], "ecr:PutImage", "arn:[ab]")
    assert not policies.allows([allow("ecr:PutImage", "arn:[ab]")], "ecr:PutImage", "arn:a")
