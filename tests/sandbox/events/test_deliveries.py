"""Deliveries: again after a failure, a dead-letter queue in the end, nothing lost; schedules.

Limits and attributes: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.events import starts, store, ticks
from labs_helpers.sandbox.events.deliveries import Deliveries
from labs_helpers.sandbox.events.router import Router
from labs_helpers.sandbox.events.sending import Failed, Sending
from labs_helpers.sandbox.events.service import EventBridgeService
from labs_helpers.sandbox.events.ticks import Ticks
from labs_helpers.sandbox.identity import Principal
from labs_helpers.sandbox.service.errors import AccessDenied
from labs_helpers.sandbox.service.events import event

ACCOUNT, REGION = "123456789012", "us-west-2"
PLACE = (ACCOUNT, REGION)
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:pushed"
DEAD = f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead"
RULE = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/r"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
ANY = json.dumps({"source": [{"prefix": ""}]})
WHO = Principal(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/ann", "AIDA", "AKIA")


def bus(name: str) -> str:
    return f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{name}"


class Room:
    """EventBridge without a port: what `send` raises, the target answers with."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock(frozen_at=datetime(2026, 11, 2, 9, tzinfo=UTC))
        self.folder = folder
        self.sent: list[Sending] = []
        self.failures: list[Exception] = []
        self.denied = False
        self.open()

    def open(self) -> None:
        """Start, as after a restart."""
        self.state = store.opened(self.folder)
        self.router = Router(self.state, self.clock)
        nobody: Any = None
        self.service = EventBridgeService(self.state, self.clock, nobody, self.router)
        to_bus = starts.senders(nobody, self.router, self.state)["events"]
        send = {"sqs": self.send, "events": to_bus}
        self.deliveries = Deliveries(self.state, self.clock, send, self.as_role)
        self.ticks = Ticks(self.state, self.clock)

    def as_role(self, *asked: Any) -> None:
        if self.denied:
            raise AccessDenied("no")

    def send(self, sending: Sending) -> None:
        if self.failures and sending.arn != DEAD:
            raise self.failures.pop(0)
        self.sent.append(sending)

    def call(self, operation: str, **params: Any) -> dict[str, Any]:
        """An operation's answer; an error's is {"__type": ..., "message": ...}."""
        body = json.dumps(params).encode()
        answer = self.service.handle(f"AWSEvents.{operation}", body, WHO, REGION)
        told: dict[str, Any] = json.loads(answer.body)
        return told

    def rule(self, *targets: dict[str, Any], bus: str = "default", **settings: Any) -> None:
        made = {"Name": "r", "EventBusName": bus, "EventPattern": ANY, **settings}
        self.call("PutRule", **{name: value for name, value in made.items() if value})
        numbered = [{"Id": str(number), **each} for number, each in enumerate(targets)]
        told = self.call("PutTargets", Rule="r", EventBusName=bus, Targets=numbered)
        assert told["FailedEntryCount"] == 0

    def emit(self) -> dict[str, Any]:
        made = event("aws.ecr", "ECR Image Action", *PLACE, self.clock.now(), {"tag": "v1"})
        self.router.emit(made)
        return made

    def after(self, **time: float) -> list[str]:
        """What arrives by a time from now: the ARNs."""
        self.clock.advance(timedelta(**time))
        del self.sent[:]
        self.ticks.work()
        self.deliveries.work()
        return [each.arn for each in self.sent]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path / "events")
    yield made
    made.state.close()


def throttled() -> Failed:
    return Failed("THROTTLING", "Rate exceeded", again=True)


def test_a_target_that_could_not_take_the_event_is_tried_again_later(room: Room) -> None:
    room.rule({"Arn": QUEUE})
    room.failures = [throttled(), throttled()]
    room.emit()
    assert room.after() == []
    assert room.after(seconds=1) == []
    assert room.after(seconds=1) == []
    assert room.after(seconds=1) == [QUEUE]
    assert room.after(hours=25) == []


def test_a_target_that_is_not_there_is_not_tried_again(room: Room) -> None:
    room.rule({"Arn": QUEUE, "DeadLetterConfig": {"Arn": DEAD}})
    room.failures = [Failed("NO_RESOURCE", "there is no such queue")]
    made = room.emit()
    assert room.after() == [DEAD]
    assert json.loads(room.sent[0].message) == made
    assert room.sent[0].attributes == {
        "RULE_ARN": RULE,
        "TARGET_ARN": QUEUE,
        "ERROR_CODE": "NO_RESOURCE",
        "ERROR_MESSAGE": "there is no such queue",
        "RETRY_ATTEMPTS": "0",
    }


@pytest.mark.parametrize(
    ("policy", "condition", "attempts"),
    [
        ({"MaximumRetryAttempts": 2}, "MaximumRetryAttempts", "2"),
        ({"MaximumRetryAttempts": 0}, "MaximumRetryAttempts", "0"),
        ({"MaximumEventAgeInSeconds": 60}, "MaximumEventAgeInSeconds", "1"),
    ],
)
def test_the_retry_policy_ends_the_attempts(
    room: Room, policy: dict[str, int], condition: str, attempts: str
) -> None:
    room.rule({"Arn": QUEUE, "DeadLetterConfig": {"Arn": DEAD}, "RetryPolicy": policy})
    room.failures = [throttled() for _ in range(9)]
    room.emit()
    found = room.after()
    for _ in range(3):
        found += room.after(minutes=2) if not found else []
    assert found == [DEAD]
    told = room.sent[0].attributes or {}
    assert (told["EXHAUSTED_RETRY_CONDITION"], told["RETRY_ATTEMPTS"]) == (condition, attempts)


def test_without_a_policy_a_target_is_tried_for_a_day(room: Room) -> None:
    room.rule({"Arn": QUEUE, "DeadLetterConfig": {"Arn": DEAD}})
    room.failures = [throttled() for _ in range(200)]
    room.emit()
    assert room.after() == []
    arrived = [arn for _ in range(25) for arn in room.after(hours=1)]
    assert arrived == [DEAD]


def test_a_delivery_that_waits_outlives_a_restart(room: Room) -> None:
    room.rule({"Arn": QUEUE})
    room.failures = [throttled()]
    room.emit()
    assert room.after() == []
    room.state.close()
    room.open()
    assert room.after(hours=1) == [QUEUE]


def test_an_event_goes_to_another_bus_once(room: Room) -> None:
    for name in ("one", "two"):
        room.call("CreateEventBus", Name=name)
    room.rule({"Arn": bus("one"), "RoleArn": ROLE})
    room.rule(
        {"Arn": QUEUE},
        {"Arn": bus("two"), "RoleArn": ROLE, "DeadLetterConfig": {"Arn": DEAD}},
        bus="one",
    )
    room.rule({"Arn": QUEUE}, bus="two")
    room.emit()
    assert room.after() == [QUEUE, DEAD]
    assert room.sent[0].sender.rule == RULE.replace("rule/", "rule/one/")


def test_a_bus_of_a_rule_whose_role_may_not_gets_nothing(room: Room) -> None:
    room.call("CreateEventBus", Name="one")
    dead = {"DeadLetterConfig": {"Arn": DEAD}}
    room.rule({"Arn": bus("one"), "RoleArn": ROLE, **dead})
    room.rule({"Arn": QUEUE}, bus="one")
    room.denied = True
    room.emit()
    assert room.after() == [DEAD]
    assert (room.sent[0].attributes or {})["ERROR_CODE"] == "NO_PERMISSIONS"


def test_a_schedule_acts_by_the_sandbox_clock(room: Room) -> None:
    room.rule({"Arn": QUEUE}, EventPattern=None, ScheduleExpression="rate(5 minutes)")
    assert room.after(minutes=4) == []
    assert room.after(minutes=1) == [QUEUE]
    made = json.loads(room.sent[0].message)
    assert made.pop("id")
    assert made == {
        "version": "0",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": "2026-11-02T09:05:00Z",
        "region": REGION,
        "resources": [RULE],
        "detail": {},
    }


def test_a_jump_of_the_clock_does_what_was_due_in_between(room: Room) -> None:
    room.rule({"Arn": QUEUE}, EventPattern=None, ScheduleExpression="cron(0 * * * ? *)")
    room.ticks.work()
    assert room.after(hours=3) == [QUEUE] * 3
    times = [json.loads(each.message)["time"][11:16] for each in room.sent]
    assert times == ["10:00", "11:00", "12:00"]


def test_a_jump_of_a_century_does_not_act_without_end(room: Room) -> None:
    room.rule({"Arn": QUEUE}, EventPattern=None, ScheduleExpression="rate(1 minute)")
    room.ticks.work()
    assert len(room.after(days=36500)) == ticks.MOST
    assert room.after(minutes=1) == [QUEUE]


def test_a_rule_acts_once_for_the_time_in_which_the_sandbox_did_not_run(room: Room) -> None:
    room.rule({"Arn": QUEUE}, EventPattern=None, ScheduleExpression="rate(1 minute)")
    room.state.close()
    room.clock.advance(timedelta(days=1))
    room.open()
    assert room.after() == [QUEUE]
    assert room.after(minutes=2) == [QUEUE] * 2


@pytest.mark.parametrize("operation", ["DisableRule", "DeleteRule"])
def test_a_schedule_ends_with_its_rule(room: Room, operation: str) -> None:
    room.rule({"Arn": QUEUE}, EventPattern=None, ScheduleExpression="rate(1 minute)")
    room.call("RemoveTargets", Rule="r", Ids=["0"])
    room.call(operation, Name="r")
    assert room.after(hours=1) == []


def test_a_rule_that_is_enabled_again_acts_from_then_on(room: Room) -> None:
    room.rule({"Arn": QUEUE}, EventPattern=None, ScheduleExpression="rate(1 hour)")
    room.call("DisableRule", Name="r")
    assert room.after(days=2) == []
    room.call("EnableRule", Name="r")
    assert room.after(minutes=59) == []
    assert room.after(minutes=1) == [QUEUE]


def test_what_a_target_raises_unexpectedly_keeps_nothing_back(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    room.rule({"Arn": QUEUE, "DeadLetterConfig": {"Arn": DEAD}}, {"Arn": QUEUE})
    room.failures = [ValueError("too long")]
    room.emit()
    assert room.after() == [DEAD, QUEUE]
    assert (room.sent[0].attributes or {})["ERROR_CODE"] == "ERROR_FROM_TARGET"
    assert "did not reach" in caplog.text


@pytest.mark.parametrize(
    ("operation", "params", "code", "words"),
    [
        ("PutRule", {"Name": "x"}, "ValidationException",
         "Parameter(s) EventPattern or ScheduleExpression must be specified."),
        ("PutRule", {"Name": "x", "ScheduleExpression": "every day"}, "ValidationException",
         "Parameter ScheduleExpression is not valid."),
        ("PutRule", {"Name": "x", "EventPattern": '{"a":1}'}, "InvalidEventPatternException",
         'Event pattern is not valid. Reason: "a" must be an object or an array'),
        ("PutRule", {"Name": "x", "EventPattern": ANY, "EventBusName": "absent"},
         "ResourceNotFoundException", "Event bus absent does not exist."),
        ("PutRule", {"Name": "x", "EventPattern": ANY,
                     "State": "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"},
         "NotInSandbox", "none that only read"),
        ("DescribeRule", {"Name": "x"}, "ResourceNotFoundException",
         "Rule x does not exist on EventBus default."),
        ("DeleteRule", {"Name": "r"}, "ValidationException",
         "Rule can't be deleted since it has targets."),
        ("DeleteEventBus", {"Name": "default"}, "ValidationException",
         "Cannot delete event bus default."),
        ("CreateEventBus", {"Name": "default"}, "ResourceAlreadyExistsException",
         "Event bus default already exists."),
        ("CreateArchive", {"ArchiveName": "a", "EventSourceArn": bus("default")}, "NotInSandbox",
         "events:CreateArchive"),
        ("CreateApiDestination", {}, "NotInSandbox", "connects to no other machine"),
        ("PutTargets", {"Rule": "absent", "Targets": [{"Id": "1", "Arn": QUEUE}]},
         "ResourceNotFoundException", "Rule absent does not exist on EventBus default."),
        ("PutTargets", {"Rule": "r", "Targets": [{"Id": "1", "Arn": "queue"}]},
         "ValidationException", "Provided Arn is not in correct format."),
        ("PutTargets", {"Rule": "r", "Targets": [{"Id": "1", "Arn": bus("default")}]},
         "ValidationException", "RoleArn is required for target"),
        ("PutTargets", {"Rule": "r", "Targets": [{"Id": "1", "Arn": f"{QUEUE}.fifo"}]},
         "ValidationException", "Parameter(s) SqsParameters must be specified for target: 1."),
        ("PutTargets", {"Rule": "r", "Targets": [{"Id": str(n), "Arn": QUEUE} for n in range(6)]},
         "LimitExceededException", "The requested resource exceeds the maximum number allowed."),
        ("PutEvents", {"Entries": [{"Source": "a"}] * 11}, "ValidationException",
         "Member must have length less than or equal to 10"),
        ("TestEventPattern", {"EventPattern": ANY, "Event": "{"}, "ValidationException",
         "Parameter Event is not valid."),
        ("RemovePermission", {"StatementId": "x"}, "ResourceNotFoundException",
         "EventBus does not have a policy."),
    ],
)  # fmt: skip
def test_what_eventbridge_refuses(
    room: Room, operation: str, params: dict[str, Any], code: str, words: str
) -> None:
    room.rule({"Arn": QUEUE})
    told = room.call(operation, **params)
    assert told["__type"] == code
    assert words in told["message"]


def test_an_entry_that_is_refused_does_not_keep_the_others_back(room: Room) -> None:
    room.rule({"Arn": QUEUE})
    good = {"Source": "mine", "DetailType": "d", "Detail": "{}"}
    deep = '{"a":' + "[" * 500 + "]" * 500 + "}"
    entries = [{**good, **bad} for bad in (
        {"Source": ""}, {"Source": "aws.ecr"}, {"Detail": "[]"}, {"Detail": "{"},
        {"Detail": deep}, {"Detail": json.dumps({"a": "x" * 2**20})}, {},
    )]  # fmt: skip
    told = room.call("PutEvents", Entries=entries)
    assert told["FailedEntryCount"] == 6
    assert [each.get("ErrorCode") for each in told["Entries"]] == [
        "InvalidArgument",
        "NotAuthorizedForSourceException",
        *["MalformedDetail"] * 3,
        "InvalidArgument",
        None,
    ]
    assert room.after() == [QUEUE]


def test_a_pattern_is_tried_before_a_rule_has_it(room: Room) -> None:
    tried = {"source": "mine", "detail-type": "d", "detail": {"a": "b"}}
    for wanted, expected in (("b", True), ("c", False)):
        pattern = json.dumps({"detail": {"a": [wanted]}})
        told = room.call("TestEventPattern", EventPattern=pattern, Event=json.dumps(tried))
        assert told == {"Result": expected}


def test_a_bus_has_the_statements_that_were_put_and_not_removed(room: Room) -> None:
    for number in ("1", "2"):
        room.call("PutPermission", StatementId=number, Principal="210987654321",
                  Action="events:PutEvents")  # fmt: skip
    room.call("RemovePermission", StatementId="1")
    policy = json.loads(room.call("DescribeEventBus")["Policy"])
    assert [each["Sid"] for each in policy["Statement"]] == ["2"]
    assert list(store.policies(room.state, bus("default"))) == [json.dumps(policy)]
    room.call("RemovePermission", RemoveAllPermissions=True)
    assert "Policy" not in room.call("DescribeEventBus")


def test_rules_come_in_pages_and_by_prefix(room: Room) -> None:
    for name in ("a1", "a2", "a3", "b1"):
        room.call("PutRule", Name=name, EventPattern=ANY)
    first = room.call("ListRules", NamePrefix="a", Limit=2)
    rest = room.call("ListRules", NamePrefix="a", Limit=2, NextToken=first["NextToken"])
    names = [each["Name"] for page in (first, rest) for each in page["Rules"]]
    assert names == ["a1", "a2", "a3"]
    assert "NextToken" not in rest


def test_a_rule_that_is_put_again_keeps_its_targets_and_tags(room: Room) -> None:
    tags = [{"Key": "k", "Value": "v"}]
    room.rule({"Arn": QUEUE}, Description="first", Tags=tags)
    room.call("PutRule", Name="r", EventPattern=ANY, State="DISABLED")
    shown = room.call("DescribeRule", Name="r")
    assert (shown["State"], "Description" in shown) == ("DISABLED", False)
    assert len(room.call("ListTargetsByRule", Rule="r")["Targets"]) == 1
    assert room.call("ListTagsForResource", ResourceARN=RULE)["Tags"] == tags
    assert room.call("ListRuleNamesByTarget", TargetArn=QUEUE)["RuleNames"] == ["r"]


def test_the_state_holds_no_delivery_that_is_done(room: Room) -> None:
    room.rule({"Arn": QUEUE})
    room.emit()
    room.after()
    assert not room.deliveries.has_work()
