"""Rows of event buses, tags and events (test_public_expectations.py)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from tests.sandbox.events.expected_rules import ARN, NO_RULE, PATTERN, SUITE, bus, invalid, ruled
from tests.sandbox.public_expectations import ABSENT, AWS, FLOCI, Step, has, refused, row

_FLOCI = FLOCI + "src/test/java/io/github/hectorvent/floci/services/eventbridge/EventBridge"
PERMISSIONS = f"{_FLOCI}PermissionIntegrationTest.java"
TAGS = f"{_FLOCI}TagResourceIntegrationTest.java"
ARNS = f"{_FLOCI}ArnIntegrationTest.java"
BUSES = f"{_FLOCI}UpdateEventBusIntegrationTest.java"
API = AWS + "eventbridge/latest/APIReference/API_"
ENTRY = {"Source": "source", "DetailType": "type", "Detail": '{"key": "value"}'}


def not_found(message: str) -> Any:
    return refused("ResourceNotFoundException", message)


BUS_ROWS = [
    row(
        "a bus is made once, and default is there already",
        SUITE,
        bus("made"),
        (
            "create_event_bus",
            {"Name": "made"},
            refused("ResourceAlreadyExistsException", "Event bus made already exists."),
        ),
        (
            "create_event_bus",
            {"Name": "default"},
            refused("ResourceAlreadyExistsException", "Event bus default already exists."),
        ),
    ),
    row(
        "a bus of one's own has no slash",
        SUITE,
        (
            "create_event_bus",
            {"Name": "a/b"},
            invalid(),
        ),
    ),
    row(
        "a bus is described by its ARN, and deleted by its name only; Floci takes the ARN",
        ARNS,
        bus("addressed"),
        (
            "describe_event_bus",
            {"Name": f"{ARN}event-bus/addressed"},
            {"Name": "addressed", "CreationTime": datetime, "Policy": ABSENT},
        ),
        ("delete_event_bus", {"Name": f"{ARN}event-bus/addressed"}, invalid()),
        ("delete_event_bus", {"Name": "addressed"}, {}),
        (
            "describe_event_bus",
            {"Name": "addressed"},
            not_found("Event bus addressed does not exist."),
        ),
        aws=API + "DeleteEventBus.html#API_DeleteEventBus_RequestSyntax",
    ),
    row(
        "buses are listed by their beginning, with default",
        SUITE,
        bus("begin-1"),
        bus("begin-2"),
        ("list_event_buses", {"NamePrefix": "begin"}, {"EventBuses": [{}, {}]}),
        ("list_event_buses", {}, {"EventBuses": has({"Name": "default"}, {"Name": "begin-1"})}),
    ),
    row(
        "deleting a bus that is not there succeeds, and default stays",
        SUITE,
        ("delete_event_bus", {"Name": "non-existing"}, {}),
        ("delete_event_bus", {"Name": "default"}, invalid("Cannot delete event bus default.")),
    ),
    row(
        "a statement is put, put anew under its name, and removed",
        PERMISSIONS,
        bus("permitted"),
        *(
            (
                "put_permission",
                {
                    "EventBusName": "permitted",
                    "Action": "events:PutEvents",
                    "Principal": who,
                    "StatementId": "s",
                },
                {},
            )
            for who in ("*", "111111111111")
        ),
        (
            "describe_event_bus",
            {"Name": "permitted"},
            {"Policy": re.compile(r'^(?!.*"\*").*arn:aws:iam::111111111111:root')},
        ),
        ("remove_permission", {"EventBusName": "permitted", "StatementId": "s"}, {}),
        ("describe_event_bus", {"Name": "permitted"}, {"Policy": ABSENT}),
    ),
    row(
        "all statements go at once",
        PERMISSIONS,
        bus("cleared"),
        (
            "put_permission",
            {
                "EventBusName": "cleared",
                "Action": "events:PutEvents",
                "Principal": "*",
                "StatementId": "s",
            },
            {},
        ),
        ("remove_permission", {"EventBusName": "cleared", "RemoveAllPermissions": True}, {}),
        ("describe_event_bus", {"Name": "cleared"}, {"Policy": ABSENT}),
    ),
    row(
        "a statement of another action, and one of no bus, are refused",
        SUITE,
        bus("actions"),
        (
            "put_permission",
            {
                "EventBusName": "non-existing",
                "Action": "events:PutEvents",
                "Principal": "111111111111",
                "StatementId": "s",
            },
            not_found("Event bus non-existing does not exist."),
        ),
        (
            "put_permission",
            {
                "EventBusName": "actions",
                "Action": "events:PutPermission",
                "Principal": "111111111111",
                "StatementId": "s",
            },
            invalid("Provided value in parameter 'action' is not supported."),
        ),
        (
            "remove_permission",
            {"EventBusName": "actions", "StatementId": "s"},
            not_found("EventBus does not have a policy."),
        ),
    ),
    *(
        row(
            f"a policy is refused that is {what}",
            PERMISSIONS,
            bus(f"policy{at}"),
            ("put_permission", {"EventBusName": f"policy{at}", "Policy": text}, invalid()),
            ("describe_event_bus", {"Name": f"policy{at}"}, {"Policy": ABSENT}),
        )
        for at, (what, text) in enumerate(
            {"no JSON": '{"Version": not-valid', "more than JSON": "{} garbage"}.items()
        )
    ),
    *(
        row(f"{what} is refused by name", source, (*call, refused("NotInSandbox")), aws=API + page)
        for what, source, call, page in (
            (
                "an archive",
                SUITE,
                (
                    "create_archive",
                    {"ArchiveName": "a", "EventSourceArn": f"{ARN}event-bus/default"},
                ),
                "CreateArchive.html",
            ),
            ("a connection", SUITE, ("list_connections", {}), "ListConnections.html"),
            (
                "the change of a bus",
                BUSES,
                ("update_event_bus", {"Name": "default", "Description": "d"}),
                "UpdateEventBus.html",
            ),
        )
    ),
    row(
        "tags of a rule and of a bus are set, listed and taken away",
        TAGS,
        bus("my-event-bus"),
        ruled("tagged", EventPattern=PATTERN, EventBusName="my-event-bus"),
        *(
            step
            for arn in (f"{ARN}event-bus/my-event-bus", f"{ARN}rule/my-event-bus/tagged")
            for step in (
                (
                    "tag_resource",
                    {"ResourceARN": arn, "Tags": [{"Key": k, "Value": k} for k in "ab"]},
                    {},
                ),
                ("untag_resource", {"ResourceARN": arn, "TagKeys": ["a"]}, {}),
                (
                    "list_tags_for_resource",
                    {"ResourceARN": arn},
                    {"Tags": [{"Key": "b", "Value": "b"}]},
                ),
            )
        ),
    ),
    *(
        row(
            f"{operation} of a rule or a bus that is not there is refused",
            source,
            (operation, {"ResourceARN": f"{ARN}rule/unknown", **more}, NO_RULE),
            (
                operation,
                {"ResourceARN": f"{ARN}event-bus/none", **more},
                not_found("Event bus none does not exist."),
            ),
        )
        for source, operation, more in (
            (SUITE, "list_tags_for_resource", {}),
            (TAGS, "tag_resource", {"Tags": [{"Key": "k", "Value": "v"}]}),
            (TAGS, "untag_resource", {"TagKeys": ["k"]}),
        )
    ),
]


def put(entries: list[dict[str, Any]], *expected: dict[str, Any]) -> Step:
    failed = sum("ErrorCode" in each for each in expected)
    answer = {"FailedEntryCount": failed, "Entries": list(expected)}
    return ("put_events", {"Entries": entries}, answer)


def missing(name: str) -> dict[str, str]:
    words = f"Parameter {name} is not valid. Reason: {name} is a required argument."
    return {"ErrorCode": "InvalidArgument", "ErrorMessage": words}


MALFORMED = {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
EVENTS = [
    row("an event is taken and has an ID", SUITE, put([ENTRY], {"EventId": str})),
    *(
        row(
            f"an entry needs {name}",
            SUITE,
            put([{k: v for k, v in ENTRY.items() if k != name}], missing(name)),
            put([{**ENTRY, name: ""}], missing(name)),
        )
        for name in ENTRY
    ),
    row(
        "a detail is JSON, and one bad entry keeps no other back",
        SUITE,
        put(
            [{"Source": "s"}, ENTRY, {**ENTRY, "Detail": "detail"}, ENTRY],
            missing("DetailType"),
            {"EventId": str},
            MALFORMED,
            {"EventId": str},
        ),
    ),
    row(
        "a detail that is a list is malformed; moto warns of it",
        SUITE,
        put([{**ENTRY, "Detail": '[{"Key": "k"}]'}], MALFORMED),
        aws=API + "PutEventsRequestEntry.html",
    ),
    row(
        "eleven entries are too many",
        SUITE,
        (
            "put_events",
            {"Entries": [ENTRY] * 11},
            invalid(
                re.compile(
                    r"^1 validation error detected: Value '\[.*\]' at 'entries' failed to satisfy "
                    "constraint: Member must have length less than or equal to 10$"
                )
            ),
        ),
    ),
]
