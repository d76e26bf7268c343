"""What IAM, ECR and STS do not take, in AWS's words, with the place.

Form: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from labs_helpers.sandbox.policy import grammar, quotas
from labs_helpers.sandbox.policy.malformed import MalformedPolicy
from tests.sandbox.policy.world import DEV, OURS, REPOSITORY

SYNTAX = "Syntax errors in policy."
LEGACY = "The policy failed legacy parsing"
VENDOR = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
GOOD = {"Effect": "Allow", "Action": "ecr:PutImage", "Resource": REPOSITORY}
TRUST = {"Effect": "Allow", "Principal": {"AWS": OURS}, "Action": "sts:AssumeRole"}
SHARED = {"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}

ABSENT = object()


def changed(one: dict[str, Any], **elements: Any) -> dict[str, Any]:
    made = {**one, **elements}
    return {name: value for name, value in made.items() if value is not ABSENT}


def text(*statements: Any, **top: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements), **top})


def refusal(check: Callable[[str], None], document: str) -> tuple[str, str]:
    with pytest.raises(MalformedPolicy) as refused:
        check(document)
    return refused.value.message, refused.value.place


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


@pytest.mark.parametrize(
    "one",
    [
        TRUST,
        changed(TRUST, Principal={"AWS": DEV.arn}),
        changed(TRUST, Principal={"AWS": "*"}),
        changed(TRUST, Principal={"Service": ["ecs-tasks.amazonaws.com"]}),
        changed(
            TRUST,
            Principal={"Federated": f"arn:aws:iam::{OURS}:oidc-provider/oidc.example"},
            Action="sts:AssumeRoleWithWebIdentity",
            Condition={"StringEquals": {"oidc.example:aud": "sts.amazonaws.com"}},
        ),
        changed(TRUST, Action=["sts:AssumeRole", "sts:TagSession"]),
    ],
)
def test_a_good_trust_policy_is_taken(one: dict) -> None:
    grammar.check_trust_policy(text(one))


@pytest.mark.parametrize(
    ("one", "message", "place"),
    [
        (changed(TRUST, Resource="*"), "Has prohibited field Resource", "Statement[0].Resource"),
        (changed(TRUST, Principal=ABSENT), "Missing required field Principal", "Statement[0]"),
        (changed(TRUST, Effect=ABSENT), "Missing required field Effect", "Statement[0]"),
        (changed(TRUST, Action=ABSENT), "Missing required field Action", "Statement[0]"),
        (
            changed(TRUST, Principal={}),
            "Missing required field Principal cannot be empty!",
            "Statement[0].Principal",
        ),
        (
            changed(TRUST, Principal="*"),
            'Invalid principal in policy: "STAR":"*"',
            "Statement[0].Principal",
        ),
        (
            changed(TRUST, Principal={"AWS": ["*", f"arn:aws:iam::{OURS}:user/*"]}),
            f'Invalid principal in policy: "AWS":"arn:aws:iam::{OURS}:user/*"',
            "Statement[0].Principal.AWS[1]",
        ),
        (
            changed(TRUST, Principal={"AWS": f"arn:aws:iam::{OURS}:group/pushers"}),
            f'Invalid principal in policy: "AWS":"arn:aws:iam::{OURS}:group/pushers"',
            "Statement[0].Principal.AWS",
        ),
        (
            changed(TRUST, Principal={"Service": "ecs-tasks"}),
            'Invalid principal in policy: "SERVICE":"ecs-tasks"',
            "Statement[0].Principal.Service",
        ),
        (
            changed(TRUST, Action=["sts:AssumeRole", "ecr:*"]),
            "AssumeRole policy may only specify STS AssumeRole actions.",
            "Statement[0].Action[1]",
        ),
        (
            changed(TRUST, Principal=ABSENT, NotPrincipal={"AWS": OURS}),
            "AssumeRole policy must not contain NotPrincipal field.",
            "Statement[0].NotPrincipal",
        ),
    ],
)
def test_what_a_trust_policy_must_not_be(one: dict, message: str, place: str) -> None:
    assert refusal(grammar.check_trust_policy, text(one)) == (message, place)


def test_a_trust_policy_that_is_no_json() -> None:
    assert refusal(grammar.check_trust_policy, "{") == ("This policy contains invalid Json", "")


def test_a_trust_policy_names_principals_that_exist() -> None:
    def check(document: str) -> None:
        grammar.check_trust_policy(document, exists=lambda arn: arn != DEV.arn)

    named = text(changed(TRUST, Principal={"AWS": DEV.arn}))
    assert refusal(check, named) == (
        f'Invalid principal in policy: "AWS":"{DEV.arn}"',
        "Statement[0].Principal.AWS",
    )


@pytest.mark.parametrize(
    ("one", "needs_resource", "message"),
    [
        (SHARED, False, None),
        (changed(SHARED, Sid="new statement"), False, None),
        (changed(SHARED, Principal={"AWS": [DEV.arn, OURS]}), False, None),
        (changed(SHARED, Principal=ABSENT, NotPrincipal={"AWS": OURS}), False, None),
        (changed(SHARED, Resource="*"), True, None),
        (SHARED, True, "Policy statement must contain resources."),
        (changed(SHARED, Principal=ABSENT), False, "Missing required field Principal"),
        (changed(SHARED, Action="s3:GetObject"), False, "Policy has invalid action"),
        (changed(SHARED, Condition={"StringEqual": {"aws:x": "y"}}), False, SYNTAX),
    ],
)
def test_the_policy_of_a_resource(one: dict, needs_resource: bool, message: str | None) -> None:
    def check(document: str) -> None:
        grammar.check_resource_policy(document, "ecr", needs_resource)

    if message is None:
        check(text(one))
    else:
        assert refusal(check, text(one))[0] == message


def test_the_place_can_be_shown_with_the_words() -> None:
    with pytest.raises(MalformedPolicy) as refused:
        grammar.check_identity_policy(text(changed(GOOD, Actions="*")))
    assert refused.value.located == "Syntax errors in policy. (Statement[0].Actions)"


@pytest.mark.parametrize(
    ("check", "limit", "message"),
    [
        (quotas.check_managed, 6144, "Cannot exceed quota for PolicySize: 6144"),
        (quotas.check_trust, 2048, "Cannot exceed quota for ACLSizePerRole: 2048"),
        (
            lambda text: quotas.check_inline("user", "dev", [text]),
            2048,
            "Maximum policy size of 2048 bytes exceeded for user dev",
        ),
    ],
)
def test_white_space_does_not_count_but_length_is_limited(
    check: Callable[[str], None], limit: int, message: str
) -> None:
    check("x" * limit + " \n\t" * 1000)
    with pytest.raises(MalformedPolicy) as refused:
        check("x" * (limit + 1))
    assert (refused.value.message, refused.value.code) == (message, "LimitExceeded")


def test_inline_policies_count_together() -> None:
    with pytest.raises(MalformedPolicy):
        quotas.check_inline("group", "pushers", ["x" * 3000, "x" * 3000])
