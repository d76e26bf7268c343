"""What moto's services send to each other: each message is let in by the policy of where it goes.

moto sends without asking, and takes the account from an ARN of the caller's. Here a topic or a
bucket reaches a queue or a topic of its own account whose policy lets the service in:
https://docs.aws.amazon.com/sns/latest/dg/subscribe-sqs-queue-to-sns-topic.html,
https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html.
AWS tells nobody when a message is not let in; sandbox.log does.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from labs_helpers.sandbox.events import permission
from labs_helpers.sandbox.events.permission import NotLetIn, Sender
from labs_helpers.sandbox.moto import events, patches
from labs_helpers.sandbox.moto.events import AsRole
from labs_helpers.sandbox.moto.resources import MotoResources, parsed

log = logging.getLogger(__name__)

SNS, S3 = "sns.amazonaws.com", "s3.amazonaws.com"


def install(service: str, as_role: AsRole) -> None:
    """Put our deliveries into the place of moto's, once a service that sends is called."""
    if installer := _INSTALLERS.get(service):
        installer(as_role)


def _of_events(as_role: AsRole) -> None:
    def send_to_targets(rule: Any, original_event: Any, transform_input: bool = True) -> None:
        event = {**original_event, "time": _time(original_event.get("time"))}
        event.pop("ingestion-time", None)
        events.offer(rule, event, as_role)

    patches.put("moto.events.models:Rule.send_to_targets", send_to_targets)


def _of_sns(as_role: AsRole) -> None:
    def publish(subscription: Any, *args: Any, **kwargs: Any) -> None:
        if subscription.protocol == "sqs":
            sender = Sender(subscription.topic_arn, subscription.account_id, SNS)
            if not _is_let_in(sender, "sqs:SendMessage", subscription.endpoint):
                return
        own(subscription, *args, **kwargs)

    own = patches.put("moto.sns.models:Subscription.publish", publish)


def _of_s3(as_role: AsRole) -> None:
    def to_queue(account: str, body: Any, queue: str, region: str) -> None:
        arn = f"arn:aws:sqs:{region}:{account}:{queue}"
        if _is_let_in(_bucket(account, body), "sqs:SendMessage", arn):
            own_queue(account, body, queue, region)

    def to_topic(account: str, body: Any, topic: str, region: str) -> None:
        if _is_let_in(_bucket(account, body), "sns:Publish", topic):
            own_topic(account, body, topic, region)

    def to_event_bridge(account: str, bucket: Any, name: Any, key: Any) -> None:
        # without a call of EventBridge there is no rule
        if "moto.events.models" in sys.modules:
            _of_events(as_role)
            own_bridge(account, bucket, name, key)

    own_queue = patches.put("moto.s3.notifications:_send_sqs_message", to_queue)
    own_topic = patches.put("moto.s3.notifications:_send_sns_message", to_topic)
    own_bridge = patches.put("moto.s3.notifications:_send_event_bridge_message", to_event_bridge)


_INSTALLERS: Mapping[str, Callable[[AsRole], None]] = {
    "events": _of_events,
    "s3": _of_s3,
    "sns": _of_sns,
}


def _bucket(account: str, body: Any) -> Sender:
    """The bucket that a message is of: of an object's event, or of the test that S3 sends first."""
    records = body.get("Records")
    name = records[0]["s3"]["bucket"]["name"] if records else body["Bucket"]
    return Sender(f"arn:aws:s3:::{name}", account, S3)


def _is_let_in(sender: Sender, action: str, target: str) -> bool:
    arn = parsed(target)
    if arn is None or arn.account != sender.account:
        log.warning("a message of %s did not reach %s in another account", sender.rule, target)
        return False
    try:
        permission.require(sender, action, target, MotoResources().policies(target))
    except NotLetIn as error:
        log.warning("a message of %s did not reach %s: %s", sender.rule, target, error)
        return False
    return True


def _time(given: object) -> str:
    """The time of an event as AWS writes the time, of moto's seconds."""
    if isinstance(given, int | float):
        return datetime.fromtimestamp(given, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(given or "")
