"""Every operator of https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html"""

from typing import Any

import pytest

from labs_helpers.sandbox.policy.evaluate import evaluate
from labs_helpers.sandbox.policy.model import Policies
from labs_helpers.sandbox.policy.request import Request
from tests.sandbox.policy.examples import DEV, GUIDE, OURS, REPOSITORY, identity, statement

OPERATORS = GUIDE + "reference_policies_elements_condition_operators.html"
SETS = GUIDE + "reference_policies_condition-single-vs-multi-valued-context-keys.html"
LOGIC = GUIDE + "reference_policies_condition-logic-multiple-context-keys-or-values.html"
NO_VALUE = GUIDE + "reference_policies_variables.html#policy-vars-no-value"

ABSENT = None


def holds(condition: dict[str, Any], context: dict[str, Any]) -> bool:
    asked = Request(
        DEV,
        "ecr:PutImage",
        REPOSITORY,
        OURS,
        {
            key.lower(): value if isinstance(value, tuple) else (value,)
            for key, value in context.items()
            if value is not ABSENT
        },
    )
    return evaluate(asked, Policies(identity=(identity(statement(Condition=condition)),))).allowed


@pytest.mark.parametrize(
    ("operator", "wanted", "given", "expected"),
    [
        ("StringEquals", "dev", "dev", True),
        ("StringEquals", "dev", "Dev", False),
        ("StringEquals", "d*", "dev", False),
        ("StringEquals", ["ann", "dev"], "dev", True),
        ("StringEquals", True, "true", True),
        ("StringEquals", 10, "10", True),
        ("StringNotEquals", "dev", "ann", True),
        ("StringNotEquals", ["ann", "dev"], "dev", False),
        ("StringEqualsIgnoreCase", "DEV", "dev", True),
        ("StringNotEqualsIgnoreCase", "DEV", "dev", False),
        ("StringLike", "d*", "dev", True),
        ("StringLike", "d?v", "deev", False),
        ("StringLike", "D*", "dev", False),
        ("StringLike", "${*}", "dev", False),
        ("StringLike", "${*}", "*", True),
        ("StringNotLike", "d*", "dev", False),
        ("StringNotLike", "d*", "ann", True),
        ("NumericEquals", "10", "10.0", True),
        ("NumericEquals", 10, "10", True),
        ("NumericNotEquals", "10", "11", True),
        ("NumericLessThan", "10", "9.5", True),
        ("NumericLessThan", "10", "10", False),
        ("NumericLessThan", "9", "10", False),
        ("NumericLessThanEquals", "10", "10", True),
        ("NumericGreaterThan", "10", "11", True),
        ("NumericGreaterThanEquals", "10", "10", True),
        ("NumericEquals", "10", "ten", False),
        ("DateEquals", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", True),
        ("DateEquals", "1767225600", "2026-01-01T00:00:00Z", True),
        ("DateNotEquals", "2026-01-01", "2026-01-02", True),
        ("DateLessThan", "2026-01-01", "2025-12-31T23:59:59Z", True),
        ("DateLessThanEquals", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", True),
        ("DateGreaterThan", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", False),
        ("DateGreaterThan", "2026", "2026-01-01T00:00:00.5Z", True),
        ("DateGreaterThanEquals", "2026-01-01T00:00Z", "2026-01-01T00:00:00Z", True),
        ("DateEquals", "soon", "2026-01-01T00:00:00Z", False),
        ("Bool", "true", "true", True),
        ("Bool", True, "true", True),
        ("Bool", "true", "false", False),
        ("Bool", "yes", "yes", False),
        ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", True),
        ("BinaryEquals", "QmluYXJ5", "AAECAw==", False),
        ("IpAddress", "203.0.113.0/24", "203.0.113.7", True),
        ("IpAddress", "203.0.113.7", "203.0.113.7", True),
        ("IpAddress", "203.0.113.7", "203.0.113.8", False),
        ("IpAddress", "2001:DB8:1234:5678::/64", "2001:db8:1234:5678::1", True),
        ("IpAddress", "0.0.0.0/0", "2001:db8::1", False),
        ("NotIpAddress", "203.0.113.0/24", "10.0.0.1", True),
        ("NotIpAddress", "203.0.113.0/24", "203.0.113.7", False),
        ("NotIpAddress", "203.0.113.7", "2001:db8::1", True),
        ("NotIpAddress", "0.0.0.0/0", "203.0.113.7", False),
        ("ArnEquals", "arn:aws:iam::*:user/*", DEV.arn, True),
        ("ArnLike", "arn:aws:iam::*:user/*", DEV.arn, True),
        ("ArnLike", "arn:aws:iam::*:role/*", DEV.arn, False),
        ("ArnNotEquals", "arn:aws:iam::*:user/*", DEV.arn, False),
        ("ArnNotLike", "arn:aws:iam::*:role/*", DEV.arn, True),
        # the example of the guide: a wildcard does not reach over a colon
        ("ArnLike", "arn:aws:x:*:111122223333:f/*", "arn:aws:x:r:9:s/a:111122223333:f/d", False),
        ("StringLike", "arn:aws:x:*:111122223333:f/*", "arn:aws:x:r:9:s/a:111122223333:f/d", True),
        # operators and keys are compared without regard to case
        ("stringequals", "dev", "dev", True),
    ],
)
def test_an_operator_compares(operator: str, wanted: Any, given: str, expected: bool) -> None:
    assert holds({operator: {"My:Key": wanted}}, {"my:key": given}) is expected, OPERATORS


@pytest.mark.parametrize(
    ("operator", "given", "expected"),
    [
        ("StringEquals", ABSENT, False),
        ("StringNotEquals", ABSENT, True),
        ("NumericLessThan", ABSENT, False),
        ("NotIpAddress", ABSENT, True),
        ("ArnNotLike", ABSENT, True),
        ("Bool", ABSENT, False),
        ("StringEqualsIfExists", ABSENT, True),
        ("StringNotEqualsIfExists", ABSENT, True),
        ("StringEqualsIfExists", "other", False),
        ("BoolIfExists", ABSENT, True),
        ("ForAnyValue:StringEqualsIfExists", ABSENT, True),
    ],
)
def test_a_key_that_is_absent(operator: str, given: str | None, expected: bool) -> None:
    assert holds({operator: {"my:key": "1"}}, {"my:key": given}) is expected, OPERATORS


@pytest.mark.parametrize(
    ("wanted", "given", "expected"),
    [
        ("true", ABSENT, True),
        ("false", ABSENT, False),
        ("true", "x", False),
        ("false", "x", True),
        (False, "x", True),
        ("true", (), True),
        (["true", "false"], "x", True),
    ],
)
def test_null_asks_whether_there_is_a_key(wanted: Any, given: Any, expected: bool) -> None:
    assert holds({"Null": {"my:key": wanted}}, {"my:key": given}) is expected, OPERATORS


@pytest.mark.parametrize(
    ("operator", "wanted", "given", "expected"),
    [
        ("ForAllValues:StringEquals", ["env", "team"], ("env",), True),
        ("ForAllValues:StringEquals", ["env", "team"], ("env", "team"), True),
        ("ForAllValues:StringEquals", ["env", "team"], ("env", "cost"), False),
        ("ForAllValues:StringEquals", ["env"], ABSENT, True),
        ("ForAllValues:StringEquals", ["env"], ("",), True),
        ("ForAllValues:StringNotLike", "key1*", ("key1:legal",), False),
        ("ForAllValues:StringNotLike", "key1*", ("key2:audit",), True),
        ("ForAllValues:StringNotLike", "key1*", ("key1:hr", "key2:audit"), False),
        ("ForAnyValue:StringEquals", ["env"], ("env", "cost"), True),
        ("ForAnyValue:StringEquals", ["env"], ("cost",), False),
        ("ForAnyValue:StringEquals", ["env"], ABSENT, False),
        ("ForAnyValue:StringNotEquals", ["env"], ("env", "cost"), True),
        ("ForAnyValue:StringNotEquals", ["env"], ABSENT, False),
        # "you must use the ForAllValues or ForAnyValue set operators"
        ("StringEquals", ["env"], ("env", "cost"), False),
        ("StringNotEquals", ["team"], ("env", "cost"), False),
        ("StringEquals", ["env"], ("env",), True),
    ],
)
def test_a_key_with_several_values(operator: str, wanted: Any, given: Any, expected: bool) -> None:
    assert holds({operator: {"aws:TagKeys": wanted}}, {"aws:TagKeys": given}) is expected, SETS


@pytest.mark.parametrize(
    ("condition", "context", "expected", "source"),
    [
        ({"StringEquals": {"a:x": "1", "a:y": "2"}}, {"a:x": "1", "a:y": "2"}, True, LOGIC),
        ({"StringEquals": {"a:x": "1", "a:y": "2"}}, {"a:x": "1", "a:y": "3"}, False, LOGIC),
        ({"StringEquals": {"a:x": "1"}, "Bool": {"a:y": "true"}}, {"a:x": "1"}, False, LOGIC),
        ({"StringEquals": {"a:x": "${a:y}"}}, {"a:x": "1", "a:y": "1"}, True, NO_VALUE),
        ({"StringEquals": {"a:x": "${a:y}"}}, {"a:x": "1"}, False, NO_VALUE),
        ({"StringNotEquals": {"a:x": "${a:y}"}}, {"a:x": "1"}, True, NO_VALUE),
        ({"NumericEquals": {"a:x": "${a:y}"}}, {"a:x": "1", "a:y": "1"}, False, OPERATORS),
    ],
)
def test_keys_and_operators_together(
    condition: dict, context: dict, expected: bool, source: str
) -> None:
    assert holds(condition, context) is expected, source


def test_keys_that_the_request_lacks_are_told() -> None:
    one = statement(
        Resource=["*", "arn:aws:s3:::b/${aws:username}", "arn:aws:s3:::b/${aws:userid, 'x'}"],
        Condition={"Bool": {"aws:SecureTransport": "true"}},
    )
    asked = Request(DEV, "ecr:PutImage", REPOSITORY, OURS)
    decision = evaluate(asked, Policies(identity=(identity(one),)))
    assert decision.missing_context == ("aws:SecureTransport", "aws:username")
