"""An event of a service of AWS, in the shape in which EventBridge hands it to targets.

https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

Event = dict[str, Any]
"""The document of an event."""

Emit = Callable[[Event], None]
"""Gives an event to the rules of its account and region. Called after the commit."""


API_CALL = "AWS API Call via CloudTrail"
"""The detail-type of an event about a call:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html"""


def nobody(event: Event) -> None:
    """`Emit` where nothing listens."""


def event(
    source: str,
    detail_type: str,
    account: str,
    region: str,
    at: datetime,
    detail: Mapping[str, Any],
    resources: Sequence[str] = (),
) -> Event:
    """A new event with an id of its own; source: "aws.codebuild"; at: by the sandbox clock."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": account,
        "time": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": list(resources),
        "detail": dict(detail),
    }
