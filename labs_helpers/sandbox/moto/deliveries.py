"""Messages between moto's services: each needs the permission of the receiver's policy.

moto sends without asking, and takes the account from an ARN of the caller's. Here a topic reaches a
queue of its own account whose policy lets Amazon SNS in:
https://docs.aws.amazon.com/sns/latest/dg/subscribe-sqs-queue-to-sns-topic.html.
AWS tells nobody when a message is not let in; sandbox.log does.
"""

from __future__ import annotations

import logging
from typing import Any

from labs_helpers.sandbox.events import permission
from labs_helpers.sandbox.events.permission import NotLetIn, Sender
from labs_helpers.sandbox.moto import patches
from labs_helpers.sandbox.moto.backends import parsed
from labs_helpers.sandbox.moto.resources import MotoResources

log = logging.getLogger(__name__)

SNS = "sns.amazonaws.com"


def install(service: str) -> None:
    """Replace moto's delivery by ours, once SNS is called."""
    if service == "sns":
        _of_sns()


def _of_sns() -> None:
    def publish(subscription: Any, *args: Any, **kwargs: Any) -> None:
        if subscription.protocol == "sqs":
            sender = Sender(subscription.topic_arn, subscription.account_id, SNS)
            if not _is_let_in(sender, subscription.endpoint):
                return
        own(subscription, *args, **kwargs)

    own = patches.put("moto.sns.models:Subscription.publish", publish)


def _is_let_in(sender: Sender, queue: str) -> bool:
    """Whether the policy of a queue, given by its ARN, lets the sender's service send to it."""
    arn = parsed(queue)
    if arn is None or arn.account != sender.account:
        log.warning("a message of %s did not reach %s in another account", sender.rule, queue)
        return False
    try:
        permission.require(sender, "sqs:SendMessage", queue, MotoResources().policies(queue))
    except NotLetIn as error:
        log.warning("a message of %s did not reach %s: %s", sender.rule, queue, error)
        return False
    return True
