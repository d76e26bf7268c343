"""Who calls: the identity that both planes and the authorisation hook are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol


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

    @property
    def is_service(self) -> bool:
        """Whether this is a service of AWS that acts as itself.

        arn is the service's name then ("codebuild.amazonaws.com"), user_id the ARN of the resource
        for which the service acts, and account the account of that resource.
        """
        return not self.arn.startswith("arn:")


Keys = Mapping[str, tuple[str, ...]]
"""Condition keys of a request in lower case, each with its values."""

NO_KEYS: Keys = MappingProxyType({})


class Principals(Protocol):
    """The users and roles of every account, as a policy of a resource names them."""

    def id_of(self, arn: str) -> str | None:
        """The unique id of a user or role by its ARN; None where there is none."""

    def arn_of(self, unique_id: str) -> str | None:
        """The ARN of a user or role by its unique id; None where there is none."""


class NobodyKnown:
    """`Principals` where nobody keeps users and roles: every name stays as it was written."""

    def id_of(self, arn: str) -> str | None:
        return None

    def arn_of(self, unique_id: str) -> str | None:
        return None


NOBODY_KNOWN = NobodyKnown()


class Authorize(Protocol):
    """ApiRequest before each operation, e.g. (principal, "ecr:PutImage", resource ARN, keys).

    Raises labs_helpers.sandbox.service.errors.AccessDenied to refuse. tentative: the caller goes on
    without the permission, so that a refusal need not be explained to anybody.
    """

    def __call__(
        self,
        principal: Principal,
        action: str,
        resource: str,
        keys: Keys = NO_KEYS,
        tentative: bool = False,
    ) -> None: ...
