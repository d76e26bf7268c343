"""The callers that a statement applies to: Principal, NotPrincipal, and who may assume a role."""

import pytest

from labs_helpers.sandbox.policy.evaluate import evaluate
from labs_helpers.sandbox.policy.model import Kind, Outcome, Policies
from labs_helpers.sandbox.policy.request import Caller
from tests.sandbox.policy.examples import (
    ALLOW,
    CODEBUILD,
    DEV,
    FEDERATED,
    GUIDE,
    NOTHING,
    OURS,
    PROVIDER,
    ROOT,
    SESSION,
    STRANGER,
    STRANGER_ROOT,
    THEIRS,
    identity,
    policy,
    request,
    resource,
    statement,
)

PRINCIPAL = GUIDE + "reference_policies_elements_principal.html"
NOT_PRINCIPAL = GUIDE + "reference_policies_elements_notprincipal.html"
BOUNDARIES = GUIDE + "access_policies_boundaries.html"
ASSUME = "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"
ROLE = f"arn:aws:iam::{OURS}:role/deployer"
FULL = identity(ALLOW)
DENIED, SPARED = Outcome.EXPLICIT_DENY, Outcome.ALLOWED


@pytest.mark.parametrize(
    ("caller", "element", "meant"),
    [
        (DEV, {"AWS": DEV.arn}, True),
        (DEV, {"AWS": [STRANGER.arn, DEV.arn]}, True),
        (DEV, {"AWS": DEV.arn.replace("dev", "DEV")}, False),
        (DEV, {"AWS": f"arn:aws:iam::{OURS}:user/*"}, False),
        (DEV, {"AWS": OURS}, True),
        (DEV, {"AWS": ROOT.arn}, True),
        (DEV, {"AWS": THEIRS}, False),
        (DEV, "*", True),
        (DEV, {"AWS": "*"}, True),
        (DEV, {"Service": "codebuild.amazonaws.com"}, False),
        (SESSION, {"AWS": SESSION.arn}, True),
        (SESSION, {"AWS": SESSION.principal_arn}, True),
        (SESSION, {"AWS": f"arn:aws:sts::{OURS}:assumed-role/ci/*"}, False),
        (FEDERATED, {"AWS": FEDERATED.arn}, True),
        (FEDERATED, {"AWS": DEV.arn}, True),
        (CODEBUILD, {"Service": ["ecs.amazonaws.com", "codebuild.amazonaws.com"]}, True),
        (CODEBUILD, {"Service": "ecs.amazonaws.com"}, False),
        (PROVIDER, {"Federated": PROVIDER.arn}, True),
        (PROVIDER, {"Federated": "accounts.google.com"}, False),
        (DEV, {"CanonicalUser": "79a59df900b949e5"}, False),
        (DEV, [], False),
    ],
)
def test_a_principal_is_a_whole_name(caller: Caller, element: object, meant: bool) -> None:
    denying = resource(statement("Deny", Principal=element))
    decision = evaluate(request(caller), Policies(identity=(FULL,), resource=(denying,)))
    assert (decision.outcome is DENIED) is meant, PRINCIPAL


@pytest.mark.parametrize(
    ("caller", "named", "outcome"),
    [
        (DEV, [DEV.arn, ROOT.arn], SPARED),
        (DEV, [DEV.arn, OURS], SPARED),
        (DEV, [DEV.arn], DENIED),
        (DEV, [ROOT.arn], DENIED),
        (DEV, [f"arn:aws:iam::{OURS}:user/ann", ROOT.arn], DENIED),
        (SESSION, [SESSION.arn, SESSION.principal_arn, ROOT.arn], SPARED),
        (SESSION, [SESSION.arn, ROOT.arn], DENIED),
        (SESSION, [SESSION.principal_arn, ROOT.arn], DENIED),
        (ROOT, [ROOT.arn], SPARED),
    ],
)
def test_a_deny_spares_only_whom_it_names_with_account_and_role(
    caller: Caller, named: list[str], outcome: Outcome
) -> None:
    denying = resource(statement("Deny", NotPrincipal={"AWS": named}))
    decision = evaluate(request(caller), Policies(identity=(FULL,), resource=(denying,)))
    assert decision.outcome is outcome, NOT_PRINCIPAL


def test_a_deny_with_not_principal_spares_nobody_who_has_a_boundary() -> None:
    denying = resource(statement("Deny", NotPrincipal={"AWS": [DEV.arn, ROOT.arn]}))
    held = Policies(identity=(FULL,), resource=(denying,), boundary=policy(Kind.BOUNDARY, ALLOW))
    assert evaluate(request(), held).outcome is DENIED, BOUNDARIES


def test_an_allow_with_not_principal_is_for_everybody_else() -> None:
    granting = Policies(resource=(resource(statement(NotPrincipal={"AWS": DEV.arn})),))
    assert not evaluate(request(DEV), granting).allowed, NOT_PRINCIPAL
    assert evaluate(request(SESSION), granting).allowed, NOT_PRINCIPAL


TRUSTED, REFUSED = Outcome.ALLOWED, Outcome.IMPLICIT_DENY


@pytest.mark.parametrize(
    ("caller", "principal", "own", "outcome", "kind"),
    [
        # "Add the user as a principal directly in the role's trust policy"
        (DEV, {"AWS": DEV.arn}, (), TRUSTED, Kind.TRUST),
        # "Attach a policy to the user that allows the user to call AssumeRole"
        (DEV, {"AWS": ROOT.arn}, (FULL,), TRUSTED, Kind.IDENTITY),
        (DEV, {"AWS": ROOT.arn}, (), REFUSED, Kind.IDENTITY),
        (DEV, {"AWS": OURS}, (), REFUSED, Kind.IDENTITY),
        (DEV, {"AWS": STRANGER.arn}, (FULL,), REFUSED, Kind.TRUST),
        (DEV, {"Service": "codebuild.amazonaws.com"}, (FULL,), REFUSED, Kind.TRUST),
        (SESSION, {"AWS": SESSION.principal_arn}, (), TRUSTED, Kind.TRUST),
        # "If the role is in another account": both
        (STRANGER, {"AWS": STRANGER.arn}, (FULL,), TRUSTED, Kind.IDENTITY),
        (STRANGER, {"AWS": STRANGER.arn}, (), REFUSED, Kind.IDENTITY),
        (STRANGER, {"AWS": STRANGER_ROOT.arn}, (FULL,), TRUSTED, Kind.IDENTITY),
        (STRANGER, {"AWS": ROOT.arn}, (FULL,), REFUSED, Kind.TRUST),
        (CODEBUILD, {"Service": "codebuild.amazonaws.com"}, (), TRUSTED, Kind.TRUST),
        (CODEBUILD, {"Service": "ecs.amazonaws.com"}, (), REFUSED, Kind.TRUST),
    ],
)
def test_who_may_assume_a_role(
    caller: Caller, principal: dict, own: tuple, outcome: Outcome, kind: Kind
) -> None:
    trust = policy(Kind.TRUST, statement(Principal=principal, Action="sts:AssumeRole"))
    asked = request(caller, "sts:AssumeRole", ROLE)
    decision = evaluate(asked, Policies(identity=own, resource=(trust,)))
    assert (decision.outcome, decision.kind) == (outcome, kind), ASSUME


def test_a_trust_policy_may_ask_who_the_token_is_for() -> None:
    source = GUIDE + "id_roles_create_for-idp_oidc.html"
    trust = policy(
        Kind.TRUST,
        statement(
            Principal={"Federated": PROVIDER.arn},
            Action="sts:AssumeRoleWithWebIdentity",
            Condition={"StringLike": {"oidc.example:sub": "repo:acme/*"}},
        ),
    )
    for subject, allowed in (("repo:acme/app", True), ("repo:other/app", False)):
        asked = request(
            PROVIDER, "sts:AssumeRoleWithWebIdentity", ROLE, **{"oidc.example__sub": subject}
        )
        assert evaluate(asked, Policies(resource=(trust,))).allowed is allowed, source


def test_an_explicit_deny_of_the_trust_policy_wins() -> None:
    trust = policy(
        Kind.TRUST,
        statement(Principal={"AWS": DEV.arn}),
        statement("Deny", Principal={"AWS": OURS}),
    )
    decision = evaluate(
        request(DEV, "sts:AssumeRole", ROLE), Policies(identity=(FULL,), resource=(trust,))
    )
    assert (decision.outcome, decision.kind) == (DENIED, Kind.TRUST), ASSUME


def test_a_session_policy_limits_a_role_that_assumes_another() -> None:
    trust = policy(Kind.TRUST, statement(Principal={"AWS": SESSION.principal_arn}))
    held = Policies(resource=(trust,), session=(policy(Kind.SESSION, NOTHING),))
    decision = evaluate(request(SESSION, "sts:AssumeRole", ROLE), held)
    assert (decision.outcome, decision.kind) == (REFUSED, Kind.SESSION)
