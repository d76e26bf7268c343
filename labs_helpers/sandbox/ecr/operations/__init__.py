"""The operations of ECR: each public function of these modules answers the operation of its name.

``(call, params) -> answer``: params are the parsed and validated members of the request, the answer
has the members of the operation's output shape (a member that is None is left out).
"""

from __future__ import annotations

from dataclasses import dataclass

from labs_helpers.sandbox.ecr.repositories import Registry, Repository
from labs_helpers.sandbox.ecr.repositories import get as get_repository
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.identity import NOBODY_KNOWN, Principals
from labs_helpers.sandbox.service import service


@dataclass(frozen=True)
class Call(service.Call[Store]):
    """One request to ECR; principals: the users and roles that policies name."""

    principals: Principals = NOBODY_KNOWN

    @property
    def registry(self) -> Registry:
        """The registry that the request is about, in the request's region."""
        return Registry(self.account, self.region)

    def repository(self, name: str) -> Repository:
        """A repository of that registry; raises RepositoryNotFound."""
        return get_repository(self.store, self.registry, name)
