"""Events that a caller puts, and patterns that a caller tries."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from labs_helpers.sandbox.events import patterns
from labs_helpers.sandbox.events.call import EventsCall
from labs_helpers.sandbox.service.errors import ValidationError
from labs_helpers.sandbox.service.events import event
from labs_helpers.sandbox.service.service import Members

_LARGEST = 1024 * 1024
"""Bytes of an entry.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size; 256 KiB
until January 2026.
"""
_NEEDED = ("source", "detail-type", "detail", "account", "time", "id", "region", "resources")


def put_events(call: EventsCall, params: Members) -> Members:
    """Give events to the rules of a bus; an entry that is refused does not keep the others back.

    An event for a bus that does not exist is taken and dropped, as AWS does.
    https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html
    """
    answers = []
    for entry in params["Entries"]:
        refused = _refusal(entry)
        if refused is not None:
            code, words = refused
            answers.append({"ErrorCode": code, "ErrorMessage": words})
            continue
        at: datetime = entry.get("Time") or call.clock.now()
        made = event(
            entry["Source"],
            entry["DetailType"],
            call.account,
            call.region,
            at,
            json.loads(entry["Detail"]),
            entry.get("Resources", ()),
        )
        place, bus = call.named(entry.get("EventBusName"))
        call.router.offer(place, bus, made)
        answers.append({"EventId": made["id"]})
    failed = sum("ErrorCode" in each for each in answers)
    return {"FailedEntryCount": failed, "Entries": answers}


def test_event_pattern(call: EventsCall, params: Members) -> Members:
    """Whether an event matches a pattern.

    https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TestEventPattern.html
    """
    pattern = patterns.parse(params["EventPattern"])
    try:
        given = json.loads(params["Event"])
    except (ValueError, RecursionError) as error:
        raise ValidationError("Parameter Event is not valid. Reason: Invalid JSON.") from error
    if not isinstance(given, dict):
        raise ValidationError("Parameter Event is not valid. Reason: It must be an object.")
    for name in _NEEDED[:2]:
        if name not in given:
            raise ValidationError(
                f"Parameter Event is not valid. Reason: {name} is required and is missing."
            )
    return {"Result": pattern.matches(given)}


def _refusal(entry: dict[str, Any]) -> tuple[str, str] | None:
    """Code and words for an entry that EventBridge does not take."""
    for name in ("Source", "DetailType", "Detail"):
        if not str(entry.get(name) or "").strip():
            words = f"Parameter {name} is not valid. Reason: {name} is a required argument."
            return "InvalidArgument", words
    if entry["Source"].startswith("aws."):
        return "NotAuthorizedForSourceException", "Not authorized for the source."
    if _size(entry) > _LARGEST:
        words = f"Total size of the entry in the request is over the limit ({_LARGEST} bytes)."
        return "InvalidArgument", words
    try:
        detail = json.loads(entry["Detail"])
    except (ValueError, RecursionError):
        detail = None
    if not isinstance(detail, dict):
        return "MalformedDetail", "Detail is malformed."
    return None


def _size(entry: dict[str, Any]) -> int:
    texts = [entry["Source"], entry["DetailType"], entry["Detail"], *entry.get("Resources", ())]
    return 14 * bool(entry.get("Time")) + sum(len(each.encode()) for each in texts)
