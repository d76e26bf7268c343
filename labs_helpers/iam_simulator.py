"""Decisions of IAM's policy simulator on AWS, in the form of the sandbox's explanations.

Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html and
API_EvaluationResult.html beside it. The simulator reports less than the sandbox: only the policies
with a statement that decided, and only the position of that statement.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import boto3

from labs_helpers.files import LabsError

NOT_LOOKED_AT = (
    "policies on the resource, such as a repository policy, and resource control policies",
    "session policies, and what a condition asks of the real request",
)
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_testing-policies.html"""


class NotSimulated(LabsError):
    """The simulator does not accept this caller."""


def explained(who: str | None, action: str, resource: str) -> dict[str, Any]:
    """How IAM would decide now, as ``display.why.why`` takes it. Nothing is executed.

    who: the ARN of a user, group, role or role session, None for the caller; resource: an ARN or
    "*". Raises NotSimulated for the root user and for federated users, and ClientError.
    """
    iam = boto3.client("iam")
    arn = boto3.client("sts").get_caller_identity()["Arn"] if who is None else who
    principal = policy_source(iam, arn)
    answer = iam.simulate_principal_policy(
        PolicySourceArn=principal, ActionNames=[action], ResourceArns=[resource]
    )
    (result,) = answer["EvaluationResults"]
    outcome = str(result["EvalDecision"])
    limit = _limit(result)
    helps = outcome == "implicitDeny" and limit is None
    return {
        "principal": principal,
        "action": action,
        "resource": resource,
        "outcome": outcome,
        "sentence": _sentence(outcome, action, limit, bool(result.get("MatchedStatements"))),
        "policies": None,
        "not_looked_at": NOT_LOOKED_AT,
        "missing_context": result.get("MissingContextValues", []),
        "statements": [_statement(each) for each in result.get("MatchedStatements", [])],
        "would_allow": (
            {"Effect": "Allow", "Action": action, "Resource": resource} if helps else None
        ),
        "where": f"an identity-based policy of {principal}" if helps else None,
    }


def policy_source(iam: Any, arn: str) -> str:
    """The user, group or role whose policies apply to a caller; for a role session, the role."""
    resource = arn.split(":", 5)[-1]
    if resource.startswith("assumed-role/"):
        # the session's ARN leaves out the role's path
        return str(iam.get_role(RoleName=resource.split("/")[1])["Role"]["Arn"])
    if resource == "root":
        raise NotSimulated(
            "You are the root user, and no policy in the account limits the root user.\n"
            'Name another user:  lab.why("ecr:PutImage", "demo-app-repo", "dev")'
        )
    if resource.startswith("federated-user/"):
        raise NotSimulated(f"IAM's simulator accepts users, groups and roles, but not {resource}.")
    return arn


def _limit(result: Mapping[str, Any]) -> str | None:
    """The kind of limit, of the account or of the principal, that does not allow the request."""
    organization = result.get("OrganizationsDecisionDetail", {})
    boundary = result.get("PermissionsBoundaryDecisionDetail", {})
    if organization.get("AllowedByOrganizations") is False:
        return "service control policy"
    if boundary.get("AllowedByPermissionsBoundary") is False:
        return "permissions boundary"
    return None


def _sentence(outcome: str, action: str, limit: str | None, named: bool) -> str:
    """The reason, in the words of AWS's refusals where AWS has such words."""
    if outcome == "allowed":
        return "" if named else "allowed because the simulator says so; it names no statement"
    if outcome == "explicitDeny":
        kind = f" in a {limit}" if limit else ""
        return f"refused with an explicit deny{kind}"
    return f"refused because no {limit or 'identity-based policy'} allows the {action} action"


def _statement(matched: Mapping[str, Any]) -> dict[str, Any]:
    start = matched.get("StartPosition", {})
    return {
        "name": matched.get("SourcePolicyId", "a policy"),
        "kind": matched.get("SourcePolicyType", ""),
        "line": start.get("Line"),
        "column": start.get("Column"),
        "statement": None,
    }
