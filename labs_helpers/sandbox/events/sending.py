"""One message of a rule to a target, and the ways in which the message does not arrive.

The codes are those of a dead-letter queue:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labs_helpers.sandbox.events import permission
from labs_helpers.sandbox.events.permission import NotLetIn, Sender
from labs_helpers.sandbox.service.errors import AccessDenied

AsRole = Callable[[str, str, Mapping[str, tuple[str, ...]], str, str], None]
"""(role, service, condition keys, action, resource): raises AccessDenied when a service may not
take the role, or the role may not do the action on the resource."""


class Failed(Exception):
    """The message did not arrive. code: of the dead-letter queue; again: whether to try again."""

    def __init__(self, code: str, why: str, again: bool = False) -> None:
        super().__init__(why)
        self.code = code
        self.again = again


def unreachable(why: str) -> Failed:
    """There is no such target."""
    return Failed("NO_RESOURCE", why)


@dataclass(frozen=True)
class Sending:
    """arn: of the destination; target: as PutTargets had it; hops: buses that the event crossed.

    attributes: of the message, where the destination is a queue for dead letters.
    """

    sender: Sender
    arn: str
    message: str
    target: Mapping[str, Any]
    event: Mapping[str, Any]
    as_role: AsRole
    hops: int = 0
    attributes: Mapping[str, str] | None = None

    @property
    def place(self) -> tuple[str, str]:
        """(account, region) of the destination."""
        parts = self.arn.split(":", 5)
        return parts[4], parts[3]

    @property
    def resource(self) -> str:
        """What an ARN has after the account."""
        return self.arn.split(":", 5)[5]

    def require(self, action: str, resource: str, policies: Sequence[str]) -> None:
        """Raise Failed unless a policy on the resource, or the target's role, allows the action.

        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-identity-based.html
        """
        try:
            if role := self.target.get("RoleArn"):
                self.as_role(role, permission.SERVICE, self.sender.keys, action, resource)
            else:
                permission.require(self.sender, action, resource, policies)
        except (NotLetIn, AccessDenied) as error:
            raise Failed("NO_PERMISSIONS", str(error)) from error


Send = Callable[[Sending], None]
"""Sends a message; raises Failed."""
