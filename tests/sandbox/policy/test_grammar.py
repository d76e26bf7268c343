"""Identity policies that IAM refuses, with AWS's message and the place.

Form: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

import json

import pytest

from labs_helpers.sandbox.policy import grammar
from labs_helpers.sandbox.policy.elements import MalformedPolicy
from tests.sandbox.policy.documents import (
    ABSENT,
    GOOD,
    LEGACY,
    SYNTAX,
    VENDOR,
    changed,
    refusal,
    text,
)


@pytest.mark.parametrize(
    "document",
    [
        text(GOOD),
        json.dumps({"Statement": GOOD}),
        text(changed(GOOD, Sid="Push1"), changed(GOOD, Sid="Push2")),
        text(changed(GOOD, Action=ABSENT, NotAction=["iam:*", "sts:*"])),
        text(changed(GOOD, Resource=ABSENT, NotResource="arn:aws:s3:::b/*")),
        text(changed(GOOD, Action="*", Resource="*")),
        text(changed(GOOD, Resource="arn:aws:iam::*:user/${aws:username}")),
        text(changed(GOOD, Condition={"ForAnyValue:StringLikeIfExists": {"aws:TagKeys": ["a*"]}})),
        text(changed(GOOD, Condition={"Bool": {"aws:SecureTransport": True}})),
        text(changed(GOOD, Condition={"NumericLessThan": {"aws:MultiFactorAuthAge": 3600}})),
        text(changed(GOOD, Condition={"DateLessThan": {"aws:CurrentTime": "2026-07-01T00:00Z"}})),
        text(changed(GOOD, Condition={})),
    ],
)
def test_a_good_identity_policy_is_taken(document: str) -> None:
    grammar.check_identity_policy(document)


@pytest.mark.parametrize(
    ("document", "message", "place"),
    [
        ("{", SYNTAX, ""),
        ("[]", SYNTAX, ""),
        ("null", SYNTAX, ""),
        ("[" * 100_000, SYNTAX, ""),
        ('{"Statement": {"Effect": "Allow", "Effect": "Deny"}}', SYNTAX, "Effect"),
        (text(GOOD, Extra=1), SYNTAX, "Extra"),
        (text(GOOD, Version="2012-10-18"), SYNTAX, "Version"),
        (text(GOOD, Id=1), SYNTAX, "Id"),
        (json.dumps({"Version": "2012-10-17"}), SYNTAX, "Statement"),
        (text(), SYNTAX, "Statement"),
        (text(GOOD, "x"), SYNTAX, "Statement[1]"),
        (text(GOOD, changed(GOOD, Actions="*")), SYNTAX, "Statement[1].Actions"),
        (text(changed(GOOD, Effect=ABSENT)), SYNTAX, "Statement[0].Effect"),
        (text(changed(GOOD, Effect="Permit")), SYNTAX, "Statement[0].Effect"),
        (text(changed(GOOD, Effect="allow")), LEGACY, "Statement[0].Effect"),
        (text(changed(GOOD, NotAction="s3:*")), SYNTAX, "Statement[0].NotAction"),
        (text(changed(GOOD, NotResource="*")), SYNTAX, "Statement[0].NotResource"),
        (text(changed(GOOD, Action=5)), SYNTAX, "Statement[0].Action"),
        (text(changed(GOOD, Resource=["*", 5])), SYNTAX, "Statement[0].Resource[1]"),
        (text(changed(GOOD, Sid=5)), SYNTAX, "Statement[0].Sid"),
        (
            text(changed(GOOD, Sid="no spaces")),
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies "
            "the regular expression [0-9A-Za-z]*",
            "Statement[0].Sid",
        ),
        (
            text(changed(GOOD, Sid="A"), changed(GOOD, Sid="A")),
            "Statement IDs (SID) in a single policy must be unique.",
            "Statement[1].Sid",
        ),
        (
            text(changed(GOOD, Action=ABSENT)),
            "Policy statement must contain actions.",
            "Statement[0]",
        ),
        (text(changed(GOOD, Action=[])), "Policy statement must contain actions.", "Statement[0]"),
        (
            text(GOOD, changed(GOOD, Resource=ABSENT)),
            "Policy statement must contain resources.",
            "Statement[1]",
        ),
        (text(changed(GOOD, Action=["ecr:*", "Put"])), VENDOR, "Statement[0].Action[1]"),
        (
            text(changed(GOOD, Action="ecr:Put:Image")),
            "Actions/Condition can contain only one colon.",
            "Statement[0].Action",
        ),
        (text(changed(GOOD, Action="e*r:Put")), "Vendor e*r is not valid", "Statement[0].Action"),
        (
            text(changed(GOOD, Resource="demo")),
            'Resource demo must be in ARN format or "*".',
            "Statement[0].Resource",
        ),
        (text(changed(GOOD, Resource="arn:aws:ecr:*")), LEGACY, "Statement[0].Resource"),
        (
            text(changed(GOOD, Resource="arn:azure:ecr:r:1:repository/x")),
            'Partition "azure" is not valid for resource "arn:azure:ecr:r:1:repository/x".',
            "Statement[0].Resource",
        ),
        (
            text(changed(GOOD, Resource="arn:aws:e*:r:1:repository/x")),
            "Resource vendor must be fully qualified and cannot contain regexes.",
            "Statement[0].Resource",
        ),
        (
            text(changed(GOOD, Resource="arn:aws:iam:us-east-1:1:user/x")),
            "IAM resource arn:aws:iam:us-east-1:1:user/x cannot contain region information.",
            "Statement[0].Resource",
        ),
        (
            text(changed(GOOD, Principal="*")),
            "Policy document should not specify a principal.",
            "Statement[0].Principal",
        ),
        (text(changed(GOOD, Condition=[])), SYNTAX, "Statement[0].Condition"),
        (
            text(changed(GOOD, Condition={"StringEqual": {"aws:username": "dev"}})),
            SYNTAX,
            "Statement[0].Condition.StringEqual",
        ),
        (
            text(changed(GOOD, Condition={"ForSome:StringEquals": {"aws:username": "dev"}})),
            SYNTAX,
            "Statement[0].Condition.ForSome:StringEquals",
        ),
        (
            text(changed(GOOD, Condition={"NullIfExists": {"aws:username": "true"}})),
            SYNTAX,
            "Statement[0].Condition.NullIfExists",
        ),
        (
            text(changed(GOOD, Condition={"StringEquals": {"aws:username": None}})),
            SYNTAX,
            "Statement[0].Condition.StringEquals.aws:username",
        ),
        (
            text(changed(GOOD, Condition={"StringEquals": {"username": "dev"}})),
            VENDOR,
            "Statement[0].Condition.StringEquals.username",
        ),
        (
            text(changed(GOOD, Condition={"DateLessThan": {"aws:CurrentTime": ["2026", "soon"]}})),
            LEGACY,
            "Statement[0].Condition.DateLessThan.aws:CurrentTime[1]",
        ),
    ],
)
def test_what_iam_does_not_take(document: str, message: str, place: str) -> None:
    assert refusal(grammar.check_identity_policy, document) == (message, place)


def test_a_managed_policy_must_say_the_current_version() -> None:
    """moto's tests of CreatePolicy record IAM's words."""
    older = text(GOOD, Version="2008-10-17")
    grammar.check_identity_policy(older)
    message = "Policy document must be version 2012-10-17 or greater."
    with pytest.raises(MalformedPolicy, match=message):
        grammar.check_identity_policy(older, managed=True)
