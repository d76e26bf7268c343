"""Queues, topics and log groups of moto's as targets of EventBridge's rules.

tests/sandbox/moto/test_event_targets.py holds each thing used here true for the pinned version.
Nothing of moto is imported for a service that nobody has called: a queue, a log group and a topic
exist only where moto's service is loaded or has a state on disk. What a target got is on disk when
its function returns.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping

from labs_helpers.sandbox.events.sending import Send, Sending, unreachable
from labs_helpers.sandbox.moto.backends import backend
from labs_helpers.sandbox.moto.kept.state import changing


def _to_queue(sending: Sending) -> None:
    queues = backend("sqs", *sending.place)
    queue = None if queues is None else queues.queues.get(sending.resource)
    if queue is None:
        raise unreachable("there is no such queue")
    sending.require("sqs:SendMessage", sending.arn, [queue.policy] if queue.policy else [])
    queues.send_message(
        queue_name=sending.resource,
        message_body=sending.message,
        message_attributes={
            name: {"DataType": "String", "StringValue": value}
            for name, value in (sending.attributes or {}).items()
        },
        group_id=sending.target.get("SqsParameters", {}).get("MessageGroupId"),
    )


def _to_log_group(sending: Sending) -> None:
    name = sending.resource.removeprefix("log-group:").removesuffix(":*")
    logs = backend("logs", *sending.place)
    if logs is None or name not in logs.groups:
        raise unreachable("there is no such log group")
    stream = str(uuid.uuid4())
    account, region = sending.place
    resource = f"arn:aws:logs:{region}:{account}:log-group:{name}:log-stream:{stream}"
    policies = [policy.policy_document for policy in logs.resource_policies.values()]
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        sending.require(action, resource, policies)
    logs.create_log_stream(name, stream)
    # real time, as in every other log here: moto refuses what lies hours ahead of it
    entry = {"timestamp": int(time.time() * 1000), "message": sending.message}
    logs.put_log_events(name, stream, [entry])


def _to_topic(sending: Sending) -> None:
    topics = backend("sns", *sending.place)
    topic = None if topics is None else topics.topics.get(sending.arn)
    if topic is None:
        raise unreachable("there is no such topic")
    sending.require("sns:Publish", sending.arn, [topic.policy])
    topics.publish(message=sending.message, arn=sending.arn)


def _kept(send: Send) -> Send:
    def sending(one: Sending) -> None:
        with changing():
            send(one)

    return sending


SENDERS: Mapping[str, Send] = {
    "logs": _kept(_to_log_group),
    "sns": _kept(_to_topic),
    "sqs": _kept(_to_queue),
}
"""By service, what sends."""
