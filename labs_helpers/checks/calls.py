"""Who has called what since when, as CloudTrail's event history tells.

A call that changes nothing leaves no other trace: https://docs.aws.amazon.com/awscloudtrail/latest/
userguide/view-cloudtrail-events.html. On AWS a call shows there after some minutes, so a check that
finds none has no proof that nobody called.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from labs_helpers.checks.world import World

_REFUSED = "AccessDeniedException"


@dataclass(frozen=True)
class Called:
    """One call: when, with what, by which role ("" for a user), and the code of its refusal."""

    at: datetime
    params: Mapping[str, Any]
    role: str
    refused: str


def since(world: World, name: str, start: datetime, region: str | None = None) -> list[Called]:
    """The calls of an operation ("UpdateService") since a time, the newest first.

    region: where they were recorded, by default the lab's; AWS records those of IAM in us-east-1.
    Empty for who may not read the history: a check then judges by what there is.
    """
    client = world.client("cloudtrail", region)
    asked = client.get_paginator("lookup_events").paginate(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": name}], StartTime=start
    )
    try:
        found = [one for page in asked for one in page["Events"]]
    except client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] == _REFUSED:
            return []
        raise
    # the times of events are of whole seconds, and so is StartTime on its way
    return [
        _called(one["EventTime"], json.loads(one["CloudTrailEvent"]))
        for one in found
        if one["EventTime"] > start
    ]


def _called(at: datetime, record: Mapping[str, Any]) -> Called:
    """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/
    cloudtrail-event-reference-record-contents.html
    """
    session = record.get("userIdentity", {}).get("sessionContext", {})
    return Called(
        at,
        record.get("requestParameters") or {},
        str(session.get("sessionIssuer", {}).get("userName", "")),
        str(record.get("errorCode", "")),
    )
