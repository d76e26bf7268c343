"""The order of evaluation, policy kind by policy kind."""

import pytest

from labs_helpers.sandbox.policy.evaluate import evaluate
from labs_helpers.sandbox.policy.model import Decision, Kind, Outcome, Policies, Policy
from labs_helpers.sandbox.policy.request import Caller
from tests.sandbox.policy.examples import (
    ALLOW,
    ANYONE,
    CODEBUILD,
    DENY,
    DEV,
    FEDERATED,
    GUIDE,
    NOTHING,
    OURS,
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

LOGIC = GUIDE + "reference_policies_evaluation-logic_policy-eval-denyallow.html"
SINGLE = GUIDE + "reference_policies_evaluation-logic_policy-eval-basics.html"
CROSS = GUIDE + "reference_policies_evaluation-logic-cross-account.html"
BOUNDARIES = GUIDE + "access_policies_boundaries.html"
SESSIONS = GUIDE + "access_policies.html#policies_session"
EVERYONE = GUIDE + "reference_policies_elements_principal.html#principal-anonymous"
SCPS = (
    "https://docs.aws.amazon.com/organizations/latest/userguide/"
    "orgs_manage_policies_scps_evaluation.html"
)
RCPS = (
    "https://docs.aws.amazon.com/organizations/latest/userguide/"
    "orgs_manage_policies_rcps_evaluation.html"
)

ALLOWED, IMPLICIT, EXPLICIT = Outcome.ALLOWED, Outcome.IMPLICIT_DENY, Outcome.EXPLICIT_DENY

ROLE = Caller(OURS, SESSION.principal_arn, SESSION.principal_arn)
FULL = identity(ALLOW)
LIMIT = policy(Kind.BOUNDARY, NOTHING)
WIDE = policy(Kind.BOUNDARY, ALLOW)
SESSION_LIMIT = (policy(Kind.SESSION, NOTHING),)
SESSION_WIDE = (policy(Kind.SESSION, ALLOW),)
SCP = policy(Kind.SERVICE_CONTROL, ALLOW)
RCP = policy(Kind.RESOURCE_CONTROL, statement(Principal="*", Resource="*"))


def granting(principal: object) -> tuple[Policy, ...]:
    return (resource(statement(Principal=principal)),)


def check(decision: Decision, outcome: Outcome, kind: Kind | None, source: str) -> None:
    assert (decision.outcome, decision.kind) == (outcome, kind), source


@pytest.mark.parametrize(
    ("held", "outcome", "kind", "source"),
    [
        (Policies(), IMPLICIT, Kind.IDENTITY, LOGIC),
        (Policies(identity=(FULL,)), ALLOWED, Kind.IDENTITY, LOGIC),
        (Policies(identity=(identity(DENY), FULL)), EXPLICIT, Kind.IDENTITY, LOGIC),
        (Policies(identity=(identity(ALLOW, DENY),)), EXPLICIT, Kind.IDENTITY, LOGIC),
        (Policies(identity=(FULL,), boundary=WIDE), ALLOWED, Kind.IDENTITY, BOUNDARIES),
        (Policies(identity=(FULL,), boundary=LIMIT), IMPLICIT, Kind.BOUNDARY, BOUNDARIES),
        (Policies(boundary=WIDE), IMPLICIT, Kind.IDENTITY, BOUNDARIES),
        (
            Policies(identity=(FULL,), boundary=policy(Kind.BOUNDARY, ALLOW, DENY)),
            EXPLICIT,
            Kind.BOUNDARY,
            BOUNDARIES,
        ),
        (Policies(identity=(FULL,), session=SESSION_WIDE), ALLOWED, Kind.IDENTITY, SESSIONS),
        (Policies(identity=(FULL,), session=SESSION_LIMIT), IMPLICIT, Kind.SESSION, SESSIONS),
        (Policies(identity=(FULL,), session=()), IMPLICIT, Kind.SESSION, SESSIONS),
        (
            Policies(identity=(FULL,), session=SESSION_LIMIT + SESSION_WIDE),
            ALLOWED,
            Kind.IDENTITY,
            SESSIONS,
        ),
        (Policies(session=SESSION_WIDE), IMPLICIT, Kind.IDENTITY, SESSIONS),
        (
            Policies(identity=(FULL,), session=(policy(Kind.SESSION, ALLOW, DENY),)),
            EXPLICIT,
            Kind.SESSION,
            SESSIONS,
        ),
    ],
)
def test_what_the_policies_of_a_role_session_allow(
    held: Policies, outcome: Outcome, kind: Kind, source: str
) -> None:
    check(evaluate(request(SESSION), held), outcome, kind, source)


@pytest.mark.parametrize(
    ("levels", "outcome", "kind"),
    [
        (((SCP,),), ALLOWED, Kind.IDENTITY),
        (((SCP,), (SCP,), (SCP,)), ALLOWED, Kind.IDENTITY),
        (((SCP,), (policy(Kind.SERVICE_CONTROL, NOTHING),)), IMPLICIT, Kind.SERVICE_CONTROL),
        (((SCP,), ()), IMPLICIT, Kind.SERVICE_CONTROL),
        (
            ((SCP,), (SCP, policy(Kind.SERVICE_CONTROL, DENY))),
            EXPLICIT,
            Kind.SERVICE_CONTROL,
        ),
    ],
)
def test_every_level_of_the_organization_must_allow(
    levels: tuple, outcome: Outcome, kind: Kind
) -> None:
    held = Policies(identity=(FULL,), service_control=levels)
    check(evaluate(request(), held), outcome, kind, SCPS)


def test_a_service_control_policy_grants_nothing() -> None:
    check(evaluate(request(), Policies(service_control=((SCP,),))), IMPLICIT, Kind.IDENTITY, SCPS)


def test_a_service_control_policy_binds_the_root_user_but_no_service() -> None:
    forbidding = ((SCP, policy(Kind.SERVICE_CONTROL, DENY)),)
    held = Policies(
        service_control=forbidding, resource=granting({"Service": "codebuild.amazonaws.com"})
    )
    check(evaluate(request(ROOT), held), EXPLICIT, Kind.SERVICE_CONTROL, SCPS)
    check(evaluate(request(CODEBUILD), held), ALLOWED, Kind.RESOURCE, SCPS)


@pytest.mark.parametrize(
    ("levels", "outcome", "kind"),
    [
        (((RCP,),), ALLOWED, Kind.IDENTITY),
        (((RCP,), ()), IMPLICIT, Kind.RESOURCE_CONTROL),
        (
            ((RCP, policy(Kind.RESOURCE_CONTROL, statement("Deny", Principal="*", Resource="*"))),),
            EXPLICIT,
            Kind.RESOURCE_CONTROL,
        ),
    ],
)
def test_a_resource_control_policy_limits_whoever_asks(
    levels: tuple, outcome: Outcome, kind: Kind
) -> None:
    held = Policies(identity=(FULL,), resource_control=levels)
    check(evaluate(request(), held), outcome, kind, RCPS)


@pytest.mark.parametrize(
    ("caller", "principal", "limits", "outcome", "kind"),
    [
        # the guide's table "Resource-based policies and implicit denies in other policy types"
        (DEV, DEV.arn, Policies(boundary=LIMIT), ALLOWED, Kind.RESOURCE),
        (SESSION, SESSION.arn, Policies(boundary=LIMIT), ALLOWED, Kind.RESOURCE),
        (SESSION, SESSION.arn, Policies(session=SESSION_LIMIT), ALLOWED, Kind.RESOURCE),
        (SESSION, SESSION.principal_arn, Policies(), ALLOWED, Kind.RESOURCE),
        (SESSION, SESSION.principal_arn, Policies(boundary=LIMIT), IMPLICIT, Kind.BOUNDARY),
        (SESSION, SESSION.principal_arn, Policies(session=SESSION_LIMIT), IMPLICIT, Kind.SESSION),
        (SESSION, SESSION.principal_arn, Policies(session=SESSION_WIDE), ALLOWED, Kind.RESOURCE),
        (FEDERATED, FEDERATED.arn, Policies(session=SESSION_LIMIT), ALLOWED, Kind.RESOURCE),
        (FEDERATED, DEV.arn, Policies(session=SESSION_LIMIT), IMPLICIT, Kind.SESSION),
        (FEDERATED, DEV.arn, Policies(session=SESSION_WIDE), ALLOWED, Kind.RESOURCE),
        # in the simulator, the caller may be the role itself
        (ROLE, ROLE.arn, Policies(session=SESSION_LIMIT), IMPLICIT, Kind.SESSION),
        # the account: the caller's own policies decide
        (DEV, OURS, Policies(), IMPLICIT, Kind.IDENTITY),
        (DEV, ROOT.arn, Policies(), IMPLICIT, Kind.IDENTITY),
        # everyone: "no other permissions are required"
        (DEV, "*", Policies(boundary=LIMIT), ALLOWED, Kind.RESOURCE),
        (SESSION, "*", Policies(session=SESSION_LIMIT), ALLOWED, Kind.RESOURCE),
        # another user, another session
        (DEV, f"arn:aws:iam::{OURS}:user/ann", Policies(), IMPLICIT, Kind.IDENTITY),
        (SESSION, SESSION.arn + "-2", Policies(), IMPLICIT, Kind.IDENTITY),
    ],
)
def test_what_a_resource_may_grant_within_the_account(
    caller: Caller, principal: str, limits: Policies, outcome: Outcome, kind: Kind
) -> None:
    held = Policies(
        resource=granting({"AWS": principal}), boundary=limits.boundary, session=limits.session
    )
    check(evaluate(request(caller), held), outcome, kind, SINGLE if principal != "*" else EVERYONE)


@pytest.mark.parametrize("limit", ["identity", "boundary", "session"])
def test_an_explicit_deny_elsewhere_ends_what_a_resource_grants(limit: str) -> None:
    denying = policy(Kind[limit.upper()], DENY)
    held = Policies(
        identity=(denying,) if limit == "identity" else (),
        boundary=denying if limit == "boundary" else None,
        session=(denying,) if limit == "session" else None,
        resource=granting({"AWS": SESSION.arn}),
    )
    check(evaluate(request(SESSION), held), EXPLICIT, Kind[limit.upper()], LOGIC)


@pytest.mark.parametrize(
    ("principal", "held", "outcome", "kind"),
    [
        (None, (FULL,), IMPLICIT, Kind.RESOURCE),
        ({"AWS": STRANGER.arn}, (FULL,), ALLOWED, Kind.IDENTITY),
        ({"AWS": STRANGER.arn}, (), IMPLICIT, Kind.IDENTITY),
        ({"AWS": THEIRS}, (FULL,), ALLOWED, Kind.IDENTITY),
        ({"AWS": STRANGER_ROOT.arn}, (FULL,), ALLOWED, Kind.IDENTITY),
        ("*", (FULL,), ALLOWED, Kind.IDENTITY),
        ("*", (), IMPLICIT, Kind.IDENTITY),
        ({"AWS": OURS}, (FULL,), IMPLICIT, Kind.RESOURCE),
        ({"AWS": STRANGER.arn}, (identity(ALLOW, DENY),), EXPLICIT, Kind.IDENTITY),
    ],
)
def test_across_accounts_both_sides_must_allow(
    principal: object, held: tuple, outcome: Outcome, kind: Kind
) -> None:
    granted = () if principal is None else granting(principal)
    check(
        evaluate(request(STRANGER), Policies(identity=held, resource=granted)),
        outcome,
        kind,
        CROSS,
    )


def test_across_accounts_a_boundary_limits_even_whom_the_resource_names() -> None:
    held = Policies(identity=(FULL,), boundary=LIMIT, resource=granting({"AWS": STRANGER.arn}))
    check(evaluate(request(STRANGER), held), IMPLICIT, Kind.BOUNDARY, CROSS)


def test_the_root_user_needs_no_policy_in_its_account() -> None:
    check(evaluate(request(ROOT), Policies()), ALLOWED, None, LOGIC)


def test_the_root_user_obeys_an_explicit_deny_of_the_resource() -> None:
    held = Policies(resource=(resource(statement("Deny", Principal="*")),))
    check(evaluate(request(ROOT), held), EXPLICIT, Kind.RESOURCE, LOGIC)


def test_the_root_user_of_another_account_needs_the_resource_to_allow() -> None:
    check(evaluate(request(STRANGER_ROOT), Policies()), IMPLICIT, Kind.RESOURCE, CROSS)
    held = Policies(resource=granting({"AWS": THEIRS}))
    check(evaluate(request(STRANGER_ROOT), held), ALLOWED, None, CROSS)


@pytest.mark.parametrize(
    ("principal", "outcome"),
    [("*", ALLOWED), ({"AWS": "*"}, ALLOWED), ({"AWS": OURS}, IMPLICIT)],
)
def test_nobody_in_particular_gets_what_everyone_gets(principal: object, outcome: Outcome) -> None:
    held = Policies(resource=granting(principal))
    check(evaluate(request(ANYONE), held), outcome, Kind.RESOURCE, EVERYONE)


def test_a_decision_names_the_statement_and_all_that_was_looked_at() -> None:
    deciding = identity(NOTHING, statement(Sid="Push", Action="ecr:*"))
    held = Policies(identity=(FULL, deciding), boundary=WIDE, service_control=((SCP,),))
    decision = evaluate(request(), held)
    assert [(match.policy, match.index, match.sid) for match in decision.matched] == [
        (FULL, 0, None),
        (deciding, 1, "Push"),
    ]
    assert decision.considered == (SCP, FULL, deciding, WIDE)
