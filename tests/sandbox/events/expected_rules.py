"""Rows of rules and targets (test_public_expectations.py)."""

from __future__ import annotations

import re
from typing import Any

from tests.sandbox.public_expectations import ABSENT, AWS, FLOCI, MOTO, Step, refused, row

SUITE = MOTO + "test_events/test_events.py"
CLIENT = FLOCI + "compatibility-tests/sdk-test-node/tests/eventbridge.test.ts"
QUOTED = "https://github.com/turbot/steampipe-plugin-aws/issues/1591"
"""A report that quotes AWS's sentence on a rule that is not there."""

ARN = "arn:aws:events:us-west-2:123456789012:"
QUEUE = "arn:aws:sqs:us-west-2:123456789012:"
PATTERN = '{"source": ["test-source"]}'
NO_RULE = refused("ResourceNotFoundException", "Rule unknown does not exist on EventBus default.")


def ruled(name: str, **more: Any) -> Step:
    given = {"Name": name, **({} if more else {"EventPattern": PATTERN}), **more}
    return ("put_rule", given, {"RuleArn": re.compile(f"rule/(.*/)?{name}$")})


def targeted(rule: str, *queues: str, **more: Any) -> Step:
    targets = [{"Id": each, "Arn": QUEUE + each} for each in queues]
    return ("put_targets", {"Rule": rule, "Targets": targets, **more}, {"FailedEntryCount": 0})


def bus(name: str) -> Step:
    return ("create_event_bus", {"Name": name}, {"EventBusArn": f"{ARN}event-bus/{name}"})


def invalid(message: str | re.Pattern[str] = "") -> Any:
    return refused("ValidationException", message)


RULES = [
    row(
        "a rule with a schedule and a pattern is listed with both, enabled",
        SUITE,
        ruled("both", ScheduleExpression="rate(5 minutes)", EventPattern=PATTERN),
        (
            "list_rules",
            {"NamePrefix": "both"},
            {
                "Rules": [
                    {
                        "Name": "both",
                        "Arn": f"{ARN}rule/both",
                        "ScheduleExpression": "rate(5 minutes)",
                        "EventPattern": PATTERN,
                        "State": "ENABLED",
                    }
                ]
            },
        ),
    ),
    row(
        "a schedule beside an empty pattern is a schedule",
        SUITE,
        ruled("scheduled", ScheduleExpression="rate(1 minute)", EventPattern=""),
        ("describe_rule", {"Name": "scheduled"}, {"EventPattern": ABSENT}),
    ),
    row(
        "a bus is named by its ARN too",
        SUITE,
        bus("by-arn"),
        (
            "put_rule",
            {"Name": "r", "EventPattern": PATTERN, "EventBusName": f"{ARN}event-bus/by-arn"},
            {"RuleArn": f"{ARN}rule/by-arn/r"},
        ),
    ),
    row(
        "a bus of one's own has no schedules",
        SUITE,
        bus("timeless"),
        (
            "put_rule",
            {"Name": "r", "ScheduleExpression": "rate(5 minutes)", "EventBusName": "timeless"},
            invalid("ScheduleExpression is supported only on the default event bus."),
        ),
    ),
    row(
        "a rule of a bus of one's own is described with all it was given",
        SUITE,
        bus("described"),
        ruled(
            "whole",
            EventPattern='{"account": ["123456789012"]}',
            State="DISABLED",
            Description="test rule",
            EventBusName="described",
        ),
        (
            "describe_rule",
            {"Name": "whole", "EventBusName": "described"},
            {
                "Arn": f"{ARN}rule/described/whole",
                "CreatedBy": "123456789012",
                "Description": "test rule",
                "EventBusName": "described",
                "State": "DISABLED",
                "ManagedBy": ABSENT,
                "ScheduleExpression": ABSENT,
            },
        ),
    ),
    row(
        "a rule is turned off and on",
        SUITE,
        ruled("turned"),
        ("disable_rule", {"Name": "turned"}, {}),
        ("describe_rule", {"Name": "turned"}, {"State": "DISABLED"}),
        ("enable_rule", {"Name": "turned"}, {}),
        ("describe_rule", {"Name": "turned"}, {"State": "ENABLED"}),
    ),
    *(
        row(
            f"{operation} of a rule that is not there names the bus, which moto leaves out",
            SUITE,
            (operation, {"Name": "unknown"}, NO_RULE),
            aws=QUOTED,
        )
        for operation in ("describe_rule", "enable_rule", "disable_rule")
    ),
    row(
        "deleting a rule that is not there succeeds",
        SUITE,
        ("delete_rule", {"Name": "unknown"}, {}),
    ),
    row(
        "a rule with targets is not deleted",
        SUITE,
        ruled("aimed"),
        targeted("aimed", "q"),
        ("delete_rule", {"Name": "aimed"}, invalid("Rule can't be deleted since it has targets.")),
        ("remove_targets", {"Rule": "aimed", "Ids": ["q"]}, {"FailedEntries": []}),
        ("delete_rule", {"Name": "aimed"}, {}),
    ),
    row(
        "rules are listed in pages of the size that is asked",
        SUITE,
        *(ruled(f"paged{n}") for n in range(3)),
        (
            "list_rules",
            {"NamePrefix": "paged", "Limit": 1},
            {"Rules": [{"Name": "paged0"}], "NextToken": str},
        ),
        ("list_rules", {"NamePrefix": "paged"}, {"NextToken": ABSENT}),
    ),
]

TARGETS = [
    row(
        "a rule of two targets of one ARN is named once",
        SUITE,
        ruled("once"),
        (
            "put_targets",
            {"Rule": "once", "Targets": [{"Id": n, "Arn": f"{QUEUE}once"} for n in "12"]},
            {"FailedEntryCount": 0, "FailedEntries": []},
        ),
        (
            "list_rule_names_by_target",
            {"TargetArn": f"{QUEUE}once"},
            {"RuleNames": ["once"]},
        ),
    ),
    row(
        "a bus has its own rules: the default bus's of that name has other targets",
        SUITE,
        bus("namesake"),
        ruled("shared"),
        ruled("shared", EventPattern=PATTERN, EventBusName="namesake"),
        targeted("shared", "one", "two"),
        targeted("shared", "other", EventBusName="namesake"),
        ("list_targets_by_rule", {"Rule": "shared"}, {"Targets": [{"Id": "one"}, {"Id": "two"}]}),
        (
            "list_targets_by_rule",
            {"Rule": "shared", "EventBusName": "namesake"},
            {"Targets": [{"Id": "other"}]},
        ),
    ),
    row(
        "a rule that is put again keeps its targets",
        SUITE,
        ruled("again", ScheduleExpression="rate(5 minutes)"),
        targeted("again", "kept"),
        ruled("again", ScheduleExpression="rate(1 minute)"),
        ("list_targets_by_rule", {"Rule": "again"}, {"Targets": [{"Id": "kept"}]}),
    ),
    row(
        "an input transformer comes back as it was given",
        CLIENT,
        ruled("transformed"),
        (
            "put_targets",
            {
                "Rule": "transformed",
                "Targets": [
                    {
                        "Id": "t",
                        "Arn": f"{QUEUE}t",
                        "InputTransformer": {
                            "InputPathsMap": {"src": "$.source"},
                            "InputTemplate": '{"source":"<src>"}',
                        },
                    }
                ],
            },
            {"FailedEntryCount": 0},
        ),
        (
            "list_targets_by_rule",
            {"Rule": "transformed"},
            {"Targets": [{"InputTransformer": {"InputPathsMap": {"src": "$.source"}}}]},
        ),
    ),
    row(
        "targets of a rule that is not there are refused",
        SUITE,
        (
            "put_targets",
            {"Rule": "unknown", "Targets": [{"Id": "q", "Arn": f"{QUEUE}q"}]},
            NO_RULE,
        ),
        ("remove_targets", {"Rule": "unknown", "Ids": ["q"]}, NO_RULE),
    ),
    row(
        "a target is named by an ARN",
        SUITE,
        ruled("misaimed"),
        (
            "put_targets",
            {"Rule": "misaimed", "Targets": [{"Id": "s3", "Arn": "test-bucket"}]},
            invalid(
                "Parameter test-bucket is not valid. Reason: Provided Arn is not in correct format."
            ),
        ),
    ),
    row(
        "a FIFO queue needs a message group, also where the rule is not there",
        SUITE,
        (
            "put_targets",
            {"Rule": "unknown", "Targets": [{"Id": "fifo", "Arn": f"{QUEUE}q.fifo"}]},
            invalid("Parameter(s) SqsParameters must be specified for target: fifo."),
        ),
    ),
    row(
        "a function of AWS Lambda as target is refused by name",
        SUITE,
        ruled("function"),
        (
            "put_targets",
            {
                "Rule": "function",
                "Targets": [{"Id": "f", "Arn": "arn:aws:lambda:us-west-2:123456789012:function:f"}],
            },
            refused("NotInSandbox"),
        ),
        aws=AWS + "eventbridge/latest/userguide/eb-targets.html",
    ),
]
