"""The event history is bounded in number, age and length, and is there after a restart."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from labs_helpers.sandbox.authorization.decisions import Decisions
from labs_helpers.sandbox.authorization.models import model_of
from labs_helpers.sandbox.call import SignedCall
from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.cloudtrail import plain, record, store
from labs_helpers.sandbox.cloudtrail.record import Call
from labs_helpers.sandbox.cloudtrail.trail import Trail
from labs_helpers.sandbox.identity import Principal
from labs_helpers.sandbox.request_log import OPERATION
from labs_helpers.sandbox.service.store import Store
from labs_helpers.sandbox.sigv4 import Request
from tests.sandbox import sandbox_process

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
LEARNER = Principal("1" * 12, f"arn:aws:iam::{'1' * 12}:user/learner", "AIDAX", "AKIAX")
CALL = Call(LEARNER, "ecr", "DescribeRepositories", "us-west-2", NOW, "r", "127.0.0.1", "aws")


def no_role(account: str, name: str) -> str | None:
    return None


def events(opened: Store) -> list[dict[str, Any]]:
    with opened.read() as db:
        found = store.after(db, ("1" * 12, "us-west-2"), None, (None, None), None, -1)
    return [event for _, event in found]


def test_the_oldest_go_when_there_are_too_many(tmp_path: Path) -> None:
    opened = Store(tmp_path, "CloudTrail", store.SCHEMA)
    calls = [replace(CALL, id=str(number)) for number in range(store.CAPACITY + 3)]
    with opened.write() as db:
        store.add(db, calls, no_role)
    seen = events(opened)
    assert len(seen) == store.CAPACITY
    assert seen[-1]["EventId"] == "3"
    opened.close()


def test_what_is_older_than_ninety_days_goes(tmp_path: Path) -> None:
    opened = Store(tmp_path, "CloudTrail", store.SCHEMA)
    with opened.write() as db:
        store.add(db, [replace(CALL, at=NOW - timedelta(days=91)), CALL], no_role)
    assert [each["EventId"] for each in events(opened)] == [CALL.id]
    opened.close()


def test_long_parameters_are_left_out_with_their_size() -> None:
    params = {"policyText": "x" * (record.LARGEST + 1)}
    shown = record.of(replace(CALL, params=params), no_role)["requestParameters"]
    assert shown == {
        "omitted": True,
        "originalSize": len(json.dumps(params)),
        "reason": "the field is too large",
    }


def test_no_call_keeps_another_one_out_of_the_history(tmp_path: Path) -> None:
    hostile = 'arn:aws:ecr:us-west-2:111111111111:repository/"\ud800'
    opened = Store(tmp_path, "CloudTrail", store.SCHEMA)
    with opened.write() as db:
        store.add(db, [CALL, replace(CALL, id="hostile", resources=[hostile])], no_role)
    assert {each["EventId"] for each in events(opened)} == {CALL.id, "hostile"}
    opened.close()


def trail_in(folder: Path) -> Trail:
    directory = SimpleNamespace(entity_arn=lambda account, kind, name: None)
    authorizer: Any = SimpleNamespace(decisions=Decisions(), directory=directory)
    return Trail(folder, Clock(folder / "clock.json"), authorizer)


def create_user(body: bytes) -> SignedCall:
    headers = {"content-type": "application/x-www-form-urlencoded", "host": "127.0.0.1"}
    request = Request("POST", "/", "", headers)
    signature: Any = SimpleNamespace(service="iam", region="us-east-1")
    environ: Any = {OPERATION: "iam:CreateUser"}
    return SignedCall(environ, request, body, LEARNER, signature)


def test_calls_whose_answers_or_parameters_cannot_be_read_are_recorded(tmp_path: Path) -> None:
    trail = trail_in(tmp_path)
    answers = iter([b"<no xml", b"x" * 70_000])
    recorded = trail.recorded(lambda call: ("200 OK", [], next(answers)))
    form = b"Action=CreateUser&Version=2010-05-08&UserName="
    recorded(create_user(form + b"a"))
    recorded(create_user(form + b"b" * 70_000))
    trail.close()
    trail = trail_in(tmp_path)
    with trail.store.read() as db:
        found = store.after(db, ("1" * 12, "us-east-1"), None, (None, None), None, -1)
    trail.close()
    shown = [json.loads(event["CloudTrailEvent"]) for _, event in found]
    assert [each["eventName"] for each in shown] == ["CreateUser"] * 2
    assert shown[0]["requestParameters"]["originalSize"] == 70_000 + len(form)
    assert shown[0]["responseElements"]["originalSize"] == 70_000


def test_no_value_of_a_stacks_parameter_is_shown() -> None:
    model = model_of("cloudformation")
    assert model is not None
    given = {"StackName": "s", "Parameters": [{"ParameterKey": "Pass", "ParameterValue": "1234"}]}
    shown = plain.parameters(given, model.operation_model("CreateStack"))
    hidden = {"parameterKey": "Pass", "parameterValue": plain.HIDDEN}
    assert shown == {"stackName": "s", "parameters": [hidden]}


def test_the_history_is_there_after_a_restart(tmp_path: Path) -> None:
    running = sandbox_process.start(tmp_path)
    try:
        running.client("ecr").create_repository(repositoryName="kept")
    finally:
        running.stop()
    again = sandbox_process.start(tmp_path)
    try:
        names = [each["EventName"] for each in again.client("cloudtrail").lookup_events()["Events"]]
    finally:
        again.stop()
    assert "CreateRepository" in names
