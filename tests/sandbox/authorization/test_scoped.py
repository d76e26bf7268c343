"""A Deny by ARN holds in every open service, however the request spells the resource."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.policies import allow, deny
from tests.sandbox.authorization.people_here import ACCOUNT, People, Person, refusal_of
from tests.sandbox.sandbox_process import REGION, Running


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


CLOSED = [
    arn("sqs", "prod"),
    arn("sns", "prod"),
    arn("secretsmanager", "secret:prod-*"),
    arn("dynamodb", "table/prod*"),
    arn("ssm", "parameter/prod*"),
    arn("logs", "log-group:prod*"),
    arn("cloudwatch", "alarm:prod"),
    f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/prod",
    arn("elasticloadbalancing", "targetgroup/prod/*"),
    arn("cloudformation", "stack/prod/*"),
    arn("ecr", "repository/prod"),
    "arn:aws:s3:::prod-bucket/secret/*",
]


@pytest.fixture(scope="module")
def guarded(sandbox: Running, people: People) -> Person:
    """May do everything, but nothing to what is called prod, nor to one key and one group."""
    sandbox.client("sqs").create_queue(QueueName="prod")
    sandbox.client("sns").create_topic(Name="prod")
    sandbox.client("secretsmanager").create_secret(Name="prod", SecretString="hidden")
    sandbox.client("ssm").put_parameter(Name="/prod/a", Value="v", Type="String")
    sandbox.client("logs").create_log_group(logGroupName="prod")
    sandbox.client("ecr").create_repository(repositoryName="prod")
    key = sandbox.client("kms").create_key()["KeyMetadata"]
    sandbox.client("kms").create_alias(AliasName="alias/prod", TargetKeyId=key["KeyId"])
    ec2 = sandbox.client("ec2")
    group = ec2.create_security_group(GroupName="prod", Description="d")["GroupId"]
    closed = [*CLOSED, key["Arn"], arn("ec2", f"security-group/{group}")]
    sandbox.client("s3").create_bucket(
        Bucket="prod-bucket", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    return people.make("guarded", allow("*"), deny("*", on=closed))


CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("sqs", "purge_queue", {"QueueUrl": f"http://127.0.0.1/{ACCOUNT}/prod"}),
    ("sqs", "purge_queue", {"QueueUrl": "prod"}),
    ("sqs", "send_message_batch",
     {"QueueUrl": f"http://127.0.0.1/{ACCOUNT}/prod",
      "Entries": [{"Id": "1", "MessageBody": "m"}]}),
    ("sqs", "get_queue_url", {"QueueName": "prod"}),
    ("sns", "create_topic", {"Name": "prod"}),
    ("sns", "publish", {"TopicArn": arn("sns", "prod"), "Message": "m"}),
    ("sns", "publish",
     {"TopicArn": arn("sns", "dev"), "TargetArn": arn("sns", "prod"), "Message": "m"}),
    ("secretsmanager", "get_secret_value", {"SecretId": "prod"}),
    ("secretsmanager", "get_secret_value", {"SecretId": arn("secretsmanager", "secret:prod")}),
    ("secretsmanager", "batch_get_secret_value", {"SecretIdList": ["dev", "prod"]}),
    ("secretsmanager", "create_secret", {"Name": "prod-2", "SecretString": "s"}),
    ("dynamodb", "get_item", {"TableName": "prod", "Key": {"k": {"S": "1"}}}),
    ("dynamodb", "query", {"TableName": "prod", "IndexName": "by-name"}),
    ("dynamodb", "batch_get_item",
     {"RequestItems": {"dev": {"Keys": [{"k": {"S": "1"}}]},
                       "prod": {"Keys": [{"k": {"S": "1"}}]}}}),
    ("dynamodb", "transact_write_items",
     {"TransactItems": [{"Put": {"TableName": "dev", "Item": {}}},
                        {"Delete": {"TableName": "prod", "Key": {}}}]}),
    ("ssm", "get_parameter", {"Name": "/prod/a"}),
    ("ssm", "get_parameter", {"Name": "prod/a:1"}),
    ("ssm", "get_parameters", {"Names": ["/dev", "/prod/a"]}),
    ("ssm", "get_parameters_by_path", {"Path": "/prod/"}),
    ("ssm", "delete_parameters", {"Names": ["/dev", "/prod/a"]}),
    ("ssm", "add_tags_to_resource",
     {"ResourceType": "Parameter", "ResourceId": "/prod/a", "Tags": []}),
    ("kms", "encrypt", {"KeyId": "alias/prod", "Plaintext": b"x"}),
    ("kms", "encrypt", {"KeyId": arn("kms", "alias/prod"), "Plaintext": b"x"}),
    ("kms", "delete_alias", {"AliasName": "alias/prod"}),
    ("logs", "delete_log_group", {"logGroupName": "prod"}),
    ("logs", "tag_resource", {"resourceArn": arn("logs", "log-group:prod"), "tags": {"a": "b"}}),
    ("cloudwatch", "delete_alarms", {"AlarmNames": ["dev", "prod"]}),
    ("cloudwatch", "get_dashboard", {"DashboardName": "prod"}),
    ("cloudwatch", "delete_dashboards", {"DashboardNames": ["dev", "prod"]}),
    ("ec2", "authorize_security_group_ingress",
     {"GroupName": "prod", "IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "CidrIp": "0.0.0.0/0"}),
    ("ec2", "delete_security_group", {"GroupName": "prod"}),
    ("elbv2", "delete_target_group",
     {"TargetGroupArn": arn("elasticloadbalancing", "targetgroup/prod/1")}),
    ("elbv2", "add_tags",
     {"ResourceArns": [arn("elasticloadbalancing", "targetgroup/dev/1"),
                       arn("elasticloadbalancing", "targetgroup/prod/1")],
      "Tags": [{"Key": "k", "Value": "v"}]}),
    ("cloudformation", "delete_stack", {"StackName": "prod"}),
    ("resourcegroupstaggingapi", "tag_resources",
     {"ResourceARNList": [arn("sqs", "prod")], "Tags": {"a": "b"}}),
    ("resourcegroupstaggingapi", "untag_resources",
     {"ResourceARNList": [arn("sqs", "dev"), arn("ecr", "repository/prod")], "TagKeys": ["a"]}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    CALLS,
    ids=[f"{number} {call[0]} {call[1]}" for number, call in enumerate(CALLS)],
)
def test_a_deny_by_arn_holds(
    guarded: Person, service: str, operation: str, params: dict[str, Any]
) -> None:
    status, code, message = refusal_of(guarded.client(service), operation, **params)
    assert status in (400, 403)
    assert "with an explicit deny in an identity-based policy" in message, code


def test_a_change_set_is_of_its_stack_whatever_the_request_says(
    sandbox: Running, guarded: Person
) -> None:
    queue = {"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}
    more = {"Resources": {**queue["Resources"], "R": {"Type": "AWS::SQS::Queue"}}}
    stacks = sandbox.client("cloudformation")
    stacks.create_stack(StackName="prod", TemplateBody=json.dumps(queue))
    change = stacks.create_change_set(
        StackName="prod",
        ChangeSetName="more",
        TemplateBody=json.dumps(more),
        ChangeSetType="UPDATE",
    )["Id"]
    for operation in ("describe_change_set", "execute_change_set", "delete_change_set"):
        for named in ({}, {"StackName": "dev"}):
            said = guarded.denied("cloudformation", operation, ChangeSetName=change, **named)
            assert "stack/prod/" in said


def test_what_a_key_sealed_is_opened_with_a_right_to_that_key(
    sandbox: Running, guarded: Person, people: People
) -> None:
    sealed = sandbox.client("kms").encrypt(KeyId="alias/prod", Plaintext=b"x")["CiphertextBlob"]
    other = sandbox.client("kms").create_key()["KeyMetadata"]["Arn"]
    denied = "with an explicit deny in an identity-based policy"
    assert denied in guarded.denied("kms", "decrypt", CiphertextBlob=sealed)
    # naming another key does not help, whatever the sandbox makes of the key that is named
    assert denied in guarded.denied("kms", "decrypt", CiphertextBlob=sealed, KeyId=other)
    named = {"CiphertextBlob": sealed, "SourceKeyId": other, "DestinationKeyId": other}
    assert denied in guarded.denied("kms", "re_encrypt", **named)


def test_a_key_whose_policy_lets_nobody_in_is_closed_to_iams_policies(
    sandbox: Running, people: People
) -> None:
    own = people.make("own-key", allow("kms:*"))
    closed = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:*", '
        f'"Principal": {{"AWS": "arn:aws:iam::{ACCOUNT}:user/learner"}}, "Resource": "*"}}]}}'
    )
    key = sandbox.client("kms").create_key(Policy=closed)["KeyMetadata"]["KeyId"]
    said = own.denied("kms", "describe_key", KeyId=key)
    assert said.endswith("because no resource-based policy allows the kms:DescribeKey action")


def test_an_upload_in_parts_is_bound_to_its_key(sandbox: Running, guarded: Person) -> None:
    s3 = guarded.client("s3")
    mine = s3.create_multipart_upload(Bucket="prod-bucket", Key="open/k")["UploadId"]
    theirs = sandbox.client("s3").create_multipart_upload(Bucket="prod-bucket", Key="secret/k")
    other = {"Bucket": "prod-bucket", "Key": "open/k", "UploadId": theirs["UploadId"]}
    for operation, more in (
        ("upload_part", {"PartNumber": 1, "Body": b"x"}),
        ("list_parts", {}),
        ("complete_multipart_upload", {}),
        ("abort_multipart_upload", {}),
    ):
        assert refusal_of(s3, operation, **other, **more)[:2] == (404, "NoSuchUpload")
    wrong = {"Bucket": "prod-bucket", "Key": "open/other", "UploadId": mine}
    assert refusal_of(s3, "abort_multipart_upload", **wrong)[1] == "NoSuchUpload"
    # both uploads are still there
    for key, upload in (("open/k", mine), ("secret/k", theirs["UploadId"])):
        sandbox.client("s3").list_parts(Bucket="prod-bucket", Key=key, UploadId=upload)


def test_the_tagging_api_needs_the_services_own_action(sandbox: Running, people: People) -> None:
    only = people.make("only-tags", allow("tag:*"))
    sandbox.client("sqs").create_queue(QueueName="tagged")
    said = only.denied(
        "resourcegroupstaggingapi",
        "tag_resources",
        ResourceARNList=[arn("sqs", "tagged")],
        Tags={"a": "b"},
    )
    assert f"sqs:TagQueue on resource: {arn('sqs', 'tagged')}" in said


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("events", "put_rule", {"Name": "r", "ScheduleExpression": "rate(1 day)"}),
        ("events", "put_targets", {"Rule": "r"}),
        ("cloudformation", "create_stack_set", {"StackSetName": "s"}),
    ],
)
def test_a_role_is_not_handed_on_without_iam_passrole(
    people: People, service: str, operation: str, params: dict[str, Any]
) -> None:
    person = people.make(f"no-pass-{operation.replace('_', '-')}", allow(f"{service}:*"))
    role = f"arn:aws:iam::{ACCOUNT}:role/some"
    given = {
        "put_rule": {"RoleArn": role},
        "put_targets": {"Targets": [{"Id": "1", "Arn": arn("sqs", "q"), "RoleArn": role}]},
        "create_stack_set": {"AdministrationRoleARN": role, "TemplateBody": "{}"},
    }[operation]
    said = person.denied(service, operation, **params, **given)
    assert f"iam:PassRole on resource: {role}" in said
