"""The effect of a request is on exactly the resource that its ARN names, and on no other."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.policies import allow, deny
from tests.sandbox.authorization.people_here import ACCOUNT, People, refusal_of
from tests.sandbox.sandbox_process import REGION, Running


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


@pytest.fixture(scope="module")
def people(sandbox: Running) -> People:
    return People(sandbox)


@pytest.fixture(scope="module")
def secrets(sandbox: Running) -> Any:
    client = sandbox.client("secretsmanager")
    for name in ("foo", "top"):
        client.create_secret(Name=name, SecretString=f"value of {name}")
    return client


@pytest.fixture(scope="module")
def foo(people: People) -> Any:
    """May do everything with the secrets whose names begin with foo."""
    rights = allow("secretsmanager:*", on=arn("secretsmanager", "secret:foo*"))
    return people.make("foo", rights).client("secretsmanager")


@pytest.mark.parametrize(
    ("operation", "more"),
    [
        ("get_secret_value", {}),
        ("put_secret_value", {"SecretString": "taken"}),
        ("update_secret", {"SecretString": "taken"}),
        ("delete_secret", {}),
        ("tag_resource", {"Tags": [{"Key": "a", "Value": "b"}]}),
        ("put_resource_policy", {"ResourcePolicy": json.dumps({"Statement": []})}),
    ],
)
def test_a_right_on_one_secret_is_none_on_another(
    foo: Any, secrets: Any, operation: str, more: dict[str, Any]
) -> None:
    for secret in ("secret:foo:top", "secret:foo-abcdef:top"):
        named = {"SecretId": arn("secretsmanager", secret), **more}
        _, code, _ = refusal_of(foo, operation, **named)
        assert code == "ValidationException"
    assert secrets.get_secret_value(SecretId="top")["SecretString"] == "value of top"


def test_a_deny_on_a_secret_holds_for_every_spelling(people: People, secrets: Any) -> None:
    top = secrets.describe_secret(SecretId="top")["ARN"]
    kept_out = people.make("kept-out", allow("*"), deny("secretsmanager:*", on=top))
    client = kept_out.client("secretsmanager")
    spellings = ["top", top, arn("secretsmanager", "secret:top"), top.replace(":top", ":x:top")]
    for each in spellings:
        refusal_of(client, "get_secret_value", SecretId=each)


REFERENCE = "/aws/reference/secretsmanager"


def test_a_reference_to_a_secret_needs_the_right_to_the_secret(
    people: People, secrets: Any
) -> None:
    reader = people.make("reader", allow("ssm:*")).client("ssm")
    name = f"{REFERENCE}/top"
    _, code, words = refusal_of(reader, "get_parameter", Name=name, WithDecryption=True)
    assert code == "AccessDeniedException"
    assert "secretsmanager:GetSecretValue" in words
    refusal_of(reader, "get_parameters", Names=["plain", name], WithDecryption=True)
    refusal_of(reader, "get_parameter_history", Name=name, WithDecryption=True)
    whole = arn("ssm", f"parameter{REFERENCE}/top")
    refusal_of(reader, "get_parameter", Name=whole, WithDecryption=True)
    refusal_of(reader, "get_parameters", Names=[name[1:]], WithDecryption=True)


def test_a_reference_to_a_secret_is_refused_in_words_even_with_both_rights(
    people: People, secrets: Any
) -> None:
    both = people.make(
        "both",
        allow("ssm:GetParameter"),
        allow("secretsmanager:GetSecretValue", on=arn("secretsmanager", "secret:top-??????")),
    )
    name = f"{REFERENCE}/top"
    found = refusal_of(both.client("ssm"), "get_parameter", Name=name, WithDecryption=True)
    assert found[:2] == (501, "NotInSandbox")


def test_a_key_is_found_by_its_own_arn_alone(sandbox: Running, people: People) -> None:
    kms = sandbox.client("kms")
    closed, mine = (kms.create_key()["KeyMetadata"] for _ in range(2))
    kms.create_alias(AliasName="alias/a1", TargetKeyId=closed["KeyId"])
    holder = people.make("holder", allow("kms:*"), deny("kms:*", on=[closed["Arn"]])).client("kms")
    spellings = [
        closed["Arn"],
        f"{closed['Arn']}:key/{mine['KeyId']}",
        f"{mine['Arn']}:key/{closed['KeyId']}",
        arn("kms", "alias/a1"),
        arn("kms", "alias/a1:alias/zz"),
        arn("kms", "x:alias/a1"),
        arn("kms", f"x/y:key/{closed['KeyId']}:key/z"),
        f"x/y:key/{closed['KeyId']}",
    ]
    for each in spellings:
        refusal_of(holder, "encrypt", KeyId=each, Plaintext=b"x")
    assert holder.encrypt(KeyId=mine["Arn"], Plaintext=b"x")["KeyId"] == mine["Arn"]


def test_a_subscription_is_ended_by_who_may_on_its_topic(sandbox: Running, people: People) -> None:
    sns = sandbox.client("sns")
    sandbox.client("sqs").create_queue(QueueName="q")
    sns.create_topic(Name="mine")
    topic = sns.create_topic(Name="sec")["TopicArn"]
    subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn("sqs", "q"))
    own = subscription["SubscriptionArn"]
    owner = people.make("owner", allow("sns:*", on=arn("sns", "mine"))).client("sns")
    refusal_of(owner, "unsubscribe", SubscriptionArn=own)
    refusal_of(owner, "unsubscribe", SubscriptionArn=own.replace(":sec:", ":mine:"))
    refusal_of(owner, "unsubscribe", SubscriptionArn=f"{arn('sns', 'mine')}:{own}")
    left = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert [each["SubscriptionArn"] for each in left] == [own]


def test_tags_go_to_the_rule_on_the_bus_of_the_arn(sandbox: Running) -> None:
    events, pattern = sandbox.client("events"), json.dumps({"source": ["a"]})
    events.create_event_bus(Name="other")
    for bus in ("default", "other"):
        events.put_rule(Name="twice", EventBusName=bus, EventPattern=pattern)
    on_other = arn("events", "rule/other/twice")
    events.tag_resource(ResourceARN=on_other, Tags=[{"Key": "a", "Value": "b"}])
    assert events.list_tags_for_resource(ResourceARN=arn("events", "rule/twice"))["Tags"] == []
    assert len(events.list_tags_for_resource(ResourceARN=on_other)["Tags"]) == 1
    for wrong in ("rule/nobody/twice", "event-bus/twice", "rule/default/twice"):
        missing = {"ResourceARN": arn("events", wrong), "Tags": [{"Key": "a", "Value": "b"}]}
        _, code, _ = refusal_of(events, "tag_resource", **missing)
        assert code == "ResourceNotFoundException"


def test_nobody_puts_an_event_in_the_name_of_aws(sandbox: Running) -> None:
    entries = [
        {"Source": source, "DetailType": "d", "Detail": "{}"} for source in ("aws.ecr", "mine")
    ]
    told = sandbox.client("events").put_events(Entries=entries)
    assert told["FailedEntryCount"] == 1
    assert told["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"
    assert "EventId" in told["Entries"][1]


def test_a_rule_of_a_load_balancer_that_is_not_there_is_not_deleted(sandbox: Running) -> None:
    rule = arn("elasticloadbalancing", "listener-rule/net/l/1/2/3")
    _, code, _ = refusal_of(sandbox.client("elbv2"), "delete_rule", RuleArn=rule)
    assert code == "RuleNotFound"


def test_a_protocol_that_sns_does_not_have_is_refused(sandbox: Running) -> None:
    sns = sandbox.client("sns")
    topic = sns.create_topic(Name="protocols")["TopicArn"]
    for protocol in (" http", "http ", "gopher"):
        named = {"TopicArn": topic, "Protocol": protocol, "Endpoint": "http://127.0.0.1:9/"}
        _, code, words = refusal_of(sns, "subscribe", **named)
        assert code == "InvalidParameter", words
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []


def test_a_queue_of_another_host_is_no_queue(sandbox: Running) -> None:
    sqs = sandbox.client("sqs")
    sqs.create_queue(QueueName="hosted")
    for host in ("https://evil", "http://127.0.0.1.evil.org"):
        url = f"{host}/{ACCOUNT}/hosted"
        _, code, _ = refusal_of(sqs, "send_message", QueueUrl=url, MessageBody="x")
        assert code == "InvalidAddress"


TOPIC = {"T": {"Type": "AWS::SNS::Topic"}}


def test_a_change_set_of_a_stack_that_exists_is_an_update(sandbox: Running) -> None:
    stacks = sandbox.client("cloudformation")
    before = json.dumps({"Resources": TOPIC})
    after = json.dumps({"Resources": TOPIC | {"Q": {"Type": "AWS::SQS::Queue"}}})
    stack = stacks.create_stack(StackName="once", TemplateBody=before)["StackId"]
    named = {"StackName": "once", "TemplateBody": after}
    assert stacks.create_change_set(ChangeSetName="c1", **named)["StackId"] == stack
    by_id = {"StackName": stack, "TemplateBody": after}
    assert stacks.create_change_set(ChangeSetName="c2", **by_id)["StackId"] == stack
    _, code, words = refusal_of(
        stacks, "create_change_set", ChangeSetName="c3", ChangeSetType="CREATE", **named
    )
    assert code == "ValidationError"
    assert "already exists and cannot be created again" in words
    _, code, words = refusal_of(
        stacks, "create_change_set", ChangeSetName="c", StackName="none", TemplateBody=after
    )
    assert (code, words) == ("ValidationError", "Stack [none] does not exist")
    stacks.execute_change_set(ChangeSetName="c1", StackName="once")
    (left,) = [each for each in stacks.describe_stacks()["Stacks"] if each["StackName"] == "once"]
    assert (left["StackId"], left["StackStatus"]) == (stack, "UPDATE_COMPLETE")


@pytest.mark.parametrize(
    "value",
    [
        "{{resolve:secretsmanager:top}}",
        "a{{resolve:ssm:plain}}b",
        {"Fn::Sub": "{{resolve:ssm-secure:plain:1}}"},
    ],
)
def test_a_dynamic_reference_is_refused_by_name(sandbox: Running, value: Any) -> None:
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": value}}
    body = json.dumps({"Resources": {"T": topic}})
    stacks = sandbox.client("cloudformation")
    _, code, words = refusal_of(stacks, "create_stack", StackName="dyn", TemplateBody=body)
    assert code == "NotInSandbox"
    assert "{{resolve:" in words


def test_a_dynamic_reference_that_a_function_makes_is_not_followed(sandbox: Running) -> None:
    joined = {"Fn::Join": ["", ["{{resolve", ":ssm:plain}}"]]}
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": joined}}
    stacks = sandbox.client("cloudformation")
    stacks.create_stack(StackName="join", TemplateBody=json.dumps({"Resources": {"T": topic}}))
    (stack,) = stacks.describe_stacks(StackName="join")["Stacks"]
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
