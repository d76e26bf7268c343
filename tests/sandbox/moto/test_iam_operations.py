"""What moto's IAM lets pass, and AWS does not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.policies import allow, policy
from tests.sandbox.iam.people import ACCOUNT, ADMINISTRATOR, AWS, LEARNER, refused, trust
from tests.sandbox.sandbox_process import Running, keys_of

PULL = f"{AWS}AmazonEC2ContainerRegistryPullOnly"


@pytest.fixture
def iam(sandbox: Running) -> Any:
    return sandbox.client("iam")


def test_ids_have_the_form_of_awss(iam: Any) -> None:
    ids = [
        iam.create_user(UserName="ids")["User"]["UserId"],
        iam.create_group(GroupName="ids")["Group"]["GroupId"],
        iam.create_policy(PolicyName="ids", PolicyDocument=policy(allow("s3:*")))["Policy"][
            "PolicyId"
        ],
        iam.create_role(RoleName="ids", AssumeRolePolicyDocument=trust())["Role"]["RoleId"],
        iam.create_instance_profile(InstanceProfileName="ids")["InstanceProfile"][
            "InstanceProfileId"
        ],
    ]
    assert [one[:4] for one in ids] == ["AIDA", "AGPA", "ANPA", "AROA", "AIPA"]
    assert {len(one) for one in ids} == {21}


ABSENT: list[tuple[str, dict[str, str], str]] = [
    ("get_user", {"UserName": "no"}, "The user with name no cannot be found."),
    ("get_role", {"RoleName": "no"}, "The role with name no cannot be found."),
    ("get_group", {"GroupName": "no"}, "The group with name no cannot be found."),
    ("get_policy", {"PolicyArn": f"{AWS}no"}, f"Policy {AWS}no was not found."),
    (
        "attach_user_policy",
        {"UserName": "learner", "PolicyArn": f"{AWS}no"},
        f"Policy {AWS}no does not exist or is not attachable.",
    ),
    (
        "detach_user_policy",
        {"UserName": "learner", "PolicyArn": PULL},
        f"Policy {PULL} was not found.",
    ),
    (
        "get_user_policy",
        {"UserName": "learner", "PolicyName": "no"},
        "The user policy with name no cannot be found.",
    ),
    (
        "put_user_permissions_boundary",
        {"UserName": "learner", "PermissionsBoundary": f"{AWS}NotThere"},
        f"Scope ARN: {AWS}NotThere does not exist or is not attachable.",
    ),
    (
        "delete_access_key",
        {"UserName": "learner", "AccessKeyId": "AKIAIOSFODNN7EXAMPLE"},
        "The Access Key with id AKIAIOSFODNN7EXAMPLE cannot be found.",
    ),
    (
        "get_login_profile",
        {"UserName": "learner"},
        "Login Profile for User learner cannot be found.",
    ),
]


@pytest.mark.parametrize(("operation", "asked", "message"), ABSENT)
def test_what_is_not_there_is_named_in_awss_words(
    iam: Any, operation: str, asked: dict[str, str], message: str
) -> None:
    with refused("NoSuchEntity", 404) as said:
        getattr(iam, operation)(**asked)
    assert said == [message]


@pytest.mark.parametrize("name", ["twice", "TWICE"])
def test_a_name_is_taken_whatever_its_case(iam: Any, name: str) -> None:
    users = [user["UserName"] for user in iam.list_users()["Users"]]
    if "twice" not in users:
        iam.create_user(UserName="twice")
    with refused("EntityAlreadyExists", 409) as said:
        iam.create_user(UserName=name)
    assert said == [f"User with name {name} already exists."]


def test_a_user_is_deleted_when_nothing_hangs_on_it(iam: Any) -> None:
    def deleted() -> str:
        with refused("DeleteConflict", 409) as said:
            iam.delete_user(UserName="loaded")
        return said[0]

    iam.create_user(UserName="loaded")
    key = iam.create_access_key(UserName="loaded")["AccessKey"]["AccessKeyId"]
    iam.create_group(GroupName="loaded")
    iam.add_user_to_group(GroupName="loaded", UserName="loaded")
    iam.attach_user_policy(UserName="loaded", PolicyArn=PULL)
    iam.put_user_policy(UserName="loaded", PolicyName="own", PolicyDocument=policy(allow("ecr:*")))
    iam.create_login_profile(UserName="loaded", Password="Of-The-Sandbox-1")

    assert deleted() == "Cannot delete entity, must detach all policies first."
    iam.detach_user_policy(UserName="loaded", PolicyArn=PULL)
    assert deleted() == "Cannot delete entity, must delete policies first."
    iam.delete_user_policy(UserName="loaded", PolicyName="own")
    assert deleted() == "Cannot delete entity, must delete access keys first."
    iam.delete_access_key(UserName="loaded", AccessKeyId=key)
    assert deleted() == "Cannot delete entity, must delete login profile first."
    iam.delete_login_profile(UserName="loaded")
    assert deleted() == "Cannot delete entity, must remove users from group first."
    iam.remove_user_from_group(GroupName="loaded", UserName="loaded")
    iam.delete_user(UserName="loaded")


def test_a_group_is_deleted_when_it_is_empty(iam: Any) -> None:
    iam.create_group(GroupName="full")
    iam.add_user_to_group(GroupName="full", UserName="learner")
    with refused("DeleteConflict", 409) as said:
        iam.delete_group(GroupName="full")
    assert said == ["Cannot delete entity, must remove users from group first."]
    iam.remove_user_from_group(GroupName="full", UserName="learner")
    iam.attach_group_policy(GroupName="full", PolicyArn=PULL)
    with refused("DeleteConflict", 409):
        iam.delete_group(GroupName="full")
    iam.detach_group_policy(GroupName="full", PolicyArn=PULL)
    iam.delete_group(GroupName="full")


def test_a_policy_is_deleted_when_nobody_has_it(iam: Any) -> None:
    arn = iam.create_policy(PolicyName="used", PolicyDocument=policy(allow("s3:*")))["Policy"][
        "Arn"
    ]
    iam.attach_user_policy(UserName="learner", PolicyArn=arn)
    with refused("DeleteConflict", 409) as said:
        iam.delete_policy(PolicyArn=arn)
    assert said == ["Cannot delete a policy attached to entities."]
    iam.detach_user_policy(UserName="learner", PolicyArn=arn)
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy(allow("s3:Get*")))
    with refused("DeleteConflict", 409) as said:
        iam.delete_policy(PolicyArn=arn)
    assert said[0].startswith("This policy has more than one version.")
    iam.delete_policy_version(PolicyArn=arn, VersionId="v2")
    iam.delete_policy(PolicyArn=arn)


def test_attaching_twice_counts_once(iam: Any) -> None:
    iam.create_user(UserName="attached")
    for _ in range(2):
        iam.attach_user_policy(UserName="attached", PolicyArn=f"{AWS}AmazonS3FullAccess")
    found = iam.get_policy(PolicyArn=f"{AWS}AmazonS3FullAccess")["Policy"]
    assert found["AttachmentCount"] == 1


def test_a_user_holds_ten_managed_policies(iam: Any) -> None:
    iam.create_user(UserName="many")
    names = [one["Arn"] for one in iam.list_policies(Scope="AWS", MaxItems=11)["Policies"]]
    for arn in names[:10]:
        iam.attach_user_policy(UserName="many", PolicyArn=arn)
    with refused("LimitExceeded", 409) as said:
        iam.attach_user_policy(UserName="many", PolicyArn=names[10])
    assert said == ["Cannot exceed quota for PoliciesPerUser: 10"]


def test_a_renamed_user_keeps_key_tags_and_groups(sandbox: Running, iam: Any) -> None:
    iam.create_user(UserName="before", Tags=[{"Key": "Team", "Value": "a"}])
    key = iam.create_access_key(UserName="before")["AccessKey"]
    iam.create_group(GroupName="friends")
    iam.add_user_to_group(GroupName="friends", UserName="before")
    iam.update_user(UserName="before", NewUserName="after")
    (kept,) = iam.list_access_keys(UserName="after")["AccessKeyMetadata"]
    assert (kept["AccessKeyId"], kept["UserName"]) == (key["AccessKeyId"], "after")
    assert iam.list_user_tags(UserName="after")["Tags"] == [{"Key": "Team", "Value": "a"}]
    assert iam.list_groups_for_user(UserName="after")["Groups"][0]["GroupName"] == "friends"
    arn = sandbox.client("sts", **keys_of(key)).get_caller_identity()["Arn"]
    assert arn == f"arn:aws:iam::{ACCOUNT}:user/after"


def test_a_user_may_ask_about_itself_by_no_name(sandbox: Running, iam: Any) -> None:
    assert iam.get_user()["User"]["Arn"] == LEARNER
    assert iam.list_access_keys()["AccessKeyMetadata"][0]["UserName"] == "learner"
    role = iam.create_role(RoleName="nameless", AssumeRolePolicyDocument=trust())["Role"]["Arn"]
    iam.attach_role_policy(RoleName="nameless", PolicyArn=ADMINISTRATOR)
    given = sandbox.client("sts").assume_role(RoleArn=role, RoleSessionName="build")
    with refused("ValidationError", 400) as said:
        sandbox.client("iam", **keys_of(given["Credentials"])).get_user()
    assert said == ["Must specify userName when calling with non-User credentials"]


BROKEN = ["{", "[]", "{}", policy({"Effect": "Allow", "Action": "s3:*"})]


@pytest.mark.parametrize("text", BROKEN)
def test_a_malformed_policy_is_not_stored(iam: Any, text: str) -> None:
    for operation, asked in (
        ("put_user_policy", {"UserName": "learner", "PolicyName": "broken"}),
        ("create_policy", {"PolicyName": "broken"}),
    ):
        with refused("MalformedPolicyDocument", 400):
            getattr(iam, operation)(PolicyDocument=text, **asked)
    assert iam.list_user_policies(UserName="learner")["PolicyNames"] == []


TRUSTS = [
    policy(allow("sts:AssumeRole")),
    trust("not-a-principal"),
    trust(f"arn:aws:iam::{ACCOUNT}:user/nobody-of-this-name"),
    "{",
]


@pytest.mark.parametrize("text", TRUSTS)
def test_a_malformed_trust_policy_is_not_stored(iam: Any, text: str) -> None:
    with refused("MalformedPolicyDocument", 400):
        iam.create_role(RoleName="broken", AssumeRolePolicyDocument=text)
    with refused("NoSuchEntity", 404):
        iam.get_role(RoleName="broken")
    names = [role["RoleName"] for role in iam.list_roles()["Roles"]]
    if "sound" not in names:
        iam.create_role(RoleName="sound", AssumeRolePolicyDocument=trust())
    with refused("MalformedPolicyDocument", 400):
        iam.update_assume_role_policy(RoleName="sound", PolicyDocument=text)


def test_a_trust_policy_may_name_who_is_there(iam: Any) -> None:
    iam.create_role(RoleName="for-the-learner", AssumeRolePolicyDocument=trust(LEARNER))
    iam.create_role(
        RoleName="for-the-role",
        AssumeRolePolicyDocument=trust(f"arn:aws:iam::{ACCOUNT}:role/for-the-learner"),
    )


def test_a_policy_has_its_longest_length(iam: Any) -> None:
    resource = f"arn:aws:s3:::{'x' * 2100}"
    with refused("LimitExceeded", 409) as said:
        iam.put_user_policy(
            UserName="learner",
            PolicyName="long",
            PolicyDocument=policy(allow("s3:*", on=resource)),
        )
    assert said == ["Maximum policy size of 2048 bytes exceeded for user learner"]


def test_parameters_are_checked_by_the_model(iam: Any) -> None:
    with refused("ValidationError", 400) as said:
        iam.create_user(UserName="a b")
    assert said == [
        "1 validation error detected: Value 'a b' at 'userName' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: [\\w+=,.@-]+"
    ]


def test_a_provider_is_there_once_and_takes_further_audiences(iam: Any) -> None:
    url = "https://token.actions.githubusercontent.com"
    arn = iam.create_open_id_connect_provider(Url=url, ClientIDList=["one"])[
        "OpenIDConnectProviderArn"
    ]
    with refused("EntityAlreadyExists", 409) as said:
        iam.create_open_id_connect_provider(Url=url, ClientIDList=["two"])
    assert said == [f"Provider with url {url} already exists."]
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="two")
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="one")
    found = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert found["ClientIDList"] == ["two"]
