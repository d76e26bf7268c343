"""First commands whose answer moto gives otherwise than AWS."""

from __future__ import annotations

import time

import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.sandbox.sandbox_process import Running


def test_a_bucket_with_suspended_versioning_keeps_its_versions(sandbox: Running) -> None:
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket="kept", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})

    def versioning(status: str) -> None:
        s3.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": status})

    def put(text: bytes) -> str:
        return str(s3.put_object(Bucket="kept", Key="k", Body=text).get("VersionId"))

    versioning("Enabled")
    first = put(b"one")
    versioning("Suspended")
    assert put(b"two") == "null"
    assert put(b"three") == "null"

    def read(version: str) -> bytes:
        return bytes(s3.get_object(Bucket="kept", Key="k", VersionId=version)["Body"].read())

    listed = s3.list_object_versions(Bucket="kept")
    found = {each["VersionId"]: each["IsLatest"] for each in listed["Versions"]}
    assert found == {first: False, "null": True}
    assert (read(first), read("null")) == (b"one", b"three")
    s3.delete_object(Bucket="kept", Key="k")
    listed = s3.list_object_versions(Bucket="kept")
    assert [each["VersionId"] for each in listed["Versions"]] == [first]
    assert [each["VersionId"] for each in listed["DeleteMarkers"]] == ["null"]
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket="kept", Key="k")
    assert read(first) == b"one"


def test_a_term_of_a_filter_is_a_word(sandbox: Running) -> None:
    logs = sandbox.client("logs")
    logs.create_log_group(logGroupName="words")
    logs.create_log_stream(logGroupName="words", logStreamName="s")
    now = int(time.time() * 1000)
    texts = ["ERROR 500", "[ERROR] lost", "ERRORS: 0", "NOERROR", "MY_ERROR"]
    logs.put_log_events(
        logGroupName="words",
        logStreamName="s",
        logEvents=[{"timestamp": now + n, "message": text} for n, text in enumerate(texts)],
    )

    def found(pattern: str) -> list[str]:
        answer = logs.filter_log_events(logGroupName="words", filterPattern=pattern)
        return [each["message"] for each in answer["events"]]

    assert found("ERROR") == ["ERROR 500", "[ERROR] lost"]
    assert found("ERROR 500") == ["ERROR 500"]
    assert found("error") == []


def test_no_alias_is_listed_of_a_key_that_is_not(sandbox: Running) -> None:
    kms = sandbox.client("kms")
    keys = {each["KeyId"] for each in kms.list_keys()["Keys"]}
    assert {each["TargetKeyId"] for each in kms.list_aliases()["Aliases"]} <= keys


def test_a_message_says_who_sent_it(sandbox: Running) -> None:
    sqs = sandbox.client("sqs")
    url = sqs.create_queue(QueueName="senders")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="hello")
    (message,) = sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["SenderId"])[
        "Messages"
    ]
    me = sandbox.client("sts").get_caller_identity()["UserId"]
    assert message["Attributes"]["SenderId"] == me


@pytest.mark.parametrize(
    "operation", ["list_accounts", "list_roots", "describe_organization", "list_parents"]
)
def test_there_is_no_organization(sandbox: Running, operation: str) -> None:
    organizations = sandbox.client("organizations")
    named = {"ChildId": "123456789012"} if operation == "list_parents" else {}
    with pytest.raises(ClientError) as refused:
        getattr(organizations, operation)(**named)
    error = refused.value.response["Error"]
    assert error["Code"] == "AWSOrganizationsNotInUseException"
    assert "not a member of an organization" in error["Message"]


def test_lists_of_ec2_come_in_pages(sandbox: Running) -> None:
    ec2 = sandbox.client("ec2")
    every = [each["SubnetId"] for each in ec2.describe_subnets()["Subnets"]]
    for number in range(7 - len(every)):
        vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        block = f"172.31.{200 + number}.0/24"
        every.append(ec2.create_subnet(VpcId=vpc, CidrBlock=block)["Subnet"]["SubnetId"])
    first = ec2.describe_subnets(MaxResults=5)
    assert len(first["Subnets"]) == 5
    second = ec2.describe_subnets(MaxResults=5, NextToken=first["NextToken"])
    assert "NextToken" not in second
    found = [each["SubnetId"] for each in first["Subnets"] + second["Subnets"]]
    assert sorted(found) == sorted(every)


@pytest.mark.parametrize("token", ["garbage", "ZnJvbSA5OTk=", "ZnJvbSAtMQ=="])
def test_a_token_of_ec2_that_the_sandbox_did_not_give_is_refused(
    sandbox: Running, token: str
) -> None:
    with pytest.raises(ClientError) as refused:
        sandbox.client("ec2").describe_vpcs(NextToken=token)
    assert refused.value.response["Error"]["Code"] == "InvalidPaginationToken"


def test_a_region_has_one_load_balancer_of_a_name(sandbox: Running) -> None:
    balancers, ec2 = sandbox.client("elbv2"), sandbox.client("ec2")
    subnets = [each["SubnetId"] for each in ec2.describe_subnets()["Subnets"]]
    asked = {"Name": "the-only", "Subnets": subnets[:2]}
    (made,) = balancers.create_load_balancer(**asked)["LoadBalancers"]
    (again,) = balancers.create_load_balancer(**asked)["LoadBalancers"]
    assert again["LoadBalancerArn"] == made["LoadBalancerArn"]
    for other in ({"Scheme": "internal"}, {"Type": "network"}):
        with pytest.raises(ClientError) as refused:
            balancers.create_load_balancer(**asked, **other)
        assert refused.value.response["Error"]["Code"] == "DuplicateLoadBalancerName"
    named = [
        each["LoadBalancerName"] for each in balancers.describe_load_balancers()["LoadBalancers"]
    ]
    assert named.count("the-only") == 1


SLOW = "(a+)+(a?" + "a?" * 40 + "){9}$"
"""A regular expression with which Python's matcher would be busy for years."""


def test_the_prefix_of_a_queues_name_is_a_text(sandbox: Running) -> None:
    sqs = sandbox.client("sqs")
    for name in ("a" * 60, "web-1", "web_1"):
        sqs.create_queue(QueueName=name)
    assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix=SLOW)
    assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix="web.")
    assert [one.rpartition("/")[2] for one in sqs.list_queues(QueueNamePrefix="web-")["QueueUrls"]]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("web*", ["web.1", "web21"]),
        ("web?1", ["web.1", "web21"]),
        ("web.1", ["web.1"]),
        ("we*.?", ["web.1"]),
        (r"we\*", []),
        ("(web.1)", []),
        (SLOW, []),
    ],
)
def test_a_filter_of_ec2_has_two_wildcards(sandbox: Running, value: str, found: list[str]) -> None:
    ec2 = sandbox.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    have = {one["GroupName"] for one in ec2.describe_security_groups()["SecurityGroups"]}
    for name in {"web.1", "web21", "a" * 60} - have:
        ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)
    for kind in ("group-name", "description"):
        groups = ec2.describe_security_groups(Filters=[{"Name": kind, "Values": [value]}])
        assert sorted(one["GroupName"] for one in groups["SecurityGroups"]) == found


def test_an_allowed_origin_has_one_wildcard(sandbox: Running) -> None:
    s3 = sandbox.client("s3", config=Config(signature_version="s3v4"))
    s3.create_bucket(Bucket="cors", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    origins = ["https://*.example.com", "http://(a+)+$", "http://b.c"]
    rule = {"AllowedMethods": ["GET"], "AllowedOrigins": origins}
    s3.put_object(Bucket="cors", Key="k", Body=b"1")
    url = s3.generate_presigned_url("get_object", {"Bucket": "cors", "Key": "k"})
    answer = requests.get(url, headers={"Origin": "http://b.c"}, timeout=30)
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("Access-Control")]
    s3.put_bucket_cors(Bucket="cors", CORSConfiguration={"CORSRules": [rule]})
    for origin, is_allowed in {
        "https://www.example.com": True,
        "https://www.example.org": False,
        "http://" + "a" * 60 + "b": False,
        "http://b.c": True,
        "http://bxc": False,
    }.items():
        answer = requests.get(url, headers={"Origin": origin}, timeout=30)
        assert ("Access-Control-Allow-Origin" in answer.headers) == is_allowed, origin
