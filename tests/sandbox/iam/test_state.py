"""IAM and sessions outlive the process, however it ends; what is damaged is set aside."""

from __future__ import annotations

import hashlib
import pickle
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.policies import allow, policy
from tests.sandbox import sandbox_process
from tests.sandbox.iam.people import ADMINISTRATOR, AWS, refused, trust
from tests.sandbox.sandbox_process import Running, keys_of

OIDC = "https://token.actions.githubusercontent.com"


def stop(sandbox: Running) -> None:
    assert sandbox.stop() == 0


def kill(sandbox: Running) -> None:
    sandbox.process.kill()
    sandbox.process.wait(30)


ENDS = pytest.mark.parametrize("end", [stop, kill])


def fill(iam: Any) -> None:
    """One of everything that the labs or their readers make."""
    iam.create_user(UserName="dev", Path="/team/", Tags=[{"Key": "Team", "Value": "a"}])
    iam.create_access_key(UserName="dev")
    iam.create_login_profile(UserName="dev", Password="Of-The-Sandbox-1")
    iam.put_user_policy(UserName="dev", PolicyName="inline", PolicyDocument=policy(allow("ecr:*")))
    iam.create_group(GroupName="pushers")
    iam.attach_group_policy(
        GroupName="pushers", PolicyArn=f"{AWS}AmazonEC2ContainerRegistryPowerUser"
    )
    iam.add_user_to_group(GroupName="pushers", UserName="dev")
    own = iam.create_policy(PolicyName="own", PolicyDocument=policy(allow("s3:*")))
    arn = own["Policy"]["Arn"]
    iam.create_policy_version(
        PolicyArn=arn, PolicyDocument=policy(allow("s3:Get*")), SetAsDefault=True
    )
    iam.attach_user_policy(UserName="dev", PolicyArn=arn)
    iam.put_user_permissions_boundary(UserName="dev", PermissionsBoundary=ADMINISTRATOR)
    iam.create_role(
        RoleName="deployer",
        AssumeRolePolicyDocument=trust(),
        MaxSessionDuration=7200,
        Tags=[{"Key": "Env", "Value": "test"}],
    )
    iam.create_instance_profile(InstanceProfileName="machine")
    iam.add_role_to_instance_profile(InstanceProfileName="machine", RoleName="deployer")
    iam.create_open_id_connect_provider(Url=OIDC, ClientIDList=["sts.amazonaws.com"])
    iam.create_account_alias(AccountAlias="the-labs")


def seen(iam: Any) -> dict[str, Any]:
    """All of it, as IAM tells it, but for when a key was last used."""
    details = iam.get_account_authorization_details(
        Filter=["User", "Role", "Group", "LocalManagedPolicy"]
    )
    details.pop("ResponseMetadata")
    (provider,) = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    told = {
        "details": details,
        "dev": iam.get_user(UserName="dev")["User"],
        "keys": iam.list_access_keys(UserName="dev")["AccessKeyMetadata"],
        "login": iam.get_login_profile(UserName="dev")["LoginProfile"],
        "members": iam.get_group(GroupName="pushers")["Users"],
        "profile": iam.get_instance_profile(InstanceProfileName="machine")["InstanceProfile"],
        "provider": iam.get_open_id_connect_provider(OpenIDConnectProviderArn=provider["Arn"]),
        "aliases": iam.list_account_aliases()["AccountAliases"],
        "role": iam.get_role(RoleName="deployer")["Role"],
        "attachments": iam.get_policy(PolicyArn=f"{AWS}AmazonEC2ContainerRegistryPowerUser")[
            "Policy"
        ]["AttachmentCount"],
    }
    for role in (told["role"], *details["RoleDetailList"]):
        role.pop("RoleLastUsed", None)
    told["provider"].pop("ResponseMetadata")
    return told


@ENDS
def test_all_of_iam_is_as_it_was(tmp_path: Path, end: Callable[[Running], None]) -> None:
    first = sandbox_process.start(tmp_path)
    fill(first.client("iam"))
    before = seen(first.client("iam"))
    end(first)
    second = sandbox_process.start(tmp_path)
    after = seen(second.client("iam"))
    second.stop()
    assert after == before


@ENDS
def test_a_key_made_in_iam_is_known_before_iam_is_asked(
    tmp_path: Path, end: Callable[[Running], None]
) -> None:
    first = sandbox_process.start(tmp_path)
    first.client("iam").create_user(UserName="dev")
    key = first.client("iam").create_access_key(UserName="dev")["AccessKey"]
    end(first)
    second = sandbox_process.start(tmp_path)
    arn = second.client("sts", **keys_of(key)).get_caller_identity()["Arn"]
    second.stop()
    assert arn.endswith(":user/dev")


@ENDS
def test_sessions_go_on(tmp_path: Path, end: Callable[[Running], None]) -> None:
    first = sandbox_process.start(tmp_path)
    arn = first.client("iam").create_role(RoleName="deployer", AssumeRolePolicyDocument=trust())[
        "Role"
    ]["Arn"]
    first.client("iam").attach_role_policy(RoleName="deployer", PolicyArn=ADMINISTRATOR)
    role = first.client("sts").assume_role(RoleArn=arn, RoleSessionName="build")["Credentials"]
    user = first.client("sts").get_session_token()["Credentials"]
    end(first)
    second = sandbox_process.start(tmp_path)
    told = [
        second.client("sts", **keys_of(given)).get_caller_identity()["Arn"]
        for given in (role, user)
    ]
    second.stop()
    assert told == [
        "arn:aws:sts::123456789012:assumed-role/deployer/build",
        "arn:aws:iam::123456789012:user/learner",
    ]


def test_the_learner_is_of_the_same_day_after_a_restart(tmp_path: Path) -> None:
    dates: list[tuple[str, datetime]] = []
    for _ in range(2):
        sandbox = sandbox_process.start(tmp_path)
        user = sandbox.client("iam").get_user()["User"]
        dates.append((user["UserId"], user["CreateDate"]))
        sandbox.stop()
    assert dates[0] == dates[1]


def test_a_deletion_stays_too(tmp_path: Path) -> None:
    first = sandbox_process.start(tmp_path)
    first.client("iam").create_user(UserName="dev")
    key = first.client("iam").create_access_key(UserName="dev")["AccessKey"]
    first.client("iam").delete_access_key(UserName="dev", AccessKeyId=key["AccessKeyId"])
    first.client("iam").delete_user(UserName="dev")
    kill(first)
    second = sandbox_process.start(tmp_path)
    users = [user["UserName"] for user in second.client("iam").list_users()["Users"]]
    with refused("InvalidClientTokenId"):
        second.client("sts", **keys_of(key)).get_caller_identity()
    second.stop()
    assert users == ["learner"]


def rows(home: Path) -> sqlite3.Connection:
    return sqlite3.connect(home / "sandbox" / "identity" / "iam.sqlite")


class Bad:
    """What a stored file must not be able to do."""

    def __reduce__(self) -> Any:
        return print, ("harm done",)


def without_a_checksum(home: Path) -> None:
    with rows(home) as database:
        database.execute("update accounts set content = x'00' where account = '210987654321'")


def with_a_foreign_class(home: Path) -> None:
    content = pickle.dumps({"users": Bad()})
    checksum = hashlib.sha256(content).hexdigest()
    with rows(home) as database:
        database.execute(
            "update accounts set content = ?, sha256 = ? where account = '210987654321'",
            (content, checksum),
        )


def of_a_strange_moto(home: Path) -> None:
    content = pickle.dumps({"users": [], "managed_policies": {}})
    checksum = hashlib.sha256(content).hexdigest()
    with rows(home) as database:
        database.execute(
            "update accounts set content = ?, sha256 = ?, moto = '9.0' "
            "where account = '210987654321'",
            (content, checksum),
        )


@pytest.mark.parametrize("damage", [without_a_checksum, with_a_foreign_class, of_a_strange_moto])
def test_one_damaged_account_is_set_aside_and_no_other_is_lost(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    first = sandbox_process.start(tmp_path)
    first.client("iam").create_user(UserName="stays")
    first.control("POST", "accounts", {"account": "210987654321"})
    first.stop()
    damage(tmp_path)
    second = sandbox_process.start(tmp_path)
    users = [user["UserName"] for user in second.client("iam").list_users()["Users"]]
    _, status = second.control("GET", "status")
    _, accounts = second.control("GET", "accounts")
    second.stop()
    assert users == ["learner", "stays"]
    assert [one["account"] for one in accounts["accounts"]] == ["123456789012"]
    (notice,) = status["notices"]
    assert "210987654321" in notice
    (kept,) = (tmp_path / "sandbox" / "identity").glob("210987654321.damaged-*")
    assert str(kept) in notice
    assert notice in second.log
    assert "harm done" not in second.log


@pytest.mark.parametrize("name", ["iam.sqlite", "sessions.sqlite"])
@pytest.mark.parametrize("foreign", [False, True])
def test_a_database_that_is_none_of_ours_is_set_aside(
    tmp_path: Path, name: str, foreign: bool
) -> None:
    first = sandbox_process.start(tmp_path)
    first.client("ecr").create_repository(repositoryName="stays")
    first.client("iam").create_user(UserName="goes")
    first.client("sts").get_session_token()
    first.stop()
    path = tmp_path / "sandbox" / "identity" / name
    path.unlink()
    if foreign:
        with sqlite3.connect(path) as database:
            database.execute("create table accounts (name text)")
    else:
        path.write_bytes(b"not a database" * 1000)
    second = sandbox_process.start(tmp_path)
    _, status = second.control("GET", "status")
    second.client("iam").list_users()
    second.client("sts").get_session_token()
    (repository,) = second.client("ecr").describe_repositories()["repositories"]
    second.stop()
    (notice,) = status["notices"]
    (kept,) = path.parent.glob(f"{name}.damaged-*")
    assert str(kept) in notice
    assert repository["repositoryName"] == "stays"


def test_a_change_that_the_disk_does_not_take_is_undone(tmp_path: Path) -> None:
    sandbox = sandbox_process.start(tmp_path)
    iam = sandbox.client("iam")
    iam.create_user(UserName="stays")
    with rows(tmp_path) as database:
        database.execute(
            "create trigger full before insert on accounts begin select raise(abort, 'full'); end"
        )
    with refused("InternalFailure"):
        iam.create_user(UserName="goes")
    users = [user["UserName"] for user in iam.list_users()["Users"]]
    sandbox.stop()
    assert users == ["learner", "stays"]


def flipped_log(path: Path) -> None:
    log = path.with_name(path.name + "-wal")
    content = bytearray(log.read_bytes())
    content[len(content) // 2] ^= 0xFF
    log.write_bytes(content)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [flipped_log, emptied])
def test_lost_changes_are_said_in_status_and_log(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    """Reported as D14."""
    first = sandbox_process.start(tmp_path)
    for number in range(8):
        first.client("iam").create_user(UserName=f"user-{number}")
    first.process.kill()
    first.process.wait()
    damage(tmp_path / "sandbox" / "identity" / "iam.sqlite")
    second = sandbox_process.start(tmp_path)
    _, status = second.control("GET", "status")
    users = second.client("iam").list_users()["Users"]
    second.stop()
    (notice,) = status["notices"]
    assert len(users) < 9
    assert f"IAM's users and roles was damaged: {len(users) - 1} of 8 changes are left" in notice
    (kept,) = (tmp_path / "sandbox" / "identity").glob("iam.sqlite.damaged-*")
    assert str(kept) in notice
    assert notice in second.log
