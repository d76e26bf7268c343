"""The smallest statement that would allow a refused request, and the policy to add it to."""

from __future__ import annotations

from typing import Any

from labs_helpers.sandbox.policy.model import Decision, Kind, Outcome
from labs_helpers.sandbox.policy.request import Request


def smallest_statement(request: Request, decision: Decision) -> dict[str, Any]:
    """The statement to add to a policy of the decision's kind; {} if no statement helps.

    An allowed request needs none. After an explicit deny, the statement that denies
    (`decision.matched`) has to change: "an explicit deny overrides an explicit allow",
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
    """
    if decision.outcome is not Outcome.IMPLICIT_DENY or decision.kind is None:
        return {}
    statement: dict[str, Any] = {"Effect": "Allow"}
    if decision.kind in (Kind.RESOURCE, Kind.TRUST):
        statement["Principal"] = _principal(request)
    elif decision.kind is Kind.RESOURCE_CONTROL:
        statement["Principal"] = "*"
    statement["Action"] = request.action
    if not _needs_no_resource(request, decision.kind):
        statement["Resource"] = request.resource
    return statement


def where(request: Request, decision: Decision) -> str:
    """The policy that lacks the statement, or the one that denies, in words; "" if allowed."""
    caller = request.caller
    if decision.outcome is Outcome.ALLOWED or decision.kind is None:
        return ""
    if decision.outcome is Outcome.EXPLICIT_DENY and decision.matched:
        return decision.matched[0].policy.name
    whose = {
        Kind.IDENTITY: f"an identity-based policy of {caller.principal_arn}",
        Kind.RESOURCE: f"the policy of {request.resource}, in account {request.resource_account}",
        Kind.TRUST: f"the trust policy of {request.resource}",
        Kind.BOUNDARY: f"the permissions boundary of {caller.principal_arn}",
        Kind.SESSION: f"the session policy of {caller.arn}",
        Kind.SERVICE_CONTROL: f"a service control policy over account {caller.account}",
        Kind.RESOURCE_CONTROL: (
            f"a resource control policy over account {request.resource_account}"
        ),
    }
    return whose[decision.kind]


def _principal(request: Request) -> Any:
    caller = request.caller
    if caller.kind == "anonymous":
        return "*"
    if caller.kind == "service":
        return {"Service": caller.arn}
    if caller.kind == "provider":
        return {"Federated": caller.arn}
    return {"AWS": caller.principal_arn}


def _needs_no_resource(request: Request, kind: Kind) -> bool:
    """Whether a statement needs no Resource, as in a trust policy or a repository's policy.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policies.html
    """
    if kind is Kind.TRUST:
        return True
    parts = request.resource.split(":", 5)
    return kind is Kind.RESOURCE and parts[2:3] == ["ecr"] and parts[-1].startswith("repository/")
