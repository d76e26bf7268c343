"""The policies that a decision reads, and the decision.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from labs_helpers.sandbox.policy.document import Document


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
