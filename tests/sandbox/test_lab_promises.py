"""What labs 01 and 02 say of the sandbox, where it differs from AWS."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.policies import deny, policy
from tests.sandbox import sandbox_process
from tests.sandbox.sandbox_process import Running

DENY_ALL = policy(deny("*"))


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


def test_what_any_service_holds_is_there_after_a_stop(tmp_path: Path) -> None:
    first = sandbox_process.start(tmp_path)
    first.client("ecr").create_repository(repositoryName="stays")
    first.client("s3").create_bucket(
        Bucket="stays", CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
    )
    first.client("iam").create_user(UserName="stays")
    first.client("ssm").put_parameter(Name="stays", Value="v", Type="String")
    first.client("logs").create_log_group(logGroupName="stays")
    first.stop()

    second = sandbox_process.start(tmp_path)
    try:
        (repository,) = second.client("ecr").describe_repositories()["repositories"]
        users = [user["UserName"] for user in second.client("iam").list_users()["Users"]]
        (bucket,) = second.client("s3").list_buckets()["Buckets"]
        (parameter,) = second.client("ssm").describe_parameters()["Parameters"]
        (group,) = second.client("logs").describe_log_groups()["logGroups"]
    finally:
        second.stop()
    assert (repository["repositoryName"], users) == ("stays", ["learner", "stays"])
    assert [bucket["Name"], parameter["Name"], group["logGroupName"]] == ["stays"] * 3


def test_ec2_lists_govcloud_regions(sandbox: Running) -> None:
    regions = sandbox.client("ec2").describe_regions()["Regions"]
    assert "us-gov-west-1" in {region["RegionName"] for region in regions}


def test_what_no_policy_allows_is_refused_and_a_deny_beats_every_allow(sandbox: Running) -> None:
    iam = sandbox.client("iam")
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    nobody = {
        "aws_access_key_id": key["AccessKeyId"],
        "aws_secret_access_key": key["SecretAccessKey"],
    }
    ecr = sandbox.client("ecr", **nobody)
    with pytest.raises(ClientError, match="because no identity-based policy allows"):
        ecr.describe_repositories()
    administrator = "arn:aws:iam::aws:policy/AdministratorAccess"
    iam.attach_user_policy(UserName="nobody", PolicyArn=administrator)
    assert ecr.describe_repositories()["repositories"] == []
    iam.put_user_policy(UserName="nobody", PolicyName="no", PolicyDocument=DENY_ALL)
    with pytest.raises(ClientError, match="with an explicit deny in an identity-based policy"):
        ecr.describe_repositories()
    caller = sandbox.client("sts", **nobody).get_caller_identity()["Arn"]
    assert caller == "arn:aws:iam::123456789012:user/nobody"
