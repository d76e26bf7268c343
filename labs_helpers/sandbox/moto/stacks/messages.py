"""Types of SNS, SQS, CloudWatch Logs and EventBridge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.moto.stacks.calls import Calls
from labs_helpers.sandbox.moto.stacks.kinds import (
    Kind,
    Made,
    Properties,
    given,
    kind,
    tags_of,
    text_of,
    undone_on_failure,
)

_QUEUE = (
    "ContentBasedDeduplication DelaySeconds FifoQueue MaximumMessageSize MessageRetentionPeriod "
    "ReceiveMessageWaitTimeSeconds RedrivePolicy VisibilityTimeout"
)
"""Properties of a queue that are attributes of the same name."""
_CHANGED = " ".join(sorted(set(_QUEUE.split()) - {"FifoQueue"}))


def _attributes(properties: Properties, names: str) -> dict[str, Any]:
    """The properties that are attributes, as texts."""
    return {
        name: text_of(value) if isinstance(value, Mapping) else value
        for name, value in given(properties, *names.split()).items()
    }


def _create_queue(calls: Calls, name: str, properties: Properties) -> Made:
    name = str(properties.get("QueueName", name))
    url = calls(
        "sqs",
        "CreateQueue",
        QueueName=name,
        Attributes=_attributes(properties, _QUEUE),
        tags={tag["Key"]: tag["Value"] for tag in tags_of(calls, properties)},
    )["QueueUrl"]
    arn = f"arn:aws:sqs:{calls.region}:{calls.account}:{name}"
    return Made(url, {"Arn": arn, "QueueName": name, "QueueUrl": url})


def _update_queue(calls: Calls, made: Made, properties: Properties) -> None:
    changed = _attributes(properties, _CHANGED)
    calls("sqs", "SetQueueAttributes", QueueUrl=made.physical_id, Attributes=changed)


def _delete_queue(calls: Calls, made: Made) -> None:
    calls("sqs", "DeleteQueue", QueueUrl=made.physical_id)


def _create_queue_policy(calls: Calls, name: str, properties: Properties) -> Made:
    policy = {"Policy": text_of(properties.get("PolicyDocument"))}
    done: list[Any] = []
    made = Made(name, properties={"Queues": done})
    with undone_on_failure(calls, made, _delete_queue_policy):
        for url in properties.get("Queues", ()):
            calls("sqs", "SetQueueAttributes", QueueUrl=url, Attributes=policy)
            done.append(url)
    return made


def _delete_queue_policy(calls: Calls, made: Made) -> None:
    for url in made.properties.get("Queues", ()):
        calls("sqs", "SetQueueAttributes", QueueUrl=url, Attributes={"Policy": ""})


def _create_topic(calls: Calls, name: str, properties: Properties) -> Made:
    name = str(properties.get("TopicName", name))
    attributes = _attributes(properties, "ContentBasedDeduplication DisplayName FifoTopic")
    arn = calls(
        "sns",
        "CreateTopic",
        Name=name,
        Attributes=attributes,
        Tags=tags_of(calls, properties),
    )["TopicArn"]
    made = Made(arn, {"TopicArn": arn, "TopicName": name})
    with undone_on_failure(calls, made, _delete_topic):
        for each in properties.get("Subscription", ()):
            calls("sns", "Subscribe", TopicArn=arn, **each)
    return made


def _delete_topic(calls: Calls, made: Made) -> None:
    calls("sns", "DeleteTopic", TopicArn=made.physical_id)


def _create_subscription(calls: Calls, name: str, properties: Properties) -> Made:
    return Made(calls("sns", "Subscribe", **properties)["SubscriptionArn"])


def _delete_subscription(calls: Calls, made: Made) -> None:
    calls("sns", "Unsubscribe", SubscriptionArn=made.physical_id)


def _create_group(calls: Calls, name: str, properties: Properties) -> Made:
    name = str(properties.get("LogGroupName", name))
    tags = {tag["Key"]: tag["Value"] for tag in tags_of(calls, properties)}
    calls("logs", "CreateLogGroup", logGroupName=name, tags=tags or None)
    arn = f"arn:aws:logs:{calls.region}:{calls.account}:log-group:{name}:*"
    made = Made(name, {"Arn": arn})
    with undone_on_failure(calls, made, _delete_group):
        _update_group(calls, made, properties)
    return made


def _update_group(calls: Calls, made: Made, properties: Properties) -> None:
    named = {"logGroupName": made.physical_id}
    days = properties.get("RetentionInDays")
    if days is not None:
        calls("logs", "PutRetentionPolicy", **named, retentionInDays=days)
    elif "RetentionInDays" in made.properties:
        calls("logs", "DeleteRetentionPolicy", **named)


def _delete_group(calls: Calls, made: Made) -> None:
    calls("logs", "DeleteLogGroup", logGroupName=made.physical_id)


def _create_rule(calls: Calls, name: str, properties: Properties) -> Made:
    made = Made(str(properties.get("Name", name)))
    made.attributes["Arn"] = _put_rule(calls, made.physical_id, properties)
    with undone_on_failure(calls, made, _delete_rule):
        _put_targets(calls, made, properties)
    return made


def _put_rule(calls: Calls, name: str, properties: Properties) -> str:
    as_they_are = given(properties, "Description", "ScheduleExpression", "State", "RoleArn")
    pattern = text_of(properties.get("EventPattern"))
    rule = calls("events", "PutRule", Name=name, EventPattern=pattern, **as_they_are)
    return str(rule["RuleArn"])


def _put_targets(calls: Calls, made: Made, properties: Properties) -> None:
    wanted = properties.get("Targets") or []
    kept = {target.get("Id") for target in wanted}
    listed = calls("events", "ListTargetsByRule", Rule=made.physical_id)["Targets"]
    if gone := [target["Id"] for target in listed if target["Id"] not in kept]:
        calls("events", "RemoveTargets", Rule=made.physical_id, Ids=gone)
    if wanted:
        calls("events", "PutTargets", Rule=made.physical_id, Targets=wanted)


def _update_rule(calls: Calls, made: Made, properties: Properties) -> None:
    _put_rule(calls, made.physical_id, properties)
    _put_targets(calls, made, properties)


def _delete_rule(calls: Calls, made: Made) -> None:
    _put_targets(calls, made, {})
    calls("events", "DeleteRule", Name=made.physical_id)


_RULE = "Description EventPattern ScheduleExpression State RoleArn Targets"

KINDS: dict[str, Kind] = {
    "AWS::SQS::Queue": kind(
        f"QueueName Tags {_QUEUE}",
        _create_queue,
        _delete_queue,
        attributes="Arn QueueName QueueUrl",
        update=_update_queue,
        changes=_CHANGED,
    ),
    "AWS::SQS::QueuePolicy": kind(
        "PolicyDocument Queues", _create_queue_policy, _delete_queue_policy
    ),
    "AWS::SNS::Topic": kind(
        "ContentBasedDeduplication DisplayName FifoTopic Subscription Tags TopicName",
        _create_topic,
        _delete_topic,
        attributes="TopicArn TopicName",
    ),
    "AWS::SNS::Subscription": kind(
        "Endpoint Protocol TopicArn", _create_subscription, _delete_subscription
    ),
    "AWS::Logs::LogGroup": kind(
        "LogGroupName RetentionInDays Tags",
        _create_group,
        _delete_group,
        attributes="Arn",
        update=_update_group,
        changes="RetentionInDays",
    ),
    "AWS::Events::Rule": kind(
        f"Name {_RULE}",
        _create_rule,
        _delete_rule,
        attributes="Arn",
        update=_update_rule,
        changes=_RULE,
    ),
}
