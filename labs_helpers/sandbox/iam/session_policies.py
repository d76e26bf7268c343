"""Session policies that a request passes to STS: their size and their grammar.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from labs_helpers.sandbox.policy import grammar
from labs_helpers.sandbox.policy.elements import MalformedPolicy
from labs_helpers.sandbox.service.refusal import Refusal

MOST_ARNS = 10
LONGEST = 2048
"""Characters of the policy and the ARNs together."""


@dataclass(frozen=True)
class SessionPolicies:
    """The policies that were passed; `percent` of STS's limit, None when there is no policy."""

    policy: str | None
    arns: tuple[str, ...]
    percent: int | None

    @property
    def size(self) -> dict[str, int]:
        """PackedPolicySize of an answer; absent when no policy was passed."""
        return {} if self.percent is None else {"PackedPolicySize": self.percent}


def session_policies(params: Mapping[str, Any]) -> SessionPolicies:
    """The session policies of a request.

    Raises Refusal: PackedPolicyTooLarge, MalformedPolicyDocument.
    """
    policy = params.get("Policy")
    arns = tuple(str(one["arn"]) for one in params.get("PolicyArns", []))
    if len(arns) > MOST_ARNS:
        raise Refusal(
            "ValidationError",
            f"1 validation error detected: Value at 'policyArns' failed to satisfy constraint: "
            f"Member must have length less than or equal to {MOST_ARNS}",
        )
    tags = params.get("Tags", [])
    length = len(policy or "") + sum(map(len, arns))
    packed = length + sum(len(tag["Key"]) + len(tag.get("Value", "")) for tag in tags)
    percent = -(-packed * 100 // LONGEST) if packed else None
    if length > LONGEST:
        raise Refusal(
            "PackedPolicyTooLarge",
            f"Packed policy consumes {percent}% of allotted space, please use smaller policy.",
        )
    if policy is not None:
        _check(str(policy))
    return SessionPolicies(policy, arns, percent)


def _check(policy: str) -> None:
    try:
        grammar.check_session_policy(policy)
    except MalformedPolicy as error:
        raise Refusal("MalformedPolicyDocument", error.located) from error
