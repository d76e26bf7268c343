"""The targets of rules."""

from __future__ import annotations

import json

from labs_helpers.sandbox.events import store, target_rules
from labs_helpers.sandbox.events.call import EventsCall
from labs_helpers.sandbox.events.errors import LimitExceeded, no_rule
from labs_helpers.sandbox.service.service import Members

_TARGETS = 5
"""Targets of a rule: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html"""


def put_targets(call: EventsCall, params: Members) -> Members:
    """Add targets to a rule; a target of an id that the rule has replaces the other."""
    for target in params["Targets"]:
        target_rules.check(target)
    bus, name = call.bus(params.get("EventBusName")), params["Rule"]
    key = (*bus.place, bus.name, name)
    with call.store.write() as db:
        if store.rule(db, bus.place, bus.name, name) is None:
            raise no_rule(name, bus.name)
        for target in params["Targets"]:
            db.execute(
                "insert into targets values (?, ?, ?, ?, ?, ?, ?) on conflict do update"
                " set arn = excluded.arn, body = excluded.body",
                (*key, target["Id"], target["Arn"], json.dumps(target)),
            )
        if len(store.targets(db, bus.place, bus.name, name)) > _TARGETS:
            raise LimitExceeded()
    return {"FailedEntryCount": 0, "FailedEntries": []}


def remove_targets(call: EventsCall, params: Members) -> Members:
    bus, name = call.bus(params.get("EventBusName")), params["Rule"]
    failed = []
    with call.store.write() as db:
        if store.rule(db, bus.place, bus.name, name) is None:
            raise no_rule(name, bus.name)
        for each in params["Ids"]:
            gone = db.execute(
                "delete from targets where account = ? and region = ? and bus = ? and rule = ?"
                " and id = ?",
                (*bus.place, bus.name, name, each),
            )
            if not gone.rowcount:
                failed.append(
                    {
                        "TargetId": each,
                        "ErrorCode": "ResourceNotFoundException",
                        "ErrorMessage": f"Rule {name} does not have a target with the Id {each}.",
                    }
                )
    return {"FailedEntryCount": len(failed), "FailedEntries": failed}


def list_targets_by_rule(call: EventsCall, params: Members) -> Members:
    bus, name = call.bus(params.get("EventBusName")), params["Rule"]
    with call.store.read() as db:
        if store.rule(db, bus.place, bus.name, name) is None:
            raise no_rule(name, bus.name)
        found = store.targets(db, bus.place, bus.name, name)
    keyed = [([each["Id"]], each) for each in sorted(found, key=lambda each: str(each["Id"]))]
    page, more = call.listed(keyed, params, bus.name, name)
    return {"Targets": page, **more}


def list_rule_names_by_target(call: EventsCall, params: Members) -> Members:
    bus, arn = call.bus(params.get("EventBusName")), params["TargetArn"]
    asked = (
        "select distinct rule from targets where account = ? and region = ? and bus = ?"
        " and arn = ? order by rule"
    )
    with call.store.read() as db:
        names = [row["rule"] for row in db.execute(asked, (*bus.place, bus.name, arn))]
    page, more = call.listed([([name], name) for name in names], params, bus.name, arn)
    return {"RuleNames": page, **more}
