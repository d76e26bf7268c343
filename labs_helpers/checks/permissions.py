"""What a user may do, by IAM's policy simulator, which decides and does nothing.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple


class Permission(NamedTuple):
    """An action ("ecr:PutImage") on a resource, an ARN or "*"."""

    action: str
    resource: str = "*"

    def __str__(self) -> str:
        return f"{self.action} on {self.resource}"


def direct(iam: Any, user: str) -> list[str]:
    """The names of the policies on the user itself, inline and attached."""
    attached = iam.list_attached_user_policies(UserName=user)["AttachedPolicies"]
    return [
        *iam.list_user_policies(UserName=user)["PolicyNames"],
        *(one["PolicyName"] for one in attached),
    ]


def groups(iam: Any, user: str) -> list[str]:
    """The names of the groups that a user is in, sorted."""
    return sorted(one["GroupName"] for one in iam.list_groups_for_user(UserName=user)["Groups"])


def first_refused(
    iam: Any, user: str, region: str, wanted: Iterable[Permission]
) -> Permission | None:
    """The first permission that the policies of the user and of its groups do not allow."""
    return _first(iam, user, region, wanted, allowed=False)


def first_allowed(
    iam: Any, user: str, region: str, unwanted: Iterable[Permission]
) -> Permission | None:
    """The first permission that the policies of the user and of its groups allow."""
    return _first(iam, user, region, unwanted, allowed=True)


def _first(
    iam: Any, user: str, region: str, permissions: Iterable[Permission], *, allowed: bool
) -> Permission | None:
    arn = iam.get_user(UserName=user)["User"]["Arn"]
    # a real request brings this key; a simulation has to be given the key
    entry = {
        "ContextKeyName": "aws:RequestedRegion",
        "ContextKeyType": "string",
        "ContextKeyValues": [region],
    }
    for permission in permissions:
        (result,) = iam.simulate_principal_policy(
            PolicySourceArn=arn,
            ActionNames=[permission.action],
            ResourceArns=[permission.resource],
            ContextEntries=[entry],
        )["EvaluationResults"]
        if (result["EvalDecision"] == "allowed") == allowed:
            return permission
    return None
