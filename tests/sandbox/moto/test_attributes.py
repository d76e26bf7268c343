"""Attributes of queues and topics: those that AWS has, and no field of moto's."""

from __future__ import annotations

import json

import pytest

from tests.policies import policy
from tests.sandbox.authorization.people_here import refusal_of
from tests.sandbox.sandbox_process import Running

ARN = "arn:aws:sqs:us-west-2:123456789012:kept"
LET_IN = policy(
    {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": ARN,
    }
)


def test_a_queue_keeps_its_policy_when_another_attribute_is_set(sandbox: Running) -> None:
    sqs = sandbox.client("sqs")
    url = sqs.create_queue(QueueName="kept", Attributes={"Policy": LET_IN})["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "7"})
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert json.loads(found["Policy"]) == json.loads(LET_IN)
    assert found["VisibilityTimeout"] == "7"
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    assert (
        "Policy" not in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    )


@pytest.mark.parametrize("name", ["QueueArn", "CreatedTimestamp", "LastModifiedTimestamp"])
def test_what_a_queue_says_of_itself_cannot_be_set(sandbox: Running, name: str) -> None:
    sqs = sandbox.client("sqs")
    url = sqs.create_queue(QueueName="attributes")["QueueUrl"]
    status, code, message = refusal_of(
        sqs, "set_queue_attributes", QueueUrl=url, Attributes={name: "x"}
    )
    assert (status, code) == (400, "InvalidAttributeName")
    assert message == f"Unknown Attribute {name}."


@pytest.mark.parametrize("name", ["Arn", "AccountId", "Name", "SnsBackend", "Publish"])
def test_a_topic_has_no_other_attribute(sandbox: Running, name: str) -> None:
    sns = sandbox.client("sns")
    topic = sns.create_topic(Name="attributes")["TopicArn"]
    wanted = {"TopicArn": topic, "AttributeName": name, "AttributeValue": "x"}
    status, code, _ = refusal_of(sns, "set_topic_attributes", **wanted)
    assert (status, code) == (400, "InvalidParameter")
    made = {"Name": "more", "Attributes": {name: "x"}}
    assert refusal_of(sns, "create_topic", **made)[:2] == (400, "InvalidParameter")
    sns.set_topic_attributes(TopicArn=topic, AttributeName="DisplayName", AttributeValue="d")
    found = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert (found["TopicArn"], found["DisplayName"]) == (topic, "d")
