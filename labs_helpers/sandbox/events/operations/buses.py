"""Event buses and their policies."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from labs_helpers.sandbox.events import store
from labs_helpers.sandbox.events.call import Bus, EventsCall
from labs_helpers.sandbox.events.errors import AlreadyExists, LimitExceeded, NotFound
from labs_helpers.sandbox.policy import document
from labs_helpers.sandbox.service.errors import ValidationError, not_here
from labs_helpers.sandbox.service.service import Members

_BUSES = 100
"""Buses of an account and region, the default bus among them.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
"""
_POLICY_SIZE = 10240
_ABSENT = {
    "EventSourceName": "No partner sends events here. Leave the parameter out.",
    "KmsKeyIdentifier": "Events are not encrypted here. Leave the parameter out.",
    "DeadLetterConfig": "Only a target of a rule has a dead-letter queue here (PutTargets).",
    "LogConfig": "A bus writes no log here. Give a rule a log group as its target.",
}
_ARCHIVE = "Events are not archived here. Give a rule a log group as its target to keep events."
_OUT = "The sandbox connects to no other machine, so it would send no event there."
_PARTNER = "No partner sends events here. Put events of your own with PutEvents."
_ENDPOINT = "The sandbox has no endpoint that spans regions. Put events with PutEvents."
NOT_BUILT = {
    **dict.fromkeys(
        (
            *("CreateArchive", "DeleteArchive", "DescribeArchive", "ListArchives", "UpdateArchive"),
            *("CancelReplay", "DescribeReplay", "ListReplays", "StartReplay"),
        ),
        _ARCHIVE,
    ),
    **dict.fromkeys(
        (
            "CreateApiDestination",
            "CreateConnection",
            "DeauthorizeConnection",
            "DeleteApiDestination",
            "DeleteConnection",
            "DescribeApiDestination",
            "DescribeConnection",
            "ListApiDestinations",
            "ListConnections",
            "UpdateApiDestination",
            "UpdateConnection",
        ),
        _OUT,
    ),
    **dict.fromkeys(
        (
            "ActivateEventSource",
            "CreatePartnerEventSource",
            "DeactivateEventSource",
            "DeletePartnerEventSource",
            "DescribeEventSource",
            "DescribePartnerEventSource",
            "ListEventSources",
            "ListPartnerEventSourceAccounts",
            "ListPartnerEventSources",
            "PutPartnerEvents",
        ),
        _PARTNER,
    ),
    **dict.fromkeys(
        ("CreateEndpoint", "DeleteEndpoint", "DescribeEndpoint", "ListEndpoints", "UpdateEndpoint"),
        _ENDPOINT,
    ),
    "UpdateEventBus": "The members that it changes are without effect here.",
}


def create_event_bus(call: EventsCall, params: Members) -> Members:
    name, place = params["Name"], call.place
    for member, why in _ABSENT.items():
        if params.get(member):
            raise not_here(member, why)
    if "/" in name:
        raise ValidationError("Event bus name must not contain '/'.")
    tags = {each["Key"]: each["Value"] for each in params.get("Tags", [])}
    with call.store.write() as db:
        if store.bus(db, place, name) is not None:
            raise AlreadyExists(f"Event bus {name} already exists.")
        counted = "select count(*) from buses where account = ? and region = ? and name != ?"
        if db.execute(counted, (*place, store.BUS)).fetchone()[0] + 1 >= _BUSES:
            raise LimitExceeded()
        row = (*place, name, call.now, call.now, params.get("Description"), None, json.dumps(tags))
        db.execute("insert into buses values (?, ?, ?, ?, ?, ?, ?, ?)", row)
    described = {"Description": params["Description"]} if params.get("Description") else {}
    return {"EventBusArn": store.bus_arn(place, name), **described}


def delete_event_bus(call: EventsCall, params: Members) -> Members:
    """Delete a bus; a bus that does not exist is no error, and one with rules stays.

    https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeleteEventBus.html. AWS's words
    for a bus with rules are not public.
    """
    place, name = call.named(params["Name"])
    if name == store.BUS:
        raise ValidationError("Cannot delete event bus default.")
    key = (*place, name)
    with call.store.write() as db:
        rules = "select 1 from rules where account = ? and region = ? and bus = ? limit 1"
        if db.execute(rules, key).fetchone():
            raise ValidationError(f"Event bus {name} has rules. Delete the rules first.")
        db.execute("delete from buses where account = ? and region = ? and name = ?", key)
    return {}


def describe_event_bus(call: EventsCall, params: Members) -> Members:
    return _shown(call.bus(params.get("Name")))


def list_event_buses(call: EventsCall, params: Members) -> Members:
    place = call.place
    asked = "select name from buses where account = ? and region = ?"
    with call.store.read() as db:
        names = {store.BUS, *(row["name"] for row in db.execute(asked, place))}
    wanted = sorted(each for each in names if each.startswith(params.get("NamePrefix", "")))
    found, more = call.listed([([name], name) for name in wanted], params)
    return {"EventBuses": [_shown(call.bus(name)) for name in found], **more}


def put_permission(call: EventsCall, params: Members) -> Members:
    """Add a statement to the policy of a bus, or replace the policy.

    https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutPermission.html
    """
    bus = call.bus(params.get("EventBusName"))
    if params.get("Policy"):
        policy = _read(params["Policy"])
    else:
        policy = json.loads(bus.row["policy"] or '{"Version": "2012-10-17", "Statement": []}')
        statement = _statement(params, store.bus_arn(bus.place, bus.name))
        others = [each for each in _statements(policy) if each.get("Sid") != statement["Sid"]]
        policy["Statement"] = [*others, statement]
    text = json.dumps(policy, separators=(",", ":"))
    if len(text) > _POLICY_SIZE:
        raise LimitExceeded("The policy is longer than 10240 characters.")
    _keep(call, bus, text)
    return {}


def remove_permission(call: EventsCall, params: Members) -> Members:
    bus = call.bus(params.get("EventBusName"))
    if params.get("RemoveAllPermissions"):
        _keep(call, bus, None)
        return {}
    if not params.get("StatementId"):
        raise ValidationError("Parameter StatementId is not valid. Reason: it must be specified.")
    policy = json.loads(bus.row["policy"] or "{}")
    statements = _statements(policy)
    if not statements:
        raise NotFound("EventBus does not have a policy.")
    left = [each for each in statements if each.get("Sid") != params["StatementId"]]
    if len(left) == len(statements):
        raise NotFound("Statement with the provided id does not exist.")
    _keep(call, bus, json.dumps({**policy, "Statement": left}) if left else None)
    return {}


def _statement(params: Members, arn: str) -> dict[str, Any]:
    """The statement of the older form of PutPermission: an account, or everybody of an
    organization."""
    for name in ("Action", "Principal", "StatementId"):
        if not params.get(name):
            raise ValidationError(f"Parameter(s) {name} or Policy must be specified.")
    if params["Action"] != "events:PutEvents":
        raise ValidationError("Provided value in parameter 'action' is not supported.")
    who = params["Principal"]
    principal: Any = "*" if who == "*" else {"AWS": f"arn:aws:iam::{who}:root"}
    statement = {
        "Sid": params["StatementId"],
        "Effect": "Allow",
        "Principal": principal,
        "Action": params["Action"],
        "Resource": arn,
    }
    if found := params.get("Condition"):
        statement["Condition"] = {found["Type"]: {found["Key"]: found["Value"]}}
    return statement


def _read(text: str) -> dict[str, Any]:
    try:
        document.parse(text)
        policy: dict[str, Any] = json.loads(text)
    except (document.NotAPolicy, ValueError) as error:
        raise ValidationError(f"The policy cannot be read: {error}") from error
    return policy


def _statements(policy: dict[str, Any]) -> list[dict[str, Any]]:
    found = policy.get("Statement", [])
    return [found] if isinstance(found, dict) else found


def _keep(call: EventsCall, bus: Bus, text: str | None) -> None:
    with call.store.write() as db:
        db.execute(
            "insert into buses (account, region, name, created, modified, policy)"
            " values (?, ?, ?, ?, ?, ?) on conflict do update"
            " set policy = excluded.policy, modified = excluded.modified",
            (*bus.place, bus.name, call.now, call.now, text),
        )


def _shown(bus: Bus) -> Members:
    row = bus.row
    shown: Members = {"Name": bus.name, "Arn": store.bus_arn(bus.place, bus.name)}
    for member, column in (("Description", "description"), ("Policy", "policy")):
        if row[column]:
            shown[member] = row[column]
    if row["created"]:
        shown["CreationTime"] = datetime.fromtimestamp(row["created"], UTC)
        shown["LastModifiedTime"] = datetime.fromtimestamp(row["modified"], UTC)
    return shown
