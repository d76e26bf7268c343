"""What the sandbox uses of moto's SQS, SNS and Logs, held true for the pinned version.

When this fails after an update of moto, event_targets.py needs a look.
"""

from __future__ import annotations

import json


def test_moto_has_what_the_delivery_reaches_for() -> None:
    from moto.logs.models import LogsBackend, logs_backends
    from moto.sns.models import SNSBackend, sns_backends
    from moto.sqs.models import SQSBackend, sqs_backends

    place = ("us-west-2", "123456789012")
    for backends in (logs_backends, sns_backends, sqs_backends):
        assert isinstance(backends, dict)
    queues, topics, logs = SQSBackend(*place), SNSBackend(*place), LogsBackend(*place)
    assert (queues.queues, topics.topics) == ({}, {})
    assert (logs.groups, logs.resource_policies) == ({}, {})
    queue = queues.create_queue("pushed", tags=None)
    assert not queue.policy
    assert json.loads(topics.create_topic("pushed").policy)["Statement"]
