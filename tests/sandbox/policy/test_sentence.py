"""AWS's refusal messages: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html"""

import pytest

from labs_helpers.sandbox.policy.evaluate import evaluate
from labs_helpers.sandbox.policy.model import Kind, Policies
from labs_helpers.sandbox.policy.request import Request
from labs_helpers.sandbox.policy.sentence import sentence
from tests.sandbox.policy.examples import (
    ALLOW,
    ANYONE,
    DENY,
    DEV,
    NOTHING,
    OURS,
    PROVIDER,
    REPOSITORY,
    SESSION,
    STRANGER,
    identity,
    policy,
    request,
    resource,
    statement,
)

FULL = identity(ALLOW)
ROLE = f"arn:aws:iam::{OURS}:role/deployer"
TO_ALL = statement("Deny", Principal="*")
PUT = f"User: {DEV.arn} is not authorized to perform: ecr:PutImage on resource: {REPOSITORY}"
GET = 'is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::b/k"'
ASSUME = f"User: {DEV.arn} is not authorized to perform: sts:AssumeRole on resource: {ROLE}"
BY_SESSION = (
    f"User: {SESSION.arn} is not authorized to perform: ecr:PutImage on resource: {REPOSITORY}"
)


def managed(kind: Kind, name: str) -> object:
    return policy(kind, ALLOW, DENY, arn=f"arn:aws:iam::{OURS}:policy/{name}")


@pytest.mark.parametrize(
    ("asked", "held", "words"),
    [
        (
            request(action="ecr:InitiateLayerUpload"),
            Policies(),
            f"User: arn:aws:iam::{OURS}:user/dev is not authorized to perform: "
            "ecr:InitiateLayerUpload on resource: "
            f"arn:aws:ecr:us-west-2:{OURS}:repository/demo-app-repo "
            "because no identity-based policy allows the ecr:InitiateLayerUpload action",
        ),
        (
            request(action="ecr:GetAuthorizationToken", resource="*"),
            Policies(),
            f"User: {DEV.arn} is not authorized to perform: ecr:GetAuthorizationToken "
            "on resource: * because no identity-based policy allows the "
            "ecr:GetAuthorizationToken action",
        ),
        (
            request(),
            Policies(identity=(FULL, identity(DENY))),
            f"{PUT} with an explicit deny in an identity-based policy",
        ),
        (
            request(),
            Policies(identity=(managed(Kind.IDENTITY, "NoPush"),)),
            f"{PUT} with an explicit deny in an identity-based policy: "
            f"arn:aws:iam::{OURS}:policy/NoPush",
        ),
        (
            request(),
            Policies(identity=(FULL,), resource=(resource(TO_ALL),)),
            f"{PUT} with an explicit deny in a resource-based policy",
        ),
        (
            request(),
            Policies(identity=(FULL,), boundary=policy(Kind.BOUNDARY, NOTHING)),
            f"{PUT} because no permissions boundary allows the ecr:PutImage action",
        ),
        (
            request(),
            Policies(identity=(FULL,), boundary=managed(Kind.BOUNDARY, "Limit")),
            f"{PUT} with an explicit deny in a permissions boundary: "
            f"arn:aws:iam::{OURS}:policy/Limit",
        ),
        (
            request(SESSION),
            Policies(identity=(FULL,), session=(policy(Kind.SESSION, NOTHING),)),
            f"{BY_SESSION} because no session policy allows the ecr:PutImage action",
        ),
        (
            request(SESSION),
            Policies(identity=(FULL,), session=(policy(Kind.SESSION, ALLOW, DENY),)),
            f"{BY_SESSION} with an explicit deny in a session policy",
        ),
        (
            request(),
            Policies(identity=(FULL,), service_control=((policy(Kind.SERVICE_CONTROL, NOTHING),),)),
            f"{PUT} because no service control policy allows the ecr:PutImage action",
        ),
        (
            request(),
            Policies(identity=(FULL,), service_control=((policy(Kind.SERVICE_CONTROL, DENY),),)),
            f"{PUT} with an explicit deny in a service control policy",
        ),
        (
            request(),
            Policies(identity=(FULL,), resource_control=((policy(Kind.RESOURCE_CONTROL, DENY),),)),
            f"{PUT} with an explicit deny in a resource control policy",
        ),
        (
            request(STRANGER),
            Policies(identity=(FULL,)),
            f"User: {STRANGER.arn} is not authorized to perform: ecr:PutImage on resource: "
            f"{REPOSITORY} because no resource-based policy allows the ecr:PutImage action",
        ),
        (
            request(action="sts:AssumeRole", resource=ROLE),
            Policies(identity=(FULL,), resource=(policy(Kind.TRUST, NOTHING),)),
            f"{ASSUME} because no role trust policy allows the sts:AssumeRole action",
        ),
        (
            request(action="sts:AssumeRole", resource=ROLE),
            Policies(identity=(FULL,), resource=(policy(Kind.TRUST, TO_ALL),)),
            f"{ASSUME} with an explicit deny in the role trust policy",
        ),
        # S3 has its own punctuation:
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html
        (
            request(action="s3:GetObject", resource="arn:aws:s3:::b/k"),
            Policies(identity=(managed(Kind.IDENTITY, "NoGet"),)),
            f"User: {DEV.arn} {GET} with an explicit deny in an identity-based policy, "
            f"with policy ARN: arn:aws:iam::{OURS}:policy/NoGet",
        ),
        (
            request(ANYONE, action="s3:GetObject", resource="arn:aws:s3:::b/k"),
            Policies(),
            f"User: anonymous {GET} because no resource-based policy allows the s3:GetObject "
            "action",
        ),
    ],
)
def test_a_refusal_says_who_what_where_and_why(asked: Request, held: Policies, words: str) -> None:
    assert sentence(asked, evaluate(asked, held)) == words


def test_a_token_of_an_identity_provider_is_refused_in_few_words() -> None:
    """As in https://github.com/aws-actions/configure-aws-credentials/issues/318"""
    asked = request(PROVIDER, "sts:AssumeRoleWithWebIdentity", ROLE)
    words = "Not authorized to perform sts:AssumeRoleWithWebIdentity"
    assert sentence(asked, evaluate(asked, Policies())) == words


def test_a_policy_of_another_account_is_not_named() -> None:
    """The ARN "is only provided in same-account and same-organization scenarios":
    https://aws.amazon.com/blogs/security/enhanced-access-denied-error-messages-with-policy-arns
    """
    asked = request(STRANGER)
    decision = evaluate(asked, Policies(identity=(managed(Kind.IDENTITY, "NoPush"),)))
    assert sentence(asked, decision).endswith("in an identity-based policy")
