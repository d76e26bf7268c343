"""The context of a handler: request, store, caller and repository; and checks of names."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from labs_helpers.oci import digest as digests
from labs_helpers.oci import reference
from labs_helpers.sandbox.ecr import errors as ecr
from labs_helpers.sandbox.ecr import repositories
from labs_helpers.sandbox.ecr.repositories import Registry, Repository
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.identity import Authorize, Keys, Principal
from labs_helpers.sandbox.registry.errors import RegistryError
from labs_helpers.sandbox.registry.http import Request
from labs_helpers.sandbox.registry.rules import Rules

NAME_LENGTHS = range(2, 257)
_NAME_RULE = r"(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*"
_TAG_RULE = r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}"


@dataclass(frozen=True)
class Context:
    """One authenticated request to one repository of one registry."""

    request: Request
    store: Store
    authorize: Authorize
    principal: Principal
    registry: Registry
    name: str
    rules: Rules
    keys: Keys = field(default_factory=dict)

    def allow(self, *actions: str, name: str | None = None, tentative: bool = False) -> None:
        """Check that the caller may do these actions (`PutImage`) here; raises AccessDenied.

        tentative: a refusal does not reach the client, because the handler has another way.
        """
        arn = self.registry.arn(name or self.name)
        for action in actions:
            self.authorize(
                self.principal, f"ecr:{action}", arn, keys=self.keys, tentative=tentative
            )

    def repository(self) -> Repository:
        """The repository; raises RepositoryNotFound if nobody created it."""
        return repositories.get(self.store, self.registry, self.name)


def check_name(name: str) -> None:
    """Raise NAME_INVALID unless `name` is valid for a repository."""
    if len(name) not in NAME_LENGTHS or not reference.is_path(name):
        error = ecr.InvalidParameter.constraint(
            "repositoryName", f"'must satisfy regular expression '{_NAME_RULE}''"
        )
        raise RegistryError("NAME_INVALID", error.message, 400)


def check_tag(tag: str) -> None:
    """Raise TAG_INVALID unless `tag` is valid."""
    if not re.fullmatch(_TAG_RULE, tag, re.ASCII):
        error = ecr.InvalidParameter.constraint(
            "imageTag", f"'must satisfy regular expression '{_TAG_RULE}''"
        )
        raise RegistryError("TAG_INVALID", error.message, 400)


def check_digest(text: str | None) -> str:
    """The digest; raises DIGEST_INVALID if the text is not a digest."""
    try:
        return str(digests.parse(text or ""))
    except digests.DigestError as error:
        raise RegistryError("DIGEST_INVALID", str(error), 400) from error
