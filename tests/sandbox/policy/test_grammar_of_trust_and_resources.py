"""Trust policies and resource policies that AWS refuses, and policies that are too long."""

from collections.abc import Callable

import pytest

from labs_helpers.sandbox.policy import grammar, quotas
from labs_helpers.sandbox.policy.elements import MalformedPolicy
from tests.sandbox.policy.documents import (
    ABSENT,
    GOOD,
    SHARED,
    SYNTAX,
    TRUST,
    changed,
    refusal,
    text,
)
from tests.sandbox.policy.examples import DEV, OURS


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


GITHUB = "token.actions.githubusercontent.com"
FROM_GITHUB = changed(
    TRUST,
    Principal={"Federated": f"arn:aws:iam::{OURS}:oidc-provider/{GITHUB}"},
    Action="sts:AssumeRoleWithWebIdentity",
)


@pytest.mark.parametrize(
    "condition",
    [
        {"StringLike": {f"{GITHUB}:sub": "repo:octo/demo:*"}},
        {"StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com", f"{GITHUB}:SUB": "repo:a/b:x"}},
        {"ForAnyValue:StringLike": {f"{GITHUB}:sub": ["repo:octo/*"]}},
    ],
)
def test_a_trust_policy_for_github_says_whose_token(condition: dict) -> None:
    grammar.check_trust_policy(text({**FROM_GITHUB, "Condition": condition}))


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"Condition": {"StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com"}}},
        {"Condition": {"StringEquals": {f"{GITHUB}:actor": "repo:octo/demo:*"}}},
        {"Principal": {"Federated": ["cognito-identity.amazonaws.com"]}},
        {"Principal": {"Federated": f"arn:aws:iam::{OURS}:oidc-provider/gitlab.com"}},
        {"Principal": {"Federated": f"arn:aws:iam::{OURS}:oidc-provider/api.pulumi.com/oidc"}},
    ],
)
def test_a_trust_policy_for_a_shared_provider_lets_not_everybody_in(more: dict) -> None:
    message, place = refusal(grammar.check_trust_policy, text({**FROM_GITHUB, **more}))
    assert message.startswith("The trust policy must evaluate ")
    assert place.endswith(".Condition")


def test_a_trust_policy_may_deny_a_shared_provider() -> None:
    grammar.check_trust_policy(text({**FROM_GITHUB, "Effect": "Deny"}))


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
        (changed(SHARED, Resource="*"), False, "Has prohibited field Resource"),
        (changed(SHARED, NotResource="*"), False, "Has prohibited field NotResource"),
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


def test_a_policy_of_a_registry_has_its_own_actions() -> None:
    """https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry-permissions.html"""

    def check(document: str) -> None:
        grammar.check_resource_policy(document, "ecr", True, {"ecr:replicateimage"})

    one = changed(SHARED, Resource="*", Action="ecr:ReplicateImage")
    check(text(one))
    assert refusal(check, text(changed(one, Action=["ecr:ReplicateImage", "ecr:PutImage"]))) == (
        "Policy has invalid action",
        "Statement[0].Action[1]",
    )


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
