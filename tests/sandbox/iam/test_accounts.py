"""Several accounts in one sandbox, and a way back in for who is locked out."""

from __future__ import annotations

from typing import Any

import pytest

from tests.policies import allow, deny, policy
from tests.sandbox import sandbox_process
from tests.sandbox.iam.people import (
    ACCOUNT,
    ADMINISTRATOR,
    AWS,
    LEARNER,
    OTHER,
    directory_of,
    refused,
)
from tests.sandbox.sandbox_process import Running, keys_of


def made(sandbox: Running, **body: Any) -> dict[str, str]:
    code, told = sandbox.control("POST", "accounts", body)
    assert code == 200, told
    return dict(told)


def test_an_account_has_a_first_user_who_may_do_everything(sandbox: Running) -> None:
    given = made(sandbox, account=OTHER, user="partner")
    arn = sandbox.client("sts", **keys_of(given)).get_caller_identity()["Arn"]
    iam = sandbox.client("iam", **keys_of(given))
    (policy,) = iam.list_attached_user_policies(UserName="partner")["AttachedPolicies"]
    assert arn == f"arn:aws:iam::{OTHER}:user/partner"
    assert policy["PolicyName"] == "AdministratorAccess"


def test_making_it_again_gives_the_same_key(sandbox: Running) -> None:
    first = made(sandbox, account="300000000001")
    assert made(sandbox, account="300000000001") == first
    assert first["user"] == "admin"


def test_accounts_see_nothing_of_one_another(sandbox: Running) -> None:
    given = keys_of(made(sandbox, account="300000000002"))
    theirs, mine = sandbox.client("iam", **given), sandbox.client("iam")
    theirs.create_user(UserName="only-there")
    sandbox.client("ecr", **given).create_repository(repositoryName="only-there")
    sandbox.client("s3", **given).create_bucket(
        Bucket="only-there", CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
    )
    assert "only-there" not in [user["UserName"] for user in mine.list_users()["Users"]]
    assert sandbox.client("ecr").describe_repositories()["repositories"] == []
    assert sandbox.client("s3").list_buckets()["Buckets"] == []


def test_many_are_made_at_once_and_listed(sandbox: Running) -> None:
    ids = [f"3100000000{number:02}" for number in range(30)]
    code, told = sandbox.control(
        "POST", "accounts", {"accounts": [{"account": one} for one in ids]}
    )
    _, listed = sandbox.control("GET", "accounts")
    assert code == 200
    assert [one["account"] for one in told["accounts"]] == ids
    assert set(ids) < {one["account"] for one in listed["accounts"]}
    assert [one["account"] for one in listed["accounts"] if one["learner"]] == [ACCOUNT]


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"account": 1},
        {"account": "12345678901"},
        {"account": "000000000000"},
        {"account": "٣" * 12},
        {"account": OTHER, "user": "a b"},
        {"account": OTHER, "user": ""},
        {"account": OTHER, "user": 5},
        {"accounts": []},
        {"accounts": "all"},
        {"accounts": [{"account": OTHER}, {"account": "bad"}]},
        {"accounts": [{"account": OTHER}] * 1001},
    ],
)
def test_what_is_no_account_is_refused(sandbox: Running, body: Any) -> None:
    code, told = sandbox.control("POST", "accounts", body)
    assert (code, bool(told["error"])) == (400, True)


def test_only_the_owner_of_the_files_makes_one(sandbox: Running) -> None:
    assert sandbox.ask("POST", "/_labs/accounts", b"{}")[0] == 401
    assert sandbox.control("DELETE", "accounts")[0] == 405


def locked_out(iam: Any) -> None:
    """Every way at once: a boundary, denies of its own and of a group, no rights, no key."""
    nothing = policy(deny("*"))
    iam.create_policy(PolicyName="nothing", PolicyDocument=nothing)
    iam.create_group(GroupName="locked")
    iam.put_group_policy(GroupName="locked", PolicyName="nothing", PolicyDocument=nothing)
    iam.add_user_to_group(GroupName="locked", UserName="learner")
    iam.attach_user_policy(UserName="learner", PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/nothing")
    iam.put_user_permissions_boundary(
        UserName="learner", PermissionsBoundary=f"{AWS}AmazonS3ReadOnlyAccess"
    )
    iam.put_user_policy(UserName="learner", PolicyName="own", PolicyDocument=nothing)


def test_a_learner_who_locked_themself_out_is_restored(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    sandbox = sandbox_process.start(tmp_path_factory.mktemp("labs"))
    iam, mine = sandbox.client("iam"), sandbox.learner["access_key_id"]
    helper = keys_of(_helper(iam))
    with_rights = sandbox.client("iam", **helper)
    locked_out(with_rights)
    with_rights.detach_user_policy(UserName="learner", PolicyArn=ADMINISTRATOR)
    with_rights.update_access_key(UserName="learner", AccessKeyId=mine, Status="Inactive")
    with refused("InvalidClientTokenId"):
        sandbox.client("sts").get_caller_identity()
    given = made(sandbox, account=ACCOUNT)
    with directory_of(sandbox) as who:
        held = who.directory.rights_of(who.records.learner.principal)
    sandbox.client("iam").list_users()
    sandbox.stop()
    assert (given["user"], given["access_key_id"]) == ("learner", mine)
    assert [policy.name for policy in held.identity] == ["AdministratorAccess"]
    assert held.boundary is None


def test_a_learner_who_deleted_themself_is_restored(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    sandbox = sandbox_process.start(tmp_path_factory.mktemp("labs"))
    iam, mine = sandbox.client("iam"), sandbox.learner["access_key_id"]
    user_id = iam.get_user()["User"]["UserId"]
    others = sandbox.client("iam", **keys_of(_helper(iam)))
    others.delete_access_key(UserName="learner", AccessKeyId=mine)
    others.detach_user_policy(UserName="learner", PolicyArn=ADMINISTRATOR)
    others.delete_user(UserName="learner")
    made(sandbox, account=ACCOUNT)
    who = sandbox.client("sts").get_caller_identity()
    sandbox.stop()
    assert (who["Arn"], who["UserId"]) == (LEARNER, user_id)


def _helper(iam: Any) -> dict[str, str]:
    iam.create_user(UserName="helper")
    iam.attach_user_policy(UserName="helper", PolicyArn=ADMINISTRATOR)
    iam.put_user_policy(UserName="helper", PolicyName="all", PolicyDocument=policy(allow("*")))
    key: dict[str, str] = iam.create_access_key(UserName="helper")["AccessKey"]
    return key
