"""Decisions remembered and explained: what /_labs/why answers.

Of each principal the last refusals are kept, in memory, with the policies as they were then.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from labs_helpers.sandbox.identity import Principal
from labs_helpers.sandbox.policy.missing import smallest_statement, where
from labs_helpers.sandbox.policy.model import Decision, Policies, Policy
from labs_helpers.sandbox.policy.request import Request

KEPT = 200
"""How many refusals are remembered, of all accounts together."""


@dataclass(frozen=True)
class Verdict:
    """A question to IAM with its answer. sentence: AWS's, also for what was allowed: empty."""

    at: datetime
    request: Request
    policies: Policies
    decision: Decision
    sentence: str


@dataclass(frozen=True)
class Asked:
    """A question to IAM of the request that a thread handles; refusal: AWS's sentence, or empty.

    tentative: the request goes on without the permission.
    """

    principal: Principal
    action: str
    resource: str
    refusal: str
    tentative: bool


class Decisions:
    """A ring of refusals, oldest first, and what the request of this thread asked; thread-safe."""

    def __init__(self) -> None:
        self._watching = threading.local()
        self._lock = threading.Lock()
        self._seen: deque[tuple[int, Verdict]] = deque(maxlen=KEPT)
        self._number = 0

    def note(self, verdict: Verdict) -> None:
        """Keep a refusal."""
        with self._lock:
            self._number += 1
            self._seen.append((self._number, verdict))

    @contextmanager
    def watched(self) -> Iterator[list[Asked]]:
        """A list that holds, at the end of the block, what this thread asked within the block.

        A block within a block has a list of its own: a call that one call makes of another service.
        """
        outer: list[Asked] | None = getattr(self._watching, "asked", None)
        asked: list[Asked] = []
        self._watching.asked = asked
        try:
            yield asked
        finally:
            self._watching.asked = outer

    def answered(self, asked: Asked) -> None:
        """Tell who watches this thread what was asked."""
        watching: list[Asked] | None = getattr(self._watching, "asked", None)
        if watching is not None:
            watching.append(asked)

    def last(self, account: str = "", principal: str = "") -> tuple[int, Verdict] | None:
        """The last refusal, of an account or of a principal (its ARN) if one is named."""
        with self._lock:
            found: Sequence[tuple[int, Verdict]] = list(self._seen)
        for number, verdict in reversed(found):
            caller = verdict.request.caller
            if account and caller.account != account:
                continue
            if principal and principal not in (caller.arn, caller.principal_arn):
                continue
            return number, verdict
        return None


def explained(verdict: Verdict, number: int | None = None) -> dict[str, Any]:
    """A verdict as JSON: who, what, where, with which context, and which statement decided."""
    request, decision = verdict.request, verdict.decision
    deciding = {id(match.policy) for match in decision.matched}
    return {
        "number": number,
        "at": verdict.at.isoformat(),
        "account": request.caller.account,
        "principal": request.caller.arn,
        "action": request.action,
        "resource": request.resource,
        "resource_account": request.resource_account,
        "outcome": decision.outcome.value,
        "kind": decision.kind.value if decision.kind else None,
        "sentence": verdict.sentence,
        "context": {key: list(values) for key, values in sorted(request.context.items())},
        "missing_context": list(decision.missing_context),
        "policies": [
            {**_shown(policy), "decided": id(policy) in deciding} for policy in decision.considered
        ],
        "statements": [
            {
                **_shown(match.policy),
                "index": match.index,
                "sid": match.sid,
                "statement": dict(match.policy.document.statements[match.index].source),
            }
            for match in decision.matched
        ],
        "would_allow": smallest_statement(request, decision) or None,
        "where": where(request, decision),
    }


def _shown(policy: Policy) -> dict[str, str]:
    return {
        "kind": policy.kind.value,
        "name": policy.name,
        "arn": policy.arn,
        "via": policy.via,
    }
