"""Tags of rules and event buses."""

from __future__ import annotations

from labs_helpers.sandbox.events import tags
from labs_helpers.sandbox.events.call import EventsCall
from labs_helpers.sandbox.service.service import Members


def tag_resource(call: EventsCall, params: Members) -> Members:
    tags.tag(
        call.store, params["ResourceARN"], {each["Key"]: each["Value"] for each in params["Tags"]}
    )
    return {}


def untag_resource(call: EventsCall, params: Members) -> Members:
    tags.untag(call.store, params["ResourceARN"], params["TagKeys"])
    return {}


def list_tags_for_resource(call: EventsCall, params: Members) -> Members:
    found = tags.of(call.store, params["ResourceARN"])
    return {"Tags": [{"Key": key, "Value": value} for key, value in found.items()]}
