"""What an operation is told about the request beside its parameters."""

from dataclasses import dataclass

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.ecr import repositories, signing
from labs_helpers.sandbox.ecr.repositories import Registry, Repository
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.identity import Principal


@dataclass(frozen=True)
class Call:
    """One request: its state, its time, its caller and the registry it speaks of.

    registry: the one named by ``registryId``, else the caller's own, in the request's region.
    endpoint: the URL under which the caller reached the sandbox, without a slash at the end.
    """

    store: Store
    clock: Clock
    principal: Principal
    registry: Registry
    endpoint: str

    @property
    def registry_id(self) -> str:
        """The registry's account, 12 digits."""
        return self.registry.account

    @property
    def key(self) -> bytes:
        """The store's secret for what is handed out and comes back: page tokens, layer URLs."""
        return signing.key(self.store)

    def repository(self, name: str) -> Repository:
        """A repository of the call's registry; raises RepositoryNotFound."""
        return repositories.get(self.store, self.registry, name)
