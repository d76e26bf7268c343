"""The evaluation of a request: AWS's order of policies, from explicit denies to allows.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html

1. An explicit deny in any policy denies the request.
2. Every level of the resource control policies, then of the service control policies, must allow.
3. Within the account, a resource-based policy may be enough, depending on how it names the caller
   (`principals.Grant`). Across accounts, it must allow, and so must the caller's policies:
   https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
4. The identity-based policies, the permissions boundary and the session policies must all allow.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from labs_helpers.sandbox.policy.document import Statement
from labs_helpers.sandbox.policy.model import Decision, Kind, Match, Outcome, Policies, Policy
from labs_helpers.sandbox.policy.principals import Grant
from labs_helpers.sandbox.policy.request import Request

_WITHOUT_POLICIES = ("service", "provider", "anonymous")
"""The kinds of callers that only resource-based and resource control policies apply to."""

_NAMES_PRINCIPALS = (Kind.RESOURCE, Kind.TRUST)


@dataclass
class _Matches:
    """The statements of one kind of policy that apply, and the strongest grant of an Allow."""

    allows: list[Match] = field(default_factory=list)
    denies: list[Match] = field(default_factory=list)
    grant: Grant = Grant.NONE


def evaluate(request: Request, policies: Policies) -> Decision:
    """The decision, with the statements or the missing kind of policy that it rests on."""
    return _Evaluation(request, policies).decide()


class _Evaluation:
    """One request and the policies that apply to its kind of caller."""

    def __init__(self, request: Request, policies: Policies):
        if request.caller.kind in _WITHOUT_POLICIES:
            policies = Policies(
                resource=policies.resource, resource_control=policies.resource_control
            )
        self.request = request
        self.policies = policies
        self.action = request.action.lower()
        self.missing: dict[str, str] = {}
        self.control = [
            (kind, self._find(level))
            for kind, levels in (
                (Kind.RESOURCE_CONTROL, policies.resource_control),
                (Kind.SERVICE_CONTROL, policies.service_control),
            )
            for level in levels
        ]
        trusts = any(policy.kind is Kind.TRUST for policy in policies.resource)
        self.resource_kind = Kind.TRUST if trusts else Kind.RESOURCE
        self.resource = self._find(policies.resource)
        self.identity = self._find(policies.identity)
        self.boundary = self._find(() if policies.boundary is None else (policies.boundary,))
        self.session = self._find(policies.session or ())

    def decide(self) -> Decision:
        for kind, matches in (
            *self.control,
            (self.resource_kind, self.resource),
            (Kind.IDENTITY, self.identity),
            (Kind.BOUNDARY, self.boundary),
            (Kind.SESSION, self.session),
        ):
            if matches.denies:
                return self._decision(Outcome.EXPLICIT_DENY, kind, matches.denies)
        for kind, matches in self.control:
            if not matches.allows:
                return self._implicit_deny(kind)
        return self._decide_by_allows()

    def _decide_by_allows(self) -> Decision:
        caller, kind = self.request.caller, self.resource_kind
        if caller.kind in _WITHOUT_POLICIES:
            return self._by_resource()
        if caller.account != self.request.resource_account:
            if not self.resource.allows:
                return self._implicit_deny(kind)
            return self._by_identity(self.resource.allows)
        # "IAM role trust policies [...] are exceptions to this logic, because they must explicitly
        # allow access": they name the user, or the account and the user's own policy allows
        # https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
        if self._must_be_let_in(kind) and not self.resource.allows:
            return self._implicit_deny(kind)
        if self.resource.grant is Grant.DIRECT and caller.kind != "root":
            return self._by_resource()
        if self.resource.grant is Grant.LIMITED:
            return self._limited() or self._by_resource()
        return self._by_identity(self.resource.allows if kind is Kind.TRUST else [])

    def _must_be_let_in(self, kind: Kind) -> bool:
        """Whether the resource's policy must allow within its own account, too.

        "Unless the key policy explicitly allows it, you cannot use IAM policies to allow access to
        a KMS key": https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
        """
        of_key = self.action.startswith("kms:") and bool(self.policies.resource)
        return kind is Kind.TRUST or of_key

    def _by_resource(self) -> Decision:
        """Decide by the resource-based policy alone."""
        if not self.resource.allows:
            return self._implicit_deny(self.resource_kind)
        return self._decision(Outcome.ALLOWED, self.resource_kind, self.resource.allows)

    def _by_identity(self, besides: list[Match]) -> Decision:
        """Decide by the caller's own policies; the root user needs none.

        besides: the resource-based policy's statements that allow as well.
        """
        if self.request.caller.kind == "root":
            return self._decision(Outcome.ALLOWED, None, besides)
        if not self.identity.allows:
            return self._implicit_deny(Kind.IDENTITY)
        return self._limited() or self._decision(
            Outcome.ALLOWED, Kind.IDENTITY, [*self.identity.allows, *besides]
        )

    def _limited(self) -> Decision | None:
        """The implicit deny of a permissions boundary or a session policy, if there is one."""
        if self.policies.boundary is not None and not self.boundary.allows:
            return self._implicit_deny(Kind.BOUNDARY)
        if self.policies.session is not None and not self.session.allows:
            return self._implicit_deny(Kind.SESSION)
        return None

    def _find(self, policies: tuple[Policy, ...]) -> _Matches:
        """The statements about this action that apply to the request."""
        matches = _Matches()
        for policy in policies:
            for statement in policy.document.about(self.action):
                grant = self._grant(policy, statement)
                if grant is Grant.NONE or not self._on_resource(policy, statement):
                    continue
                for key, name in statement.keys.items():
                    if key not in self.request.context:
                        self.missing.setdefault(key, name)
                if not statement.holds(self.request.context):
                    continue
                match = Match(policy, statement.index, statement.sid)
                if statement.allows:
                    matches.allows.append(match)
                    matches.grant = max(matches.grant, grant)
                else:
                    matches.denies.append(match)
        return matches

    def _grant(self, policy: Policy, statement: Statement) -> Grant:
        if policy.kind not in _NAMES_PRINCIPALS:
            return Grant.DIRECT
        if statement.principals is None:
            return Grant.NONE if statement.allows else Grant.DIRECT
        bounded = self.policies.boundary is not None
        return statement.principals.grant(self.request.caller, not statement.allows, bounded)

    def _on_resource(self, policy: Policy, statement: Statement) -> bool:
        if statement.resources is None:
            # only the policy of a repository or a role may leave out the resource
            return policy.kind in _NAMES_PRINCIPALS or not statement.allows
        return statement.resources.match(self.request.resource, self.request.context)

    def _implicit_deny(self, kind: Kind) -> Decision:
        """No policy of this kind allows the request."""
        return self._decision(Outcome.IMPLICIT_DENY, kind)

    def _decision(
        self, outcome: Outcome, kind: Kind | None, matched: Iterable[Match] = ()
    ) -> Decision:
        return Decision(
            outcome, kind, tuple(matched), _all(self.policies), tuple(sorted(self.missing.values()))
        )


def _all(policies: Policies) -> tuple[Policy, ...]:
    """All policies, in the order of evaluation."""
    return (
        *(policy for level in policies.resource_control for policy in level),
        *(policy for level in policies.service_control for policy in level),
        *policies.resource,
        *policies.identity,
        *(() if policies.boundary is None else (policies.boundary,)),
        *(policies.session or ()),
    )
