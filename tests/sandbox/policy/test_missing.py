"""The smallest statement that would allow a refused request, and the policy to add it to."""

from dataclasses import replace

import pytest

from labs_helpers.sandbox.policy.evaluate import evaluate
from labs_helpers.sandbox.policy.missing import smallest_statement, where
from labs_helpers.sandbox.policy.model import Kind, Policies
from labs_helpers.sandbox.policy.request import Request
from tests.sandbox.policy.examples import (
    ALLOW,
    ANYONE,
    CODEBUILD,
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
)

FULL = identity(ALLOW)
ROLE = f"arn:aws:iam::{OURS}:role/deployer"
OBJECT = "arn:aws:s3:::bucket/key"
TRUST = (policy(Kind.TRUST, {**NOTHING, "Principal": "*"}),)
CASES = [
    (
        request(),
        Policies(),
        {"Effect": "Allow", "Action": "ecr:PutImage", "Resource": REPOSITORY},
        f"an identity-based policy of {DEV.arn}",
    ),
    (
        request(action="ecr:GetAuthorizationToken", resource="*"),
        Policies(),
        {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
        f"an identity-based policy of {DEV.arn}",
    ),
    # a repository's policy needs no Resource
    (
        request(STRANGER),
        Policies(identity=(FULL,)),
        {"Effect": "Allow", "Principal": {"AWS": STRANGER.arn}, "Action": "ecr:PutImage"},
        f"the policy of {REPOSITORY}, in account {OURS}",
    ),
    (
        request(CODEBUILD),
        Policies(),
        {"Effect": "Allow", "Principal": {"Service": CODEBUILD.arn}, "Action": "ecr:PutImage"},
        f"the policy of {REPOSITORY}, in account {OURS}",
    ),
    (
        request(ANYONE, "s3:GetObject", OBJECT),
        Policies(),
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": OBJECT},
        f"the policy of {OBJECT}, in account {OURS}",
    ),
    (
        request(SESSION, "sts:AssumeRole", ROLE),
        Policies(identity=(FULL,), resource=TRUST),
        {
            "Effect": "Allow",
            "Principal": {"AWS": SESSION.principal_arn},
            "Action": "sts:AssumeRole",
        },
        f"the trust policy of {ROLE}",
    ),
    (
        request(PROVIDER, "sts:AssumeRoleWithWebIdentity", ROLE),
        Policies(resource=TRUST),
        {
            "Effect": "Allow",
            "Principal": {"Federated": PROVIDER.arn},
            "Action": "sts:AssumeRoleWithWebIdentity",
        },
        f"the trust policy of {ROLE}",
    ),
    (
        request(),
        Policies(identity=(FULL,), boundary=policy(Kind.BOUNDARY, NOTHING)),
        {"Effect": "Allow", "Action": "ecr:PutImage", "Resource": REPOSITORY},
        f"the permissions boundary of {DEV.arn}",
    ),
    (
        request(SESSION),
        Policies(identity=(FULL,), session=(policy(Kind.SESSION, NOTHING),)),
        {"Effect": "Allow", "Action": "ecr:PutImage", "Resource": REPOSITORY},
        f"the session policy of {SESSION.arn}",
    ),
    (
        request(),
        Policies(identity=(FULL,), service_control=((),)),
        {"Effect": "Allow", "Action": "ecr:PutImage", "Resource": REPOSITORY},
        f"a service control policy over account {OURS}",
    ),
    (
        request(),
        Policies(identity=(FULL,), resource_control=((),)),
        {"Effect": "Allow", "Principal": "*", "Action": "ecr:PutImage", "Resource": REPOSITORY},
        f"a resource control policy over account {OURS}",
    ),
]


@pytest.mark.parametrize(("asked", "held", "wanted", "place"), CASES)
def test_the_statement_that_is_missing(
    asked: Request, held: Policies, wanted: dict, place: str
) -> None:
    decision = evaluate(asked, held)
    assert smallest_statement(asked, decision) == wanted
    assert where(asked, decision) == place


@pytest.mark.parametrize(("asked", "held", "wanted", "place"), CASES)
def test_with_it_the_request_goes_through(
    asked: Request, held: Policies, wanted: dict, place: str
) -> None:
    kind = evaluate(asked, held).kind
    assert kind is not None
    added = policy(kind, wanted)
    with_it = {
        Kind.IDENTITY: lambda: replace(held, identity=(*held.identity, added)),
        Kind.RESOURCE: lambda: replace(held, resource=(*held.resource, added)),
        Kind.TRUST: lambda: replace(held, resource=(*held.resource, added)),
        Kind.BOUNDARY: lambda: replace(held, boundary=added),
        Kind.SESSION: lambda: replace(held, session=(added,)),
        Kind.SERVICE_CONTROL: lambda: replace(held, service_control=((added,),)),
        Kind.RESOURCE_CONTROL: lambda: replace(held, resource_control=((added,),)),
    }[kind]()
    assert evaluate(asked, with_it).allowed, place


@pytest.mark.parametrize("statements", [[ALLOW], [ALLOW, DENY]])
def test_nothing_to_add_to_what_is_allowed_or_explicitly_denied(statements: list) -> None:
    decision = evaluate(request(), Policies(identity=(identity(*statements),)))
    assert smallest_statement(request(), decision) == {}
