"""What a simulation is given, so that it decides as for the requests that a principal can make."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from labs_helpers.checks.request_context import MOST, contexts, entries, filled, of_principal

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
USER = of_principal("arn:aws:iam::123456789012:user/team/labs-ci", {"job": "ci"}, "AIDA1")


def asked(*conditions: dict[str, Any]) -> list[dict[str, str]]:
    found = contexts([{"Condition": one} for one in conditions], USER, NOW)
    assert found[0] == ()
    return [dict(one) for one in found[1:]]


def test_every_request_of_a_user_says_who_asks() -> None:
    assert USER == {
        "aws:PrincipalArn": "arn:aws:iam::123456789012:user/team/labs-ci",
        "aws:PrincipalAccount": "123456789012",
        "aws:PrincipalIsAWSService": "false",
        "aws:PrincipalType": "User",
        "aws:SecureTransport": "true",
        "aws:ViaAWSService": "false",
        "aws:username": "labs-ci",
        "aws:userid": "AIDA1",
        "aws:PrincipalTag/job": "ci",
    }
    role = of_principal("arn:aws:iam::123456789012:role/demo", {})
    assert role["aws:PrincipalType"] == "AssumedRole"
    assert "aws:username" not in role


def test_the_two_keys_of_the_time_are_of_one_moment() -> None:
    given = {
        one["ContextKeyName"]: one for one in entries({"aws:CurrentTime": "2026-11-29T12:00:00Z"})
    }
    assert given["aws:EpochTime"]["ContextKeyValues"] == [str(int(NOW.timestamp()))]
    assert given["aws:CurrentTime"]["ContextKeyType"] == "date"


@pytest.mark.parametrize(
    "key",
    ["aws:username", "AWS:UserName", "aws:PrincipalTag/job", "aws:ResourceAccount"],
)
def test_what_no_request_can_choose_is_not_varied(key: str) -> None:
    assert asked({"StringEquals": {key: "x"}}) == []


def test_a_time_is_tried_on_both_sides_but_never_before_now() -> None:
    late = asked({"DateLessThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"}})
    assert [one["aws:CurrentTime"] for one in late] == [
        "2026-11-29T12:00:00Z",
        "2026-12-31T00:00:00Z",
        "2027-01-01T00:00:00Z",
        "2027-01-02T00:00:00Z",
    ]
    gone = asked({"NumericLessThan": {"aws:EpochTime": "1600000000"}})
    assert gone == [{"aws:CurrentTime": "2026-11-29T12:00:00Z"}]


def test_keys_of_one_condition_are_tried_together_and_a_key_has_one_name() -> None:
    found = asked(
        {
            "Bool": {"aws:MultiFactorAuthPresent": "true"},
            "IpAddress": {"aws:SourceIp": "10.0.0.0/8"},
        }
    )
    assert {"aws:MultiFactorAuthPresent": "true", "aws:SourceIp": "10.0.0.0"} in found
    assert {"aws:MultiFactorAuthPresent": "false", "aws:SourceIp": "203.0.113.7"} in found


def test_keys_of_two_statements_are_tried_together() -> None:
    allows = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    denies = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
    wanted = {"aws:SourceIp": "10.0.0.0", "aws:MultiFactorAuthPresent": "true"}
    assert wanted in asked(allows, denies)


def test_of_very_many_contexts_some_are_tried() -> None:
    keys = {f"aws:RequestTag/{n}": ["a", "b", "c"] for n in range(9)}
    assert len(asked({"StringLike": keys})) == MOST - 1


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("user/${aws:username}/*", "user/labs-ci/*"),
        ("${AWS:PrincipalTag/job}", "ci"),
        ("${aws:PrincipalTag/team, 'nobody'}", "nobody"),
        ("${aws:SourceIdentity}", "x"),
        ("a${*}b${?}${$}", "a*b?$"),
    ],
)
def test_variables_are_what_the_requests_bring(text: str, means: str) -> None:
    assert filled(text, USER) == means


@pytest.mark.parametrize(
    ("operator", "value"),
    [
        ("DateLessThan", "soon"),
        ("NumericLessThan", "many"),
        ("NumericLessThan", "1e999"),
        ("IpAddress", "here"),
        ("DateLessThan", "99999999999999999999"),
        ("Nonsense", True),
    ],
)
def test_a_value_that_nobody_can_read_stops_nothing(operator: str, value: object) -> None:
    contexts([{"Condition": {operator: {"aws:Any": value}}}], USER, NOW)
