"""Principal and NotPrincipal: whom a statement of a resource-based policy means.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from labs_helpers.sandbox.policy.model import Caller

_ACCOUNT = re.compile(r"(?:arn:aws[a-z-]*:iam::)?(\d{12})(?::root)?")


class Grant(IntEnum):
    """How a statement means a caller, which says what else must allow within the account.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
    ACCOUNT: its account, which may let it in by its own policies.
    LIMITED: the role of the session, or the user who federated: boundary and session policy limit.
    DIRECT: the user, the session, the service or everyone: implicit denies elsewhere do not count.
    """

    NONE = 0
    ACCOUNT = 1
    LIMITED = 2
    DIRECT = 3


@dataclass(frozen=True)
class Principals:
    """The element of one statement: everyone, ARNs and ids, accounts."""

    negated: bool
    everyone: bool
    names: frozenset[str]
    accounts: frozenset[str]

    def grant(self, caller: Caller, denies: bool, bounded: bool) -> Grant:
        """How it means this caller. bounded: the caller has a permissions boundary."""
        if self.negated:
            return self._grant_by_exception(caller, denies, bounded)
        if self.everyone:
            return Grant.DIRECT
        if caller.arn in self.names:
            # a role that asks by its own name, as the simulator lets it: its sessions are limited
            return Grant.LIMITED if _is_role(caller) else Grant.DIRECT
        if caller.kind in ("role", "federated") and self._names_owner_of(caller):
            return Grant.LIMITED
        if caller.account in self.accounts and caller.kind in _OF_AN_ACCOUNT:
            return Grant.DIRECT if caller.kind == "root" else Grant.ACCOUNT
        return Grant.NONE

    def _names_owner_of(self, caller: Caller) -> bool:
        owner = caller.principal_arn if caller.kind == "role" else caller.federated_by
        return owner != "" and owner in self.names

    def _grant_by_exception(self, caller: Caller, denies: bool, bounded: bool) -> Grant:
        """NotPrincipal. A Deny spares only whom it names together with role and account.

        "When you use NotPrincipal with Deny, you must also specify the account ARN of the
        not-denied principal"; of a session the role's too. And it "will always deny any IAM
        principal that has a permissions boundary policy attached":
        https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
        """
        if not denies:
            listed = self.everyone or caller.account in self.accounts
            listed = listed or caller.arn in self.names or self._names_owner_of(caller)
            return Grant.NONE if listed else Grant.DIRECT
        if bounded and caller.kind in ("user", "role", "federated"):
            return Grant.DIRECT
        return Grant.NONE if self.everyone or self._spares(caller) else Grant.DIRECT

    def _spares(self, caller: Caller) -> bool:
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


def _is_role(caller: Caller) -> bool:
    return caller.kind == "role" and caller.arn == caller.principal_arn


def principals(statement: Mapping[str, Any]) -> Principals | None:
    """The element of a statement, None where it has none. What is no principal means nobody."""
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
