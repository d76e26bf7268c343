"""The decision on a request: who asks, what for, which policies apply, what they say.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from labs_helpers.sandbox.authorization import context
from labs_helpers.sandbox.authorization.arns import account_of
from labs_helpers.sandbox.authorization.decisions import Asked, Decisions, Verdict
from labs_helpers.sandbox.authorization.known import Known
from labs_helpers.sandbox.authorization.resource_policies import ResourcePolicies
from labs_helpers.sandbox.authorization.terms import Permission
from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.iam.directory import Directory
from labs_helpers.sandbox.iam.rights import Rights
from labs_helpers.sandbox.identity import NO_KEYS, Keys, Principal
from labs_helpers.sandbox.policy.evaluate import evaluate
from labs_helpers.sandbox.policy.model import Decision, Outcome, Policies
from labs_helpers.sandbox.policy.request import Caller, Request
from labs_helpers.sandbox.policy.sentence import sentence
from labs_helpers.sandbox.service.errors import AccessDenied


class Denied(Exception):
    """IAM says no; `verdict` says why, in AWS's sentence and in full."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.sentence)
        self.verdict = verdict


class Authorizer:
    """Decides by the policies of this moment; keeps what it refused. Thread-safe."""

    def __init__(
        self,
        directory: Directory,
        store: Store,
        clock: Clock,
        decisions: Decisions,
        known: Known,
    ) -> None:
        self.directory = directory
        self.decisions = decisions
        self.known = known
        self.resources = ResourcePolicies(directory, store, known)
        self._clock = clock

    def authorize(
        self,
        principal: Principal,
        action: str,
        resource: str,
        keys: Keys = NO_KEYS,
        tentative: bool = False,
    ) -> None:
        """`identity.Authorize` for ECR, on both planes: raises AccessDenied in IAM's words."""
        needed = Permission(action, resource, account_of(resource))
        try:
            self.check(principal, [needed], keys, tentative)
        except Denied as denied:
            raise AccessDenied(str(denied)) from denied

    def check(
        self,
        principal: Principal,
        needed: Iterable[Permission],
        keys: Keys,
        tentative: bool = False,
    ) -> None:
        """Raise Denied for the first permission that is not given, and remember it."""
        rights: Rights | None = None
        for each in needed:
            rights = rights or self.directory.rights_of(principal)
            verdict = self.decide(rights, each, keys)
            self.decisions.answered(
                Asked(principal, each.action, each.resource, verdict.sentence, tentative)
            )
            if not verdict.decision.allowed:
                if not tentative:
                    self.decisions.note(verdict)
                raise Denied(verdict)

    def require_as_role(
        self, role: str, service: str, source: Keys, action: str, resource: str
    ) -> None:
        """Raise AccessDenied unless a service may take a role, and the role may do the action.

        service: "events.amazonaws.com"; source: condition keys of the request for the role.
        https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-service.html
        """
        account = account_of(role)
        rights, trust = self.directory.of_arn(role), self.directory.role_trust(role)
        if rights is None or trust is None:
            raise AccessDenied(f"There is no role {role}.")
        asks = Request(Caller("", service, ""), "sts:AssumeRole", role, account, source)
        if not evaluate(asks, Policies(resource=(trust,))).allowed:
            raise AccessDenied(f"The trust policy of {role} does not let {service} in.")
        session = f"arn:aws:sts::{account}:assumed-role/{role.rpartition('/')[2]}/{service}"
        rights = replace(rights, caller=Caller(account, session, role))
        verdict = self.decide(rights, Permission(action, resource, account_of(resource)), {})
        if not verdict.decision.allowed:
            raise AccessDenied(verdict.sentence)

    def decide(self, rights: Rights, needed: Permission, keys: Keys) -> Verdict:
        """The verdict on one permission; `keys` of the request, those of `needed` before them."""
        now = self._clock.now()
        on = self.resources.of(needed.action, needed.resource, rights.caller.account)
        owner = needed.account or on.account or rights.caller.account
        service = needed.action.partition(":")[0]
        resource = context.of_resource(owner, on.tags, service) if needed.resource != "*" else {}
        known = {
            **context.of_time(now),
            **keys,
            **context.of_principal(rights),
            **resource,
            **needed.keys,
        }
        request = Request(rights.caller, needed.action, needed.resource, owner, known)
        policies = Policies(
            identity=rights.identity,
            resource=on.policies,
            boundary=rights.boundary,
            session=rights.session,
        )
        decision = evaluate(request, policies)
        said = "" if decision.allowed else worded(request, decision, needed.shown)
        return Verdict(now, request, policies, decision, said)


def worded(request: Request, decision: Decision, shown: str | None = None) -> str:
    """AWS's sentence, with the resource as the service shows it.

    AssumeRole's has no reason but for an explicit deny: whether a role is not there, does not trust
    the caller, or the caller has no policy, is told in the same words.
    """
    if request.action == "sts:AssumeRole" and decision.outcome is Outcome.IMPLICIT_DENY:
        decision = replace(decision, kind=None)
    if shown is None:
        return sentence(request, decision)
    if shown:
        return sentence(replace(request, resource=shown), decision)
    said = sentence(replace(request, resource=_NAMELESS), decision)
    return said.replace(f' on resource: "{_NAMELESS}"', "").replace(
        f" on resource: {_NAMELESS}", ""
    )


_NAMELESS = "\0"
"""No resource, where a sentence has one."""
