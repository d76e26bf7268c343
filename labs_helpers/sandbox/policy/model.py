"""What a decision is made from, and what it says.

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
"""Condition keys in lower case, each with its values; a key that is absent is not in it."""


class Kind(Enum):
    """The kinds of policies, by AWS's name for them in its messages."""

    IDENTITY = "identity-based policy"
    RESOURCE = "resource-based policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    SERVICE_CONTROL = "service control policy"
    RESOURCE_CONTROL = "resource control policy"
    TRUST = "role trust policy"


class Outcome(Enum):
    """What was decided, in the simulator's words."""

    ALLOWED = "allowed"
    IMPLICIT_DENY = "implicitDeny"
    EXPLICIT_DENY = "explicitDeny"


@dataclass(frozen=True)
class Policy:
    """One policy that applies.

    name: of a managed or inline policy, or what the policy is of; arn: of a managed policy;
    via: how it reaches the principal ("attached to group pushers").
    """

    kind: Kind
    name: str
    document: Document
    via: str = ""
    arn: str = ""


@dataclass(frozen=True)
class Caller:
    """Who asks.

    arn: as GetCallerIdentity has it (user, root, assumed-role session, federated user), a service's
    name, the ARN of an identity provider (AssumeRoleWithWebIdentity), or "*" for anonymous;
    principal_arn: what aws:PrincipalArn holds, for a session of a role the role's own ARN;
    federated_by: of a federated user, the ARN of the user that called GetFederationToken.
    """

    account: str
    arn: str
    principal_arn: str
    federated_by: str = ""

    @property
    def kind(self) -> str:
        """user, root, role (a session of one), federated, provider, service or anonymous."""
        return _kind_of(self.arn)


@dataclass(frozen=True)
class Request:
    """What is asked: `action` ("ecr:PutImage") on `resource` (an ARN, or "*").

    resource_account: who owns the resource; the caller's own where there is no resource.
    """

    caller: Caller
    action: str
    resource: str
    resource_account: str
    context: Context = field(default_factory=dict)


@dataclass(frozen=True)
class Policies:
    """All that may have a say. `session` None: no session policy was passed.

    Of control policies there is a tuple for each level (root, organizational units, account).
    """

    identity: tuple[Policy, ...] = ()
    resource: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    session: tuple[Policy, ...] | None = None
    service_control: tuple[tuple[Policy, ...], ...] = ()
    resource_control: tuple[tuple[Policy, ...], ...] = ()


@dataclass(frozen=True)
class Match:
    """A statement that decided: the number (from 0) and Sid of it in its policy."""

    policy: Policy
    index: int
    sid: str | None = None


@dataclass(frozen=True)
class Decision:
    """The answer and its reason.

    kind: the kind of policy that denied, or whose allow is missing, or that allowed; None where
    none was needed (the root user). matched: the denies, or the allows, that decided.
    missing_context: condition keys that statements asked for and the request did not have.
    """

    outcome: Outcome
    kind: Kind | None
    matched: tuple[Match, ...] = ()
    considered: tuple[Policy, ...] = ()
    missing_context: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        return self.outcome is Outcome.ALLOWED
