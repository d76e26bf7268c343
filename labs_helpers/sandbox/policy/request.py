"""A request whose permission is in question: who asks, for what, under which conditions.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

_KINDS = {
    "user": "user",
    "root": "root",
    "role": "role",
    "assumed-role": "role",
    "federated-user": "federated",
    "oidc-provider": "provider",
    "saml-provider": "provider",
}


@lru_cache(maxsize=1024)
def _kind_of(arn: str) -> str:
    if arn in ("", "*"):
        return "anonymous"
    if arn.startswith("arn:"):
        return _KINDS.get(arn.split(":", 5)[-1].partition("/")[0], "user")
    return "service" if arn.endswith((".amazonaws.com", ".amazonaws.com.cn")) else "provider"


Context = Mapping[str, tuple[str, ...]]
"""Condition keys in lower case -> their values. A key that the request lacks is left out."""


@dataclass(frozen=True)
class Caller:
    """The principal that sends a request.

    arn: as GetCallerIdentity reports it (user, root, assumed-role session, federated user), a
    service's name, an identity provider's ARN (AssumeRoleWithWebIdentity), or "*" for anonymous;
    principal_arn: the value of aws:PrincipalArn, which for a role session is the role's ARN;
    federated_by: for a federated user, the ARN of the user that called GetFederationToken.
    """

    account: str
    arn: str
    principal_arn: str
    federated_by: str = ""

    @property
    def kind(self) -> str:
        """user, root, role (a role session), federated, provider, service or anonymous."""
        return _kind_of(self.arn)


@dataclass(frozen=True)
class Request:
    """A caller's request for an action ("ecr:PutImage") on a resource (an ARN, or "*").

    resource_account: the owner of the resource; without a resource, the caller's account.
    """

    caller: Caller
    action: str
    resource: str
    resource_account: str
    context: Context = field(default_factory=dict)
