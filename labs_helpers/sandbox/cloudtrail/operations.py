"""The operations of CloudTrail that read. There are no trails: what would deliver is refused.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html. AWS takes two
lookups a second and shows a call after some minutes; here neither limit nor delay is kept.
"""

from __future__ import annotations

from functools import partial

from labs_helpers.sandbox.cloudtrail import store
from labs_helpers.sandbox.cloudtrail.call import TrailCall
from labs_helpers.sandbox.service.errors import ServiceError, not_here
from labs_helpers.sandbox.service.service import Members
from labs_helpers.sandbox.service.validation import Invalid

_PAGE = 50


class _InvalidLookupAttributes(ServiceError):
    code = "InvalidLookupAttributesException"
    words = "Only one lookup attribute can be specified."


class _InvalidTimeRange(ServiceError):
    code = "InvalidTimeRangeException"
    words = "The start time is after the end time."


class _InvalidNextToken(ServiceError):
    code = "InvalidNextTokenException"
    words = "The token is not of this lookup."


class _TrailNotFound(ServiceError):
    code = "TrailNotFoundException"
    words = "Unknown trail: {trail} for the user: {account}"


def lookup_events(call: TrailCall, params: Members) -> Members:
    """Management events of the caller's account in the region, the newest first.

    AWS names the codes of the errors and not their words.
    """
    if params.get("EventCategory"):
        raise not_here("the operation cloudtrail:LookupEvents", "It has no Insights events.")
    attributes = params.get("LookupAttributes", [])
    if len(attributes) > 1:
        raise _InvalidLookupAttributes()
    attribute = (
        (attributes[0]["AttributeKey"], attributes[0]["AttributeValue"]) if attributes else None
    )
    between = (params.get("StartTime"), params.get("EndTime"))
    if between[0] and between[1] and between[0] > between[1]:
        raise _InvalidTimeRange()
    call.flush()
    asked = {
        "nextToken": params.get("NextToken"),
        "maxResults": params.get("MaxResults") or _PAGE,
    }
    with call.store.read() as db:
        found = partial(store.after, db, call.place, attribute, between)
        try:
            events, token = call.page_after(found, asked, str(attribute), str(between))
        except Invalid as error:
            raise _InvalidNextToken() from error
    return {"Events": events, "NextToken": token}


def describe_trails(call: TrailCall, params: Members) -> Members:
    """No trails."""
    return {"trailList": []}


def list_trails(call: TrailCall, params: Members) -> Members:
    """No trails."""
    return {"Trails": []}


def get_trail(call: TrailCall, params: Members) -> Members:
    """Raises TrailNotFoundException."""
    raise _TrailNotFound(trail=params["Name"], account=call.account)


def get_trail_status(call: TrailCall, params: Members) -> Members:
    """Raises TrailNotFoundException."""
    raise _TrailNotFound(trail=params["Name"], account=call.account)


def get_event_selectors(call: TrailCall, params: Members) -> Members:
    """Raises TrailNotFoundException."""
    raise _TrailNotFound(trail=params["TrailName"], account=call.account)


def get_insight_selectors(call: TrailCall, params: Members) -> Members:
    """Raises TrailNotFoundException."""
    raise _TrailNotFound(trail=params.get("TrailName"), account=call.account)
