"""Principal and NotPrincipal: the callers that a resource-based policy's statement applies to.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from labs_helpers.sandbox.policy.request import Caller

_ACCOUNT = re.compile(r"(?:arn:aws[a-z-]*:iam::)?(\d{12})(?::root)?")


class Grant(IntEnum):
    """How a statement names a caller. This decides what else must allow the request.

    ACCOUNT: by its account; the caller's own policies must allow the request too.
    LIMITED: by the role of its session, or the user who federated it; a permissions boundary or a
    session policy still limits the caller.
    DIRECT: as user, session, service or everyone; an implicit deny elsewhere has no effect.
    NONE: not at all.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
    """

    NONE = 0
    ACCOUNT = 1
    LIMITED = 2
    DIRECT = 3


@dataclass(frozen=True)
class Principals:
    """The Principal or NotPrincipal element of a statement. names: ARNs, ids and service names."""

    negated: bool
    everyone: bool
    names: frozenset[str]
    accounts: frozenset[str]

    def grant(self, caller: Caller, denies: bool, bounded: bool) -> Grant:
        """How the statement names this caller. bounded: the caller has a permissions boundary."""
        if self.negated:
            return self._grant_by_exception(caller, denies, bounded)
        if self.everyone:
            return Grant.DIRECT
        if caller.arn in self.names:
            # the simulator takes a role as the caller: it is limited as its sessions are
            return Grant.LIMITED if _is_role_itself(caller) else Grant.DIRECT
        if caller.kind in ("role", "federated") and self._names_owner_of(caller):
            return Grant.LIMITED
        if caller.account in self.accounts and caller.kind in _OF_AN_ACCOUNT:
            return Grant.DIRECT if caller.kind == "root" else Grant.ACCOUNT
        return Grant.NONE

    def _names_owner_of(self, caller: Caller) -> bool:
        owner = caller.principal_arn if caller.kind == "role" else caller.federated_by
        return owner != "" and owner in self.names

    def _grant_by_exception(self, caller: Caller, denies: bool, bounded: bool) -> Grant:
        """How a NotPrincipal names this caller. A Deny exempts only callers whose account it lists.

        "When you use NotPrincipal with Deny, you must also specify the account ARN of the
        not-denied principal"; for a session, the role's ARN too. A Deny with NotPrincipal "will
        always deny any IAM principal that has a permissions boundary policy attached":
        https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
        """
        if not denies:
            listed = self.everyone or caller.account in self.accounts
            listed = listed or caller.arn in self.names or self._names_owner_of(caller)
            return Grant.NONE if listed else Grant.DIRECT
        if bounded and caller.kind in ("user", "role", "federated"):
            return Grant.DIRECT
        return Grant.NONE if self.everyone or self._exempts(caller) else Grant.DIRECT

    def _exempts(self, caller: Caller) -> bool:
        if caller.kind not in _OF_AN_ACCOUNT:
            return caller.arn in self.names
        if caller.account not in self.accounts:
            return False
        if caller.kind == "root":
            return True
        if caller.kind == "role" and caller.principal_arn not in self.names:
            return False
        return caller.arn in self.names


_OF_AN_ACCOUNT = ("user", "root", "role", "federated")


def _is_role_itself(caller: Caller) -> bool:
    return caller.kind == "role" and caller.arn == caller.principal_arn


def principals(statement: Mapping[str, Any]) -> Principals | None:
    """The element of a statement, None if it has none. An invalid principal names nobody."""
    for name in ("Principal", "NotPrincipal"):
        if name in statement:
            return _read(statement[name], name == "NotPrincipal")
    return None


def _read(element: Any, negated: bool) -> Principals:
    everyone = element == "*"
    names: set[str] = set()
    accounts: set[str] = set()
    for kind, values in element.items() if isinstance(element, dict) else ():
        for value in values if isinstance(values, list) else [values]:
            if not isinstance(value, str):
                continue
            account = _ACCOUNT.fullmatch(value) if kind == "AWS" else None
            if kind == "AWS" and value == "*":
                everyone = True
            elif account is not None:
                accounts.add(account.group(1))
            else:
                names.add(value)
    return Principals(negated, everyone, frozenset(names), frozenset(accounts))
