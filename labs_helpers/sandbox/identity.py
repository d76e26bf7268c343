"""Who calls: the identity that both planes and the authorisation hook are told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Principal:
    """A verified caller.

    account: 12 digits; arn: of a user, assumed-role session or root, as GetCallerIdentity has it;
    user_id: AIDA... or AROA...:session (the unique ids of
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html);
    access_key_id: the key that signed.
    """

    account: str
    arn: str
    user_id: str
    access_key_id: str


Authorize = Callable[[Principal, str, str], None]
"""Asked before each operation with (principal, "ecr:PutImage", resource ARN).

Raises labs_helpers.sandbox.ecr.errors.AccessDenied to refuse.
"""


def allow_all(principal: Principal, action: str, resource: str) -> None:
    """Nobody is refused for want of a policy: the sandbox checks only who calls."""
