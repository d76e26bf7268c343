"""The input of a decision (caller, request, policies) and the decision itself.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labs_helpers.sandbox.policy.document import Document

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


class Kind(Enum):
    """The kinds of policies, as AWS's messages name them."""

    IDENTITY = "identity-based policy"
    RESOURCE = "resource-based policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    SERVICE_CONTROL = "service control policy"
    RESOURCE_CONTROL = "resource control policy"
    TRUST = "role trust policy"


class Outcome(Enum):
    """The result of a decision, as IAM's simulator names it."""

    ALLOWED = "allowed"
    IMPLICIT_DENY = "implicitDeny"
    EXPLICIT_DENY = "explicitDeny"


@dataclass(frozen=True)
class Policy:
    """A policy to evaluate.

    name: the name of a managed or inline policy, or the resource that the policy belongs to; via:
    how the principal gets it ("attached to group pushers"); arn: only of a managed policy.
    """

    kind: Kind
    name: str
    document: Document
    via: str = ""
    arn: str = ""


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


@dataclass(frozen=True)
class Policies:
    """All policies that apply to a request.

    session: None if no session policy was passed; service_control, resource_control: a tuple for
    each level (root, organizational units, account).
    """

    identity: tuple[Policy, ...] = ()
    resource: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    session: tuple[Policy, ...] | None = None
    service_control: tuple[tuple[Policy, ...], ...] = ()
    resource_control: tuple[tuple[Policy, ...], ...] = ()


@dataclass(frozen=True)
class Match:
    """A statement that decided: its policy, its index in it (from 0) and its Sid."""

    policy: Policy
    index: int
    sid: str | None = None


@dataclass(frozen=True)
class Decision:
    """The outcome and its reason.

    kind: the kind of policy that denied, allowed or lacks an Allow; None if no policy was needed
    (the root user). matched: the statements that denied or allowed. considered: all policies, in
    the order of evaluation. missing_context: condition keys that statements need but the request
    lacks.
    """

    outcome: Outcome
    kind: Kind | None
    matched: tuple[Match, ...] = ()
    considered: tuple[Policy, ...] = ()
    missing_context: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        return self.outcome is Outcome.ALLOWED
