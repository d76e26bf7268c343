"""Another account's administrator is let in by a policy of the resource, and by nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.policies import policy
from tests.sandbox.authorization.people_here import ACCOUNT, OTHER, People, Person, refusal_of
from tests.sandbox.sandbox_process import REGION, Running

REFUSED = {
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "UnauthorizedOperation",
    "ValidationException",
    "ValidationError",
}


@dataclass
class Things:
    """What the learner's account has."""

    queue: str
    topic: str
    subscription: str
    key: str
    secret: str
    bucket: str
    stack: str
    change_set: str
    rule: str
    target_group: str


@pytest.fixture(scope="module")
def things(sandbox: Running) -> Things:
    sqs, sns = sandbox.client("sqs"), sandbox.client("sns")
    queue = sqs.create_queue(QueueName="ours")["QueueUrl"]
    topic = sns.create_topic(Name="ours")["TopicArn"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:ours"
    subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)["SubscriptionArn"]
    key = sandbox.client("kms").create_key()["KeyMetadata"]["Arn"]
    secrets = sandbox.client("secretsmanager")
    secret = secrets.create_secret(Name="ours", SecretString="hidden")["ARN"]
    sandbox.client("s3").create_bucket(
        Bucket="ours", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    sandbox.client("dynamodb").create_table(
        TableName="ours",
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    sandbox.client("logs").create_log_group(logGroupName="ours")
    sandbox.client("ssm").put_parameter(Name="/ours", Value="v", Type="String")
    sandbox.client("ecs").create_cluster(clusterName="ours")
    rule = sandbox.client("events").put_rule(Name="ours", ScheduleExpression="rate(1 day)")
    sandbox.client("events").create_event_bus(Name="ours")
    template = json.dumps({"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}})
    stacks = sandbox.client("cloudformation")
    stack = stacks.create_stack(StackName="ours", TemplateBody=template)["StackId"]
    further = json.dumps({"Resources": {"Q": {"Type": "AWS::SQS::Queue"},
                                        "R": {"Type": "AWS::SQS::Queue"}}})  # fmt: skip
    change = stacks.create_change_set(
        StackName="ours", ChangeSetName="more", TemplateBody=further, ChangeSetType="UPDATE"
    )["Id"]
    vpc = sandbox.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    groups = sandbox.client("elbv2").create_target_group(
        Name="ours", Protocol="HTTP", Port=80, VpcId=vpc
    )["TargetGroups"]
    return Things(
        queue, topic, subscription, key, secret, "ours", stack, change,
        rule["RuleArn"], groups[0]["TargetGroupArn"],
    )  # fmt: skip


@pytest.fixture(scope="module")
def stranger(people: People) -> Person:
    """The administrator of another account, who has things of the same names."""
    who = people.of_account(OTHER)
    who.client("sqs").create_queue(QueueName="ours")
    who.client("sns").create_topic(Name="ours")
    who.client("secretsmanager").create_secret(Name="ours", SecretString="theirs")
    who.client("logs").create_log_group(logGroupName="ours")
    who.client("ecs").create_cluster(clusterName="ours")
    who.client("events").create_event_bus(Name="ours")
    return who


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


TAGS = [{"Key": "k", "Value": "v"}]
SECRET, BUS = arn("secretsmanager", "secret:ours"), arn("events", "event-bus/ours")

CALLS: list[tuple[str, str, Callable[[Things], dict[str, Any]]]] = [
    ("sqs", "send_message", lambda t: {"QueueUrl": t.queue, "MessageBody": "m"}),
    ("sqs", "receive_message", lambda t: {"QueueUrl": t.queue}),
    ("sqs", "delete_queue", lambda t: {"QueueUrl": t.queue}),
    ("sqs", "get_queue_url", lambda t: {"QueueName": "ours", "QueueOwnerAWSAccountId": ACCOUNT}),
    ("sqs", "send_message_batch",
     lambda t: {"QueueUrl": t.queue, "Entries": [{"Id": "1", "MessageBody": "m"}]}),
    ("sns", "publish", lambda t: {"TopicArn": t.topic, "Message": "m"}),
    ("sns", "publish", lambda t: {"TargetArn": t.topic, "Message": "m"}),
    ("sns", "publish_batch",
     lambda t: {"TopicArn": t.topic, "PublishBatchRequestEntries": [{"Id": "1", "Message": "m"}]}),
    ("sns", "subscribe",
     lambda t: {"TopicArn": t.topic, "Protocol": "sqs",
                "Endpoint": f"arn:aws:sqs:{REGION}:{OTHER}:ours"}),
    ("sns", "delete_topic", lambda t: {"TopicArn": t.topic}),
    ("sns", "unsubscribe", lambda t: {"SubscriptionArn": t.subscription}),
    ("sns", "set_topic_attributes",
     lambda t: {"TopicArn": t.topic, "AttributeName": "DisplayName", "AttributeValue": "x"}),
    ("sns", "tag_resource", lambda t: {"ResourceArn": t.topic, "Tags": TAGS}),
    ("kms", "encrypt", lambda t: {"KeyId": t.key, "Plaintext": b"x"}),
    ("kms", "describe_key", lambda t: {"KeyId": t.key}),
    ("kms", "create_grant",
     lambda t: {"KeyId": t.key, "GranteePrincipal": f"arn:aws:iam::{OTHER}:root",
                "Operations": ["Decrypt"]}),
    ("kms", "schedule_key_deletion", lambda t: {"KeyId": t.key}),
    ("secretsmanager", "get_secret_value", lambda t: {"SecretId": t.secret}),
    ("secretsmanager", "get_secret_value", lambda t: {"SecretId": SECRET}),
    ("secretsmanager", "delete_secret", lambda t: {"SecretId": t.secret}),
    ("secretsmanager", "batch_get_secret_value", lambda t: {"SecretIdList": [t.secret]}),
    ("dynamodb", "get_item",
     lambda t: {"TableName": arn("dynamodb", "table/ours"), "Key": {"k": {"S": "1"}}}),
    ("dynamodb", "batch_get_item",
     lambda t: {"RequestItems": {arn("dynamodb", "table/ours"): {"Keys": [{"k": {"S": "1"}}]}}}),
    ("dynamodb", "transact_write_items",
     lambda t: {"TransactItems": [{"Put": {"TableName": arn("dynamodb", "table/ours"),
                                           "Item": {"k": {"S": "1"}}}}]}),
    ("logs", "filter_log_events", lambda t: {"logGroupIdentifier": arn("logs", "log-group:ours")}),
    ("logs", "tag_resource",
     lambda t: {"resourceArn": arn("logs", "log-group:ours"), "tags": {"k": "v"}}),
    ("ssm", "get_parameter", lambda t: {"Name": arn("ssm", "parameter/ours")}),
    ("ssm", "get_parameters", lambda t: {"Names": [arn("ssm", "parameter/ours")]}),
    ("s3", "list_objects_v2", lambda t: {"Bucket": t.bucket}),
    ("s3", "put_object", lambda t: {"Bucket": t.bucket, "Key": "k", "Body": b"x"}),
    ("s3", "delete_bucket", lambda t: {"Bucket": t.bucket}),
    ("ecs", "describe_clusters", lambda t: {"clusters": [arn("ecs", "cluster/ours")]}),
    ("ecs", "delete_cluster", lambda t: {"cluster": arn("ecs", "cluster/ours")}),
    ("ecs", "delete_cluster", lambda t: {"cluster": "x/ours"}),
    ("cloudformation", "describe_stacks", lambda t: {"StackName": t.stack}),
    ("cloudformation", "delete_stack", lambda t: {"StackName": t.stack}),
    ("cloudformation", "describe_change_set", lambda t: {"ChangeSetName": t.change_set}),
    ("cloudformation", "execute_change_set",
     lambda t: {"ChangeSetName": t.change_set, "StackName": "mine"}),
    ("events", "put_events",
     lambda t: {"Entries": [{"Source": "s", "DetailType": "d", "Detail": "{}",
                             "EventBusName": BUS}]}),
    ("events", "put_rule",
     lambda t: {"Name": "r", "EventPattern": "{}", "EventBusName": BUS}),
    ("events", "list_rules", lambda t: {"EventBusName": BUS}),
    ("events", "describe_event_bus", lambda t: {"Name": BUS}),
    ("events", "tag_resource",
     lambda t: {"ResourceARN": t.rule, "Tags": TAGS}),
    ("elbv2", "delete_target_group", lambda t: {"TargetGroupArn": t.target_group}),
    ("elbv2", "add_tags",
     lambda t: {"ResourceArns": [t.target_group], "Tags": TAGS}),
    ("cloudwatch", "tag_resource",
     lambda t: {"ResourceARN": arn("cloudwatch", "alarm:a"), "Tags": TAGS}),
    ("resourcegroupstaggingapi", "tag_resources",
     lambda t: {"ResourceARNList": [t.topic], "Tags": {"k": "v"}}),
    ("resourcegroupstaggingapi", "untag_resources",
     lambda t: {"ResourceARNList": [arn("sqs", "ours")], "TagKeys": ["k"]}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    CALLS,
    ids=[f"{number} {call[0]} {call[1]}" for number, call in enumerate(CALLS)],
)
def test_a_stranger_is_refused(
    things: Things,
    stranger: Person,
    service: str,
    operation: str,
    params: Callable[[Things], dict[str, Any]],
) -> None:
    """Reported as D16."""
    status, code, message = refusal_of(stranger.client(service), operation, **params(things))
    assert status in (400, 403)
    assert code in REFUSED, message


def let_in(action: str, resource: str) -> str:
    return policy(
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{OTHER}:root"},
            "Action": action,
            "Resource": resource,
        }
    )


def test_the_policy_of_a_queue_lets_a_message_into_the_queue_of_its_account(
    sandbox: Running, stranger: Person
) -> None:
    sqs = sandbox.client("sqs")
    url = sqs.create_queue(QueueName="shared")["QueueUrl"]
    stranger.client("sqs").create_queue(QueueName="shared")
    document = let_in("sqs:SendMessage", arn("sqs", "shared"))
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": document})
    stranger.client("sqs").send_message(QueueUrl=url, MessageBody="from afar")
    arrived = sqs.receive_message(QueueUrl=url).get("Messages", [])
    assert [each["Body"] for each in arrived] == ["from afar"]
    assert "no resource-based policy allows" in stranger.denied(
        "sqs", "receive_message", QueueUrl=url
    )


def test_the_policy_of_a_topic_a_secret_and_a_key_lets_a_stranger_in(
    sandbox: Running, stranger: Person
) -> None:
    topic = sandbox.client("sns").create_topic(Name="shared")["TopicArn"]
    sandbox.client("sns").set_topic_attributes(
        TopicArn=topic, AttributeName="Policy", AttributeValue=let_in("sns:Publish", topic)
    )
    assert stranger.client("sns").publish(TopicArn=topic, Message="m")["MessageId"]
    secrets = sandbox.client("secretsmanager")
    secret = secrets.create_secret(Name="shared", SecretString="told")["ARN"]
    secrets.put_resource_policy(
        SecretId=secret, ResourcePolicy=let_in("secretsmanager:GetSecretValue", "*")
    )
    told = stranger.client("secretsmanager").get_secret_value(SecretId=secret)
    assert told["SecretString"] == "told"
    key = sandbox.client("kms").create_key(Policy=let_in("kms:*", "*"))["KeyMetadata"]["Arn"]
    sealed = stranger.client("kms").encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    opened = stranger.client("kms").decrypt(CiphertextBlob=sealed, KeyId=key)
    assert opened["Plaintext"] == b"x"


def test_resources_of_two_accounts_in_one_request_are_refused_in_words(
    sandbox: Running, stranger: Person
) -> None:
    secrets = sandbox.client("secretsmanager")
    secret = secrets.create_secret(Name="two", SecretString="told")["ARN"]
    secrets.put_resource_policy(
        SecretId=secret, ResourcePolicy=let_in("secretsmanager:GetSecretValue", "*")
    )
    status, code, message = refusal_of(
        stranger.client("secretsmanager"), "batch_get_secret_value", SecretIdList=[secret, "ours"]
    )
    assert (status, code) == (501, "NotInSandbox")
    assert "on resources of several accounts" in message


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("ecs", "delete_cluster", {"cluster": f"arn:aws:ecs:eu-west-1:{ACCOUNT}:cluster/ours"}),
        ("sns", "delete_topic", {"TopicArn": f"arn:aws:sns:eu-west-1:{ACCOUNT}:ours"}),
        ("sqs", "purge_queue",
         {"QueueUrl": f"https://sqs.eu-west-1.amazonaws.com/{ACCOUNT}/ours"}),
        ("logs", "filter_log_events",
         {"logGroupIdentifier": f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:ours"}),
    ],
)  # fmt: skip
def test_a_resource_of_another_region_is_not_the_one_of_the_same_name_here(
    sandbox: Running, things: Things, service: str, operation: str, params: dict[str, Any]
) -> None:
    status, code, message = refusal_of(sandbox.client(service), operation, **params)
    assert (status, code) == (400, "ValidationException")
    assert f"is in the region eu-west-1; the request was sent to {REGION}" in message


def test_a_bucket_notifies_no_topic(sandbox: Running, stranger: Person) -> None:
    theirs = stranger.client("sns").create_topic(Name="theirs")["TopicArn"]
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket="notifies", CreateBucketConfiguration={"LocationConstraint": REGION})
    told = {"TopicArn": theirs, "Events": ["s3:ObjectCreated:*"]}
    wanted = {"Bucket": "notifies", "NotificationConfiguration": {"TopicConfigurations": [told]}}
    status, code, message = refusal_of(s3, "put_bucket_notification_configuration", **wanted)
    assert (status, code) == (501, "NotInSandbox")
    assert "A bucket here sends no events." in message
