"""What labs 01 and 02 say of the sandbox, where it differs from AWS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.sandbox import sandbox_process
from tests.sandbox.sandbox_process import Running

DENY_ALL = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}'
)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = sandbox_process.start(tmp_path_factory.mktemp("labs"))
    yield running
    running.stop()


def test_a_key_of_one_sandbox_is_unknown_to_another(tmp_path: Path) -> None:
    one = sandbox_process.start(tmp_path / "one")
    other = sandbox_process.start(tmp_path / "other")
    try:
        stranger = one.client("sts", endpoint_url=other.url)
        with pytest.raises(ClientError, match="InvalidClientTokenId"):
            stranger.get_caller_identity()
    finally:
        one.stop()
        other.stop()


def test_buckets_last_until_the_sandbox_stops(tmp_path: Path) -> None:
    first = sandbox_process.start(tmp_path)
    first.client("ecr").create_repository(repositoryName="stays")
    first.client("s3").create_bucket(
        Bucket="goes", CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
    )
    first.client("iam").create_user(UserName="stays")
    first.stop()

    second = sandbox_process.start(tmp_path)
    try:
        (repository,) = second.client("ecr").describe_repositories()["repositories"]
        users = [user["UserName"] for user in second.client("iam").list_users()["Users"]]
        buckets = second.client("s3").list_buckets()["Buckets"]
    finally:
        second.stop()
    assert (repository["repositoryName"], users, buckets) == ("stays", ["learner", "stays"], [])


def test_ec2_lists_govcloud_and_passes_over_dry_run(sandbox: Running) -> None:
    ec2 = sandbox.client("ec2")
    regions = {region["RegionName"] for region in ec2.describe_regions()["Regions"]}
    made = ec2.create_vpc(CidrBlock="10.0.0.0/16", DryRun=True)
    assert "us-gov-west-1" in regions
    assert made["Vpc"]["State"] == "available"


def test_nobody_is_refused_for_want_of_a_policy(sandbox: Running) -> None:
    iam = sandbox.client("iam")
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    nobody = {
        "aws_access_key_id": key["AccessKeyId"],
        "aws_secret_access_key": key["SecretAccessKey"],
    }
    iam.put_user_policy(UserName="nobody", PolicyName="no", PolicyDocument=DENY_ALL)
    caller = sandbox.client("sts", **nobody).get_caller_identity()["Arn"]
    made = sandbox.client("ecr", **nobody).create_repository(repositoryName="made")
    users = sandbox.client("iam", **nobody).list_users()["Users"]
    assert caller == "arn:aws:iam::123456789012:user/nobody"
    assert made["repository"]["repositoryName"] == "made"
    assert [user["UserName"] for user in users] == ["learner", "nobody"]


def test_the_policy_simulator_is_not_here(sandbox: Running) -> None:
    iam = sandbox.client("iam")
    asked = {"ActionNames": ["ecr:PutImage"]}
    with pytest.raises(ClientError, match="NotInSandbox"):
        iam.simulate_custom_policy(PolicyInputList=[DENY_ALL], **asked)
    with pytest.raises(ClientError, match="NotInSandbox"):
        iam.simulate_principal_policy(
            PolicySourceArn="arn:aws:iam::123456789012:user/learner", **asked
        )
