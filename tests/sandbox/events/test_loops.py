"""A rule that starts what its own events tell of is ended after a number of starts."""

from __future__ import annotations

from typing import Any
from unittest.mock import MagicMock

import pytest

from labs_helpers.sandbox.events import starts
from labs_helpers.sandbox.events.loops import MOST, WITHIN, Loops
from labs_helpers.sandbox.events.permission import Sender
from labs_helpers.sandbox.events.sending import Failed, Sending

RULE = "arn:aws:events:us-west-2:123456789012:rule/round"
PROJECT = "arn:aws:codebuild:us-west-2:123456789012:project/site"


def sending(kind: str = "CodeBuild Build State Change", arn: str = PROJECT) -> Sending:
    target: dict[str, Any] = {"Id": "1", "Arn": arn, "RoleArn": "arn:aws:iam::123456789012:role/r"}
    event = {"detail-type": kind, "detail": {}}
    return Sending(Sender(RULE, "123456789012"), arn, "{}", target, event, lambda *asked: None)


def test_a_circular_trigger_ends_with_the_reason() -> None:
    roles = MagicMock()
    build = starts.senders(roles, MagicMock(), MagicMock())["codebuild"]
    started = roles.assume.return_value.client.return_value.start_build
    for _ in range(MOST):
        build(sending())
    with pytest.raises(Failed, match=f"the rule round started {PROJECT} {MOST} times in 10") as why:
        build(sending())
    assert (why.value.code, why.value.again) == ("ERROR_FROM_TARGET", False)
    assert started.call_count == MOST
    build(sending(arn=f"{PROJECT}-2"))
    assert started.call_count == MOST + 1


def test_starts_of_long_ago_do_not_count() -> None:
    now = [0.0]
    loops = Loops(lambda: now[0])
    for _ in range(MOST):
        loops.note(sending())
    with pytest.raises(Failed):
        loops.check(sending())
    now[0] = WITHIN + 1
    loops.check(sending())


def test_a_schedule_may_start_more() -> None:
    loops = Loops()
    for _ in range(MOST + 1):
        loops.note(sending("Scheduled Event"))
    loops.check(sending("Scheduled Event"))
