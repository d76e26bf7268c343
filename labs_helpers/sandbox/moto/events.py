"""Delivery of events to the rules and targets of moto's EventBridge.

tests/sandbox/moto/test_events.py holds each thing used here true for the pinned version.
moto's own delivery is not used, nor for the events of PutEvents (deliveries.py): moto leaves
the account out of the event, sends to disabled rules, asks no policy, gives up at the first target
that fails, and does not know SNS.

Nothing of moto is imported for a service that nobody has called: a rule, a queue, a log group and
a topic exist only where moto's service is loaded or has a state on disk.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labs_helpers.sandbox.ecr.events import Event
from labs_helpers.sandbox.events import inputs, permission
from labs_helpers.sandbox.events.permission import NotLetIn, Sender
from labs_helpers.sandbox.moto.kept.state import changing
from labs_helpers.sandbox.moto.resources import Arn, backend, parsed
from labs_helpers.sandbox.service.errors import AccessDenied

log = logging.getLogger(__name__)

BUS = "default"
"""The bus that events of AWS services arrive on:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus.html"""


AsRole = Callable[[str, str, Mapping[str, tuple[str, ...]], str, str], None]
"""(role, service, condition keys, action, resource): raises AccessDenied when a service may not
take the role, or the role may not do the action on the resource."""


class Unreachable(Exception):
    """A target that the sandbox cannot send to; the message says why."""


@dataclass(frozen=True)
class _Sending:
    """One message to send: its rule, its destination, and the target as PutTargets had it."""

    sender: Sender
    arn: Arn
    message: str
    target: Mapping[str, Any]

    as_role: AsRole

    def require(self, action: str, resource: str, policies: Sequence[str]) -> None:
        """Raises NotLetIn, or AccessDenied for the role that the target has.

        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-identity-based.html
        """
        if role := self.target.get("RoleArn"):
            self.as_role(role, permission.SERVICE, self.sender.keys, action, resource)
        else:
            permission.require(self.sender, action, resource, policies)


def publish(event: Event, as_role: AsRole) -> None:
    """Give an event to every target of every rule that wants it, in the rules' order.

    A rule or a target that fails is logged, and the others still get the event.
    """
    with changing():
        for rule in _rules(event["account"], event["region"]):
            offer(rule, event, as_role)


def offer(rule: Any, event: Mapping[str, Any], as_role: AsRole) -> None:
    """Give an event to every target of a rule that wants the event.

    A target that fails does not keep the event from the others.
    """
    try:
        wanted = _wants(rule, event)
    except Exception:
        # moto's matcher meets whatever a learner wrote
        log.exception("the pattern of the rule %s cannot be matched", rule.arn)
        return
    if wanted:
        for target in list(rule.targets):
            _try(rule, target, event, as_role)


def _rules(account: str, region: str) -> list[Any]:
    """The rules of the default bus; none while nobody has called EventBridge there."""
    state = backend("events", account, region)
    bus = None if state is None else state.event_buses.get(BUS)
    return [] if bus is None else list(bus.rules.values())


def _wants(rule: Any, event: Mapping[str, Any]) -> bool:
    """Whether an enabled rule's pattern takes an event; a rule of a schedule has no pattern."""
    pattern = rule.event_pattern
    return rule.state != "DISABLED" and bool(pattern.get_pattern()) and pattern.matches_event(event)


def _try(rule: Any, target: Mapping[str, Any], event: Mapping[str, Any], as_role: AsRole) -> None:
    what = (event["detail-type"], event["id"], target["Arn"], rule.arn)
    try:
        arn = _arn(target["Arn"])
        deliver = _TARGETS.get(arn.service)
        if deliver is None:
            raise Unreachable(f"the sandbox does not send events to {arn.service}")
        sender = Sender(rule.arn, event["account"])
        text = inputs.message(target, event, rule.arn)
        deliver(_Sending(sender, arn, text, target, as_role))
    except (Unreachable, NotLetIn, AccessDenied, inputs.BadInput) as error:
        log.warning("%s %s did not reach %s, a target of %s: %s", *what, error)
    except Exception:
        # moto's services refuse in many ways: a message that is too long, a wrong group
        log.exception("%s %s did not reach %s, a target of %s", *what)
    else:
        log.info("%s %s went to %s, a target of %s", *what)


def _to_queue(sending: _Sending) -> None:
    queues = backend("sqs", sending.arn.account, sending.arn.region)
    queue = None if queues is None else queues.queues.get(sending.arn.resource)
    if queue is None:
        raise Unreachable("there is no such queue")
    sending.require("sqs:SendMessage", str(sending.arn), [queue.policy] if queue.policy else [])
    queues.send_message(
        queue_name=sending.arn.resource,
        message_body=sending.message,
        group_id=sending.target.get("SqsParameters", {}).get("MessageGroupId"),
    )


def _to_log_group(sending: _Sending) -> None:
    name = sending.arn.resource.removeprefix("log-group:").removesuffix(":*")
    logs = backend("logs", sending.arn.account, sending.arn.region)
    if logs is None or name not in logs.groups:
        raise Unreachable("there is no such log group")
    stream = str(uuid.uuid4())
    resource = sending.arn.of(f"log-group:{name}:log-stream:{stream}")
    policies = [policy.policy_document for policy in logs.resource_policies.values()]
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        sending.require(action, resource, policies)
    logs.create_log_stream(name, stream)
    # real time, as in every other log here: moto refuses what lies hours ahead of it
    entry = {"timestamp": int(time.time() * 1000), "message": sending.message}
    logs.put_log_events(name, stream, [entry])


def _to_topic(sending: _Sending) -> None:
    arn = str(sending.arn)
    topics = backend("sns", sending.arn.account, sending.arn.region)
    topic = None if topics is None else topics.topics.get(arn)
    if topic is None:
        raise Unreachable("there is no such topic")
    sending.require("sns:Publish", arn, [topic.policy])
    topics.publish(message=sending.message, arn=arn)


_TARGETS: dict[str, Callable[[_Sending], None]] = {
    "sqs": _to_queue,
    "logs": _to_log_group,
    "sns": _to_topic,
}


def _arn(text: str) -> Arn:
    found = parsed(text)
    if found is None:
        raise Unreachable("that is no ARN")
    return found
