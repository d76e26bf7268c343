"""The context of a handler: request, store, caller and repository; and checks of names."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from labs_helpers.oci import digest as digests
from labs_helpers.oci import reference
from labs_helpers.sandbox.ecr import creation, repositories
from labs_helpers.sandbox.ecr import errors as ecr
from labs_helpers.sandbox.ecr.elsewhere import Elsewhere
from labs_helpers.sandbox.ecr.repositories import Registry, Repository
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.identity import Authorize, Keys, Principal
from labs_helpers.sandbox.registry.cache import Cache
from labs_helpers.sandbox.registry.errors import RegistryError
from labs_helpers.sandbox.registry.http import Request
from labs_helpers.sandbox.registry.rules import Rules
from labs_helpers.sandbox.registry.upstream import UpstreamError
from labs_helpers.sandbox.service.errors import AccessDenied

NAME_LENGTHS = range(2, 257)
_NAME_RULE = r"(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*"
_TAG_RULE = r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}"


_ON_PUSH = "CREATE_ON_PUSH"


@dataclass(frozen=True)
class Made:
    """What makes repositories and images without a push of their own: templates, and the cache."""

    elsewhere: Elsewhere = field(default_factory=Elsewhere)
    cache: Cache | None = None


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
    made: Made
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

    def may(self, action: str) -> bool:
        """Whether the caller may do an action here; a refusal does not reach the client."""
        try:
            self.allow(action, tentative=True)
        except AccessDenied:
            return False
        return True

    def repository(self) -> Repository:
        """The repository; raises RepositoryNotFound if nobody created it."""
        return repositories.get(self.store, self.registry, self.name)

    def readable(self) -> Repository:
        """The repository to pull from; raises KmsError when its key cannot be used."""
        repository = self.repository()
        self.made.elsewhere.require_key(repository)
        return repository

    def repository_for_push(self) -> Repository:
        """The repository; without one, made by a template for CREATE_ON_PUSH if one fits.

        The caller then needs ecr:CreateRepository. Raises RepositoryNotFound.
        https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-creation-templates.html
        """
        try:
            return self.readable()
        except ecr.RepositoryNotFound:
            template = creation.template_for(self.store, self.registry, self.name, _ON_PUSH)
            if template is None:
                raise
        self.allow("CreateRepository")
        try:
            elsewhere = self.made.elsewhere
            return creation.create(self.store, self.registry, self.name, template, elsewhere)
        except ecr.RepositoryAlreadyExists:
            return self.repository()  # made by another layer of the same push

    def fetch(self, reference: str) -> None:
        """Let the pull through cache fetch an image; raises RegistryError above a limit."""
        if self.made.cache is None:
            return
        try:
            self.made.cache.bring(self.registry, self.name, reference, self.may)
        except UpstreamError as error:
            raise RegistryError(error.code, str(error), error.status) from error


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
