"""Rules: put, looked at, listed, turned on and off, deleted."""

from __future__ import annotations

import json
from typing import Any

from labs_helpers.sandbox.events import schedules, store
from labs_helpers.sandbox.events.call import EventsCall
from labs_helpers.sandbox.events.errors import LimitExceeded, no_rule
from labs_helpers.sandbox.events.router import compiled
from labs_helpers.sandbox.events.ticks import TOPIC, due_after
from labs_helpers.sandbox.service.errors import ValidationError, not_here
from labs_helpers.sandbox.service.service import Members

_RULES = 300
"""Rules of a bus: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html"""
_STATES = ("ENABLED", "DISABLED")


def put_rule(call: EventsCall, params: Members) -> Members:
    """Make a rule, or replace one: what the request leaves out is gone, but for targets and tags.

    https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
    """
    bus, name = call.bus(params.get("EventBusName")), params["Name"]
    pattern, schedule = params.get("EventPattern") or None, params.get("ScheduleExpression") or None
    if pattern is None and schedule is None:
        raise ValidationError("Parameter(s) EventPattern or ScheduleExpression must be specified.")
    if schedule is not None and bus.name != store.BUS:
        raise ValidationError("ScheduleExpression is supported only on the default event bus.")
    if pattern is not None:
        compiled(pattern)
    state = params.get("State") or "ENABLED"
    if state not in _STATES:
        raise not_here(
            f"the state {state} of a rule",
            "Rules get the calls that may change something, and none that only read.",
        )
    enabled = state == "ENABLED"
    due = _due(call, schedule, enabled)
    kept = ("Description", "RoleArn")
    body = {each: params[each] for each in kept if params.get(each)}
    with call.store.write() as db:
        before = store.rule(db, bus.place, bus.name, name)
        if before is None:
            counted = "select count(*) from rules where account = ? and region = ? and bus = ?"
            if db.execute(counted, (*bus.place, bus.name)).fetchone()[0] >= _RULES:
                raise LimitExceeded()
            body["CreatedBy"] = call.account
            tags = {each["Key"]: each["Value"] for each in params.get("Tags", [])}
        else:
            body["CreatedBy"], tags = before["body"]["CreatedBy"], before["tags"]
        db.execute(
            "insert into rules values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do update set"
            " enabled = excluded.enabled, pattern = excluded.pattern, schedule = excluded.schedule,"
            " due = excluded.due, body = excluded.body",
            (
                *(*bus.place, bus.name, name),
                *(enabled, pattern, schedule, due, json.dumps(body), json.dumps(tags)),
            ),
        )
        call.store.notify(TOPIC)
    return {"RuleArn": store.rule_arn(bus.place, bus.name, name)}


def describe_rule(call: EventsCall, params: Members) -> Members:
    bus = call.bus(params.get("EventBusName"))
    with call.store.read() as db:
        row = store.rule(db, bus.place, bus.name, params["Name"])
    if row is None:
        raise no_rule(params["Name"], bus.name)
    return _shown(row) | {"CreatedBy": row["body"]["CreatedBy"]}


def list_rules(call: EventsCall, params: Members) -> Members:
    bus = call.bus(params.get("EventBusName"))
    asked = "select * from rules where account = ? and region = ? and bus = ? order by name"
    with call.store.read() as db:
        rows = [store.read(row) for row in db.execute(asked, (*bus.place, bus.name))]
    prefix = params.get("NamePrefix", "")
    wanted = [([row["name"]], row) for row in rows if row["name"].startswith(prefix)]
    found, more = call.listed(wanted, params, bus.name, prefix)
    return {"Rules": [_shown(row) for row in found], **more}


def enable_rule(call: EventsCall, params: Members) -> Members:
    return _turn(call, params, enabled=True)


def disable_rule(call: EventsCall, params: Members) -> Members:
    return _turn(call, params, enabled=False)


def delete_rule(call: EventsCall, params: Members) -> Members:
    """Delete a rule without targets; a rule that does not exist is no error.

    https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeleteRule.html
    """
    bus, name = call.bus(params.get("EventBusName")), params["Name"]
    with call.store.write() as db:
        if store.targets(db, bus.place, bus.name, name):
            raise ValidationError("Rule can't be deleted since it has targets.")
        db.execute(
            "delete from rules where account = ? and region = ? and bus = ? and name = ?",
            (*bus.place, bus.name, name),
        )
    return {}


def _turn(call: EventsCall, params: Members, enabled: bool) -> Members:
    bus, name = call.bus(params.get("EventBusName")), params["Name"]
    with call.store.write() as db:
        row = store.rule(db, bus.place, bus.name, name)
        if row is None:
            raise no_rule(name, bus.name)
        due = row["due"] if enabled and row["enabled"] else _due(call, row["schedule"], enabled)
        db.execute(
            "update rules set enabled = ?, due = ?"
            " where account = ? and region = ? and bus = ? and name = ?",
            (enabled, due, *bus.place, bus.name, name),
        )
        call.store.notify(TOPIC)
    return {}


def _due(call: EventsCall, schedule: str | None, enabled: bool) -> float | None:
    """When a rule's schedule comes first, from now on."""
    if schedule is None:
        return None
    try:
        found = schedules.parse(schedule)
    except schedules.NotASchedule as error:
        raise ValidationError(str(error)) from error
    return due_after(found, call.clock.now()) if enabled else None


def _shown(row: dict[str, Any]) -> Members:
    shown: Members = {
        "Name": row["name"],
        "Arn": store.rule_arn((row["account"], row["region"]), row["bus"], row["name"]),
        "State": "ENABLED" if row["enabled"] else "DISABLED",
        "EventBusName": row["bus"],
    }
    for member, value in (
        ("EventPattern", row["pattern"]),
        ("ScheduleExpression", row["schedule"]),
        ("Description", row["body"].get("Description")),
        ("RoleArn", row["body"].get("RoleArn")),
    ):
        if value:
            shown[member] = value
    return shown
