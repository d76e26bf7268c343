"""What the sandbox uses of moto's insides, held true for the pinned version.

When one of these fails after an update of moto, labs_helpers/sandbox/moto needs a look before
anything else.
"""

from __future__ import annotations

import gc
import json
import weakref
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from labs_helpers.sandbox.moto import patches
from labs_helpers.sandbox.moto.identity import KEPT
from tests.policies import policy
from tests.sandbox import sandbox_process
from tests.sandbox.sandbox_process import Running

LEARNER = "arn:aws:iam::123456789012:user/learner"
TRUST = policy(
    {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": "sts:AssumeRole",
    }
)


def services(sandbox: Running) -> list[str]:
    _, status = sandbox.control("GET", "status")
    return list(status["services"])


def test_a_service_is_loaded_when_it_is_first_called(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    fresh = sandbox_process.start(tmp_path_factory.mktemp("labs"))
    fresh.client("ecr").describe_repositories()
    before = services(fresh)
    fresh.client("s3").list_buckets()
    after = services(fresh)
    fresh.stop()
    assert (before, after) == (["ecr"], ["ecr", "s3"])


def test_the_learner_is_who_they_are(sandbox: Running) -> None:
    told = sandbox.client("sts").get_caller_identity()
    assert (told["Account"], told["Arn"]) == ("123456789012", LEARNER)
    (user,) = sandbox.client("iam").list_users()["Users"]
    assert (user["Arn"], user["UserId"]) == (LEARNER, told["UserId"])
    assert told["UserId"].startswith("AIDA")
    assert len(told["UserId"]) == 21


def test_the_learners_key_and_policy_are_in_iam(sandbox: Running) -> None:
    iam = sandbox.client("iam")
    (key,) = iam.list_access_keys(UserName="learner")["AccessKeyMetadata"]
    assert (key["AccessKeyId"], key["Status"]) == (sandbox.learner["access_key_id"], "Active")
    attached = iam.list_attached_user_policies(UserName="learner")["AttachedPolicies"]
    assert [one["PolicyName"] for one in attached] == ["AdministratorAccess"]


def test_aws_managed_policies_can_be_attached(sandbox: Running) -> None:
    iam = sandbox.client("iam")
    name = "AmazonEC2ContainerRegistryFullAccess"
    iam.create_user(UserName="attached")
    iam.attach_user_policy(UserName="attached", PolicyArn=f"arn:aws:iam::aws:policy/{name}")
    (attached,) = iam.list_attached_user_policies(UserName="attached")["AttachedPolicies"]
    assert attached["PolicyName"] == name


def test_session_credentials_are_random_and_work(sandbox: Running) -> None:
    sts = sandbox.client("sts")
    one, two = (sts.get_session_token()["Credentials"] for _ in range(2))
    assert one["AccessKeyId"] != two["AccessKeyId"]
    assert one["AccessKeyId"].startswith("ASIA")
    session = sandbox.client(
        "sts",
        aws_access_key_id=one["AccessKeyId"],
        aws_secret_access_key=one["SecretAccessKey"],
        aws_session_token=one["SessionToken"],
    )
    assert session.get_caller_identity()["Arn"] == LEARNER


def test_an_assumed_role_works_on_every_side(sandbox: Running) -> None:
    iam, sts = sandbox.client("iam"), sandbox.client("sts")
    role = iam.create_role(RoleName="deploy", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    iam.attach_role_policy(
        RoleName="deploy", PolicyArn="arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"
    )
    given = sts.assume_role(RoleArn=role, RoleSessionName="build")["Credentials"]
    keys = {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }
    arn = sandbox.client("sts", **keys).get_caller_identity()["Arn"]
    assert arn == "arn:aws:sts::123456789012:assumed-role/deploy/build"
    assert "repositories" in sandbox.client("ecr", **keys).describe_repositories()


def test_a_role_of_another_account_acts_in_that_account(sandbox: Running) -> None:
    _, made = sandbox.control("POST", "accounts", {"account": "210987654321", "user": "admin"})
    partner = {
        "aws_access_key_id": made["access_key_id"],
        "aws_secret_access_key": made["secret_access_key"],
    }
    role = sandbox.client("iam", **partner).create_role(
        RoleName="partner", AssumeRolePolicyDocument=TRUST
    )["Role"]["Arn"]
    sandbox.client("iam", **partner).attach_role_policy(
        RoleName="partner", PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess"
    )
    given = sandbox.client("sts").assume_role(RoleArn=role, RoleSessionName="visit")["Credentials"]
    keys = {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }
    sandbox.client("s3", **keys).create_bucket(
        Bucket="partners", CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
    )
    assert sandbox.client("sts", **keys).get_caller_identity()["Account"] == "210987654321"
    mine = sandbox.client("s3").list_buckets()["Buckets"]
    assert "partners" not in [bucket["Name"] for bucket in mine]


def test_a_repository_is_in_the_region_that_signed(sandbox: Running) -> None:
    made = sandbox.client("ecr", region_name="eu-west-1").create_repository(repositoryName="abroad")
    assert ":eu-west-1:" in made["repository"]["repositoryArn"]
    assert sandbox.client("ecr").describe_repositories()["repositories"] == []


@pytest.mark.parametrize(
    ("service", "operation", "arguments"),
    [
        ("iam", "generate_service_last_accessed_details", {"Arn": LEARNER}),
        ("ec2", "describe_aws_network_performance_metric_subscriptions", {}),
        ("lambda", "list_capacity_providers", {}),
        ("ecr-public", "describe_repositories", {}),
    ],
)
def test_what_moto_lacks_is_named_at_once(
    sandbox: Running, service: str, operation: str, arguments: dict[str, object]
) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(sandbox.client(service), operation)(**arguments)
    error = refused.value.response
    assert error["Error"]["Code"] == "NotInSandbox"
    assert "it exists on AWS" in error["Error"]["Message"]
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 501


@pytest.mark.parametrize("path", ["/moto-api/", "/moto-api/reset", "/moto-api/data.json"])
def test_motos_own_controls_are_closed(sandbox: Running, path: str) -> None:
    assert sandbox.ask("POST", path)[0] == 404


@pytest.mark.parametrize("path", ["/favicon.ico", "/latest/meta-data/iam/security-credentials/"])
def test_what_moto_answers_to_anybody_is_not_answered(sandbox: Running, path: str) -> None:
    assert sandbox.ask("GET", path)[0] in (403, 404)


@pytest.mark.parametrize("key", ["plain", "a b+c/é%2F&=?#.txt", "/leading", "dir/"])
def test_any_key_of_s3_comes_back(sandbox: Running, key: str) -> None:
    s3 = sandbox.client("s3")
    place = {"LocationConstraint": "us-west-2"}
    if "keys" not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket="keys", CreateBucketConfiguration=place)
    body = b"x" * 100_000
    s3.put_object(Bucket="keys", Key=key, Body=body, Metadata={"with_underscore": "1"})
    found = s3.get_object(Bucket="keys", Key=key)
    assert found["Body"].read() == body
    assert found["Metadata"] == {"with_underscore": "1"}


def test_answers_are_not_for_web_pages(sandbox: Running) -> None:
    answer = sandbox.client("sts").get_caller_identity()
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert not [name for name in headers if name.startswith("access-control-")]


def test_the_gateway_alone_decides_on_buckets_and_regions(sandbox: Running) -> None:
    """moto asks bucket policies without principals, and takes a region from any URL."""
    from moto.core.responses import BaseResponse
    from moto.iam.access_control import PermissionResult
    from moto.s3.models import FakeBucket

    assert callable(BaseResponse.get_region_from_url)
    assert callable(FakeBucket.get_permission)
    assert PermissionResult.PERMITTED
    s3 = sandbox.client("s3")
    s3.create_bucket(
        Bucket="kept-out", CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
    )
    s3.put_object(Bucket="kept-out", Key="k", Body=b"x")
    somebody_else = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:GetObject", '
        '"Principal": {"AWS": "arn:aws:iam::210987654321:root"}, '
        '"Resource": "arn:aws:s3:::kept-out/*"}]}'
    )
    s3.put_bucket_policy(Bucket="kept-out", Policy=somebody_else)
    assert s3.get_object(Bucket="kept-out", Key="k")["Body"].read() == b"x"


def test_an_account_has_no_state_that_is_not_kept() -> None:
    from moto.iam.models import IAMBackend

    made_anew = {
        "region_name",
        "account_id",
        "partition",
        "aws_managed_policies",
        "policy_arn_regex",
        "account_summary",
    }
    assert set(vars(IAMBackend("aws", account_id="123456789012"))) == set(KEPT) | made_anew


@pytest.mark.parametrize("target", patches.PATCHES)
def test_moto_has_what_ours_take_the_place_of(target: str) -> None:
    owner, name = patches.owner_of(target)
    assert patches.PATCHES[target]
    if target in patches.ORIGINALS:  # a test in this process has changed moto already
        assert (patches.ORIGINALS[target] is None) == (target in patches.NEW)
    else:
        assert hasattr(owner, name) == (target not in patches.NEW)


def test_a_change_to_moto_that_is_not_listed_is_not_made() -> None:
    with pytest.raises(KeyError, match="no row of PATCHES"):
        patches.put("moto.iam.models:User.arn", "")


def test_roles_and_users_of_a_stack_are_kept_too(tmp_path: Path) -> None:
    template = {
        "Resources": {
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "RoleName": "of-a-stack",
                    "AssumeRolePolicyDocument": json.loads(TRUST),
                },
            },
            "User": {"Type": "AWS::IAM::User", "Properties": {"UserName": "of-a-stack"}},
        }
    }
    first = sandbox_process.start(tmp_path)
    first.client("cloudformation").create_stack(
        StackName="people",
        TemplateBody=json.dumps(template),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    first.process.kill()
    first.process.wait(30)
    second = sandbox_process.start(tmp_path)
    iam = second.client("iam")
    role = iam.get_role(RoleName="of-a-stack")["Role"]["RoleId"]
    user = iam.get_user(UserName="of-a-stack")["User"]["UserId"]
    second.stop()
    assert (role[:4], user[:4]) == ("AROA", "AIDA")


def test_moto_keeps_nothing_that_its_own_services_have_dropped() -> None:
    from labs_helpers.sandbox.moto import memory

    memory.install()
    memory.forget_messages()
    from moto.s3.models import FakeKey
    from moto.sns.models import sns_backends

    overwritten = FakeKey("k", b"x", account_id="123456789012", region_name="us-west-2")
    seen = weakref.ref(overwritten)
    overwritten.dispose()
    del overwritten
    gc.collect()
    assert seen() is None
    topics = sns_backends["123456789012"]["us-west-2"]
    topic = topics.create_topic("forgets")
    topic.publish("a message")
    topics.delete_topic(topic.arn)
    assert "a message" not in str(vars(topic))
    assert not topic.sent_notifications


def test_an_account_that_asks_ec2_has_no_images_of_motos(sandbox: Running) -> None:
    ec2 = sandbox.client("ec2")
    ec2.describe_vpcs()
    assert ec2.describe_volumes()["Volumes"] == []
    _, status = sandbox.control("GET", "status")
    assert "ec2" in status["services"]
