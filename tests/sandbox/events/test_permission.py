"""The policy on a queue, a topic or a log group decides whether EventBridge may send to it."""

from __future__ import annotations

from typing import Any

import pytest

from labs_helpers.sandbox.events.permission import NotLetIn, Sender, require
from tests.policies import policy

QUEUE = "arn:aws:sqs:us-west-2:123456789012:pushed"
RULE = "arn:aws:events:us-west-2:123456789012:rule/pushed"
ALLOW = {
    "Effect": "Allow",
    "Principal": {"Service": "events.amazonaws.com"},
    "Action": "sqs:SendMessage",
    "Resource": QUEUE,
}


def ask(*statements: dict[str, Any]) -> None:
    require(Sender(RULE, "123456789012"), "sqs:SendMessage", QUEUE, [policy(*statements)])


def when(**keys: str) -> dict[str, Any]:
    return {**ALLOW, "Condition": {"ArnEquals": {"aws:SourceArn": keys["rule"]}}}


def test_a_statement_for_the_service_lets_it_in() -> None:
    ask(ALLOW)
    ask(when(rule=RULE))
    ask({**ALLOW, "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}}})


@pytest.mark.parametrize(
    "statement",
    [
        {**ALLOW, "Principal": {"Service": "sns.amazonaws.com"}},
        {**ALLOW, "Principal": {"AWS": "arn:aws:iam::123456789012:root"}},
        {**ALLOW, "Action": "sqs:ReceiveMessage"},
        {**ALLOW, "Resource": f"{QUEUE}-other"},
        when(rule=f"{RULE}-other"),
    ],
)
def test_another_statement_does_not(statement: dict[str, Any]) -> None:
    with pytest.raises(NotLetIn, match=r"allows events\.amazonaws\.com the action sqs:SendMessage"):
        ask(statement)


def test_a_deny_keeps_it_out() -> None:
    with pytest.raises(NotLetIn, match="denies"):
        ask(ALLOW, {**ALLOW, "Effect": "Deny"})


def test_without_a_policy_nobody_is_let_in() -> None:
    with pytest.raises(NotLetIn):
        require(Sender(RULE, "123456789012"), "sqs:SendMessage", QUEUE, [])
