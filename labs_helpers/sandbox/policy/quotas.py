"""The maximum size of policies.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from labs_helpers.sandbox.policy.elements import MalformedPolicy

MANAGED = 6144
TRUST = 2048
#: the maximum for all inline policies of one identity together
INLINE = {"user": 2048, "group": 5120, "role": 10240}

_SPACE = re.compile(r"\s")


def size(text: str) -> int:
    """ "IAM doesn't count white space when calculating the size of a policy"."""
    return len(_SPACE.sub("", text))


def check_managed(text: str) -> None:
    if size(text) > MANAGED:
        raise _too_long(f"Cannot exceed quota for PolicySize: {MANAGED}")


def check_trust(text: str) -> None:
    if size(text) > TRUST:
        raise _too_long(f"Cannot exceed quota for ACLSizePerRole: {TRUST}")


def check_inline(kind: str, name: str, texts: Iterable[str]) -> None:
    """kind: user, group or role; texts: all inline policies that the identity would have."""
    limit = INLINE[kind]
    if sum(size(text) for text in texts) > limit:
        raise _too_long(f"Maximum policy size of {limit} bytes exceeded for {kind} {name}")


def _too_long(message: str) -> MalformedPolicy:
    return MalformedPolicy(message, code="LimitExceeded")
