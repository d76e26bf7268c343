"""Checks of the attributes of queues and topics: moto sets any field that a caller names.

A caller could give a topic the ARN of another, and write to queues in its name. Names:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html,
https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.moto import patches
from labs_helpers.sandbox.service.aws_errors import not_implemented
from labs_helpers.sandbox.service.refusal import Refusal

_OF_QUEUES = frozenset(
    [
        "ContentBasedDeduplication",
        "DeduplicationScope",
        "DelaySeconds",
        "FifoQueue",
        "FifoThroughputLimit",
        "KmsDataKeyReusePeriodSeconds",
        "KmsMasterKeyId",
        "MaximumMessageSize",
        "MessageRetentionPeriod",
        "Policy",
        "ReceiveMessageWaitTimeSeconds",
        "RedrivePolicy",
        "SqsManagedSseEnabled",
        "VisibilityTimeout",
    ]
)
_OF_TOPICS = frozenset(
    [
        "content_based_deduplication",
        "delivery_policy",
        "display_name",
        "fifo_topic",
        "kms_master_key_id",
        "policy",
    ]
)
"""As moto spells them, in the names of its fields."""

_NOT_KEPT = re.compile(
    "tracing_config|signature_version|archive_policy|data_protection_policy"
    "|fifo_throughput_scope|[a-z_]+_feedback_(?:role_arn|sample_rate)"
)


def install(service: str) -> None:
    """Put our checks before moto's, once a service that has attributes is called."""
    if service == "sqs":
        _of_queues()
    elif service == "sns":
        _of_topics()


def _of_queues() -> None:
    def set_attributes(queue: Any, attributes: Mapping[str, Any], now: Any = None) -> None:
        for name in attributes:
            if name == "RedriveAllowPolicy":
                raise not_implemented("the attribute RedriveAllowPolicy of a queue")
            if name not in _OF_QUEUES:
                raise Refusal("InvalidAttributeName", f"Unknown Attribute {name[:80]}.")
        # moto forgets the policy whenever another attribute is set
        kept = {} if "Policy" in attributes else {"Policy": queue.policy}
        own(queue, {**attributes, **kept}, now)

    own = patches.put("moto.sqs.models:Queue._set_attributes", set_attributes)


def _of_topics() -> None:
    from moto.core.utils import camelcase_to_underscores

    def create(backend: Any, name: str, attributes: Any = None, tags: Any = None) -> Any:
        for each in attributes or ():
            _check_of_topic(camelcase_to_underscores(each))
        return own_create(backend, name, attributes, tags)

    def set_one(backend: Any, topic_arn: str, name: str, value: Any) -> None:
        _check_of_topic(name)
        own_set(backend, topic_arn, name, value)

    own_create = patches.put("moto.sns.models:SNSBackend.create_topic", create)
    own_set = patches.put("moto.sns.models:SNSBackend.set_topic_attribute", set_one)


def _check_of_topic(name: str) -> None:
    if _NOT_KEPT.fullmatch(name):
        raise not_implemented(f"the attribute {name} of a topic")
    if name not in _OF_TOPICS:
        raise Refusal("InvalidParameter", "Invalid parameter: AttributeName")
