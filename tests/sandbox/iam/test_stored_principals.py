"""A user or role made again by the same name is not the one that a stored policy trusts.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.policies import allow, policy
from tests.sandbox.iam.people import ACCOUNT, directory_of, refused, trust
from tests.sandbox.sandbox_process import Running, keys_of


def user(sandbox: Running, name: str, *actions: str) -> dict[str, str]:
    """A user who may do the actions by a policy of the user's own; the user's key."""
    iam = sandbox.client("iam")
    iam.create_user(UserName=name)
    if actions:
        document = policy(allow(*actions))
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document)
    return keys_of(iam.create_access_key(UserName=name)["AccessKey"])


def delete_user(sandbox: Running, name: str) -> None:
    iam = sandbox.client("iam")
    for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    for own in iam.list_user_policies(UserName=name)["PolicyNames"]:
        iam.delete_user_policy(UserName=name, PolicyName=own)
    iam.delete_user(UserName=name)


def arn_of(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:user/{name}"


def id_of(sandbox: Running, name: str) -> str:
    found: str = sandbox.client("iam").get_user(UserName=name)["User"]["UserId"]
    return found


def trusted_by(sandbox: Running, role: str) -> Any:
    found = sandbox.client("iam").get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    return found["Statement"][0]["Principal"]["AWS"]


def test_a_role_does_not_trust_a_user_made_again(sandbox: Running) -> None:
    """Reported as F8."""
    key = user(sandbox, "dev")
    role = sandbox.client("iam").create_role(
        RoleName="deployer", AssumeRolePolicyDocument=trust(arn_of("dev"))
    )["Role"]
    asked = {"RoleArn": role["Arn"], "RoleSessionName": "it"}
    assert sandbox.client("sts", **key).assume_role(**asked)["AssumedRoleUser"]
    assert trusted_by(sandbox, "deployer") == arn_of("dev")
    before = id_of(sandbox, "dev")
    delete_user(sandbox, "dev")
    assert trusted_by(sandbox, "deployer") == before
    key = user(sandbox, "dev")
    assert trusted_by(sandbox, "deployer") == before
    with refused("AccessDenied", 403):
        sandbox.client("sts", **key).assume_role(**asked)


def test_a_trust_policy_saved_again_trusts_the_user_of_today(sandbox: Running) -> None:
    iam = sandbox.client("iam")
    user(sandbox, "ops")
    role = iam.create_role(RoleName="again", AssumeRolePolicyDocument=trust(arn_of("ops")))["Role"]
    delete_user(sandbox, "ops")
    key = user(sandbox, "ops")
    iam.update_assume_role_policy(RoleName="again", PolicyDocument=trust(arn_of("ops")))
    asked = {"RoleArn": role["Arn"], "RoleSessionName": "it"}
    assert sandbox.client("sts", **key).assume_role(**asked)["AssumedRoleUser"]


def test_a_trust_policy_follows_a_user_who_is_renamed(sandbox: Running) -> None:
    iam = sandbox.client("iam")
    key = user(sandbox, "ann")
    role = iam.create_role(RoleName="follow", AssumeRolePolicyDocument=trust(arn_of("ann")))["Role"]
    iam.update_user(UserName="ann", NewUserName="anna")
    assert trusted_by(sandbox, "follow") == arn_of("anna")
    asked = {"RoleArn": role["Arn"], "RoleSessionName": "it"}
    assert sandbox.client("sts", **key).assume_role(**asked)["AssumedRoleUser"]


def test_the_id_of_a_deleted_user_cannot_be_saved(sandbox: Running) -> None:
    user(sandbox, "gone")
    unique_id = id_of(sandbox, "gone")
    delete_user(sandbox, "gone")
    with refused("MalformedPolicyDocument") as message:
        sandbox.client("iam").create_role(
            RoleName="late", AssumeRolePolicyDocument=trust(unique_id)
        )
    assert f'Invalid principal in policy: "AWS":"{unique_id}"' in message[0]


def test_every_listing_shows_the_arn(sandbox: Running) -> None:
    iam = sandbox.client("iam")
    user(sandbox, "lister")
    made = iam.create_role(RoleName="listed", AssumeRolePolicyDocument=trust(arn_of("lister")))
    listed = {role["RoleName"]: role for role in iam.list_roles()["Roles"]}
    details = iam.get_account_authorization_details(Filter=["Role"])["RoleDetailList"]
    detailed = {role["RoleName"]: role for role in details}
    for role in (made["Role"], listed["listed"], detailed["listed"]):
        document = role["AssumeRolePolicyDocument"]
        assert document["Statement"][0]["Principal"]["AWS"] == arn_of("lister")


def test_what_is_trusted_outlives_a_restart(sandbox: Running) -> None:
    user(sandbox, "kept")
    role = sandbox.client("iam").create_role(
        RoleName="keeper", AssumeRolePolicyDocument=trust(arn_of("kept"))
    )["Role"]
    unique_id = id_of(sandbox, "kept")
    with directory_of(sandbox) as found:
        trusted = found.directory.role(role["Arn"])
    assert trusted is not None
    assert unique_id in trusted.trust
    assert arn_of("kept") not in trusted.trust


def test_a_repository_does_not_let_a_user_in_who_was_made_again(sandbox: Running) -> None:
    """Reported as F8."""
    ecr = sandbox.client("ecr")
    ecr.create_repository(repositoryName="app")
    key = user(sandbox, "puller")
    statement = {
        "Sid": "pull",
        "Effect": "Allow",
        "Principal": {"AWS": arn_of("puller")},
        "Action": "ecr:ListImages",
    }
    answer = ecr.set_repository_policy(repositoryName="app", policyText=policy(statement))
    assert arn_of("puller") in answer["policyText"]
    assert sandbox.client("ecr", **key).list_images(repositoryName="app")["imageIds"] == []
    before = id_of(sandbox, "puller")
    delete_user(sandbox, "puller")
    shown = json.loads(ecr.get_repository_policy(repositoryName="app")["policyText"])
    assert shown["Statement"][0]["Principal"]["AWS"] == before
    key = user(sandbox, "puller")
    with refused("AccessDeniedException"):
        sandbox.client("ecr", **key).list_images(repositoryName="app")


@pytest.mark.parametrize("made_again", [False, True])
def test_a_bucket_lets_in_the_user_who_was_there_when_its_policy_was_saved(
    sandbox: Running, made_again: bool
) -> None:
    name = f"reader-{made_again}".lower()
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    key = user(sandbox, name)
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": arn_of(name)},
        "Action": "s3:ListBucket",
        "Resource": f"arn:aws:s3:::{name}",
    }
    s3.put_bucket_policy(Bucket=name, Policy=policy(statement))
    if not made_again:
        assert sandbox.client("s3", **key).list_objects_v2(Bucket=name)["KeyCount"] == 0
        assert arn_of(name) in s3.get_bucket_policy(Bucket=name)["Policy"]
        return
    before = id_of(sandbox, name)
    delete_user(sandbox, name)
    key = user(sandbox, name)
    assert before in s3.get_bucket_policy(Bucket=name)["Policy"]
    with refused("AccessDenied", 403):
        sandbox.client("s3", **key).list_objects_v2(Bucket=name)
