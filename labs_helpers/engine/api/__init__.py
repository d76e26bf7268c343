"""The Docker Engine API, for images and containers.

Source: https://docs.docker.com/reference/api/engine/version/v1.47/
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ..containers.exec import Execs
from ..containers.health import Health
from ..containers.record import Container
from ..containers.service import Containers
from ..errors import EngineError
from ..events import Events
from ..hosts import HostMap
from ..private_stores import PrivateStores
from ..store import ImageStore
from .isolated import Isolated, build_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Backend:
    """What the operations of the API work on.

    ``hosts`` leads to registries; ``scratch`` is a folder for temporary files. ``state`` is the
    folder of the containers, which outlive this process; None: they are in ``scratch``.
    ``owner`` is the isolated client that the backend is for, with a store of its own; ``learners``
    is then the backend of the learner, who reaches the containers of all owners by ID or name.
    """

    store: ImageStore
    hosts: HostMap
    scratch: Path
    state: Path | None = None
    owner: str = ""
    learners: Backend | None = None

    def of(self, client: Isolated) -> Backend:
        """The backend of an isolated client. Raises Ended where the client's build has ended."""
        store = self.private.of(client.owner, client.folder)
        return Backend(store, self.hosts, self.scratch, self.state, client.owner, self)

    def store_of(self, owner: str) -> ImageStore:
        """The images of an owner. Raises Ended."""
        return self.private.of(owner) if owner else self.store

    def listed(self) -> list[Container]:
        """The containers that lists and counts have, and that prune removes.

        The learner's have no build's: on AWS a build has a Docker of its own, on its own machine.
        """
        if self.owner:
            return [each for each in self.containers.records if each.owner == self.owner]
        return [each for each in self.containers.records if not build_of(each.owner)]

    @cached_property
    def private(self) -> PrivateStores:
        """The stores of isolated clients."""
        if self.learners:
            return self.learners.private
        place = (self.state or self.scratch) / "isolated"
        return PrivateStores(place, self._remove_containers)

    def _remove_containers(self, owner: str) -> None:
        """Remove each container of an owner, whatever it does, with its anonymous volumes."""
        for container in self.containers.records:
            if container.owner == owner:
                try:
                    self.containers.remove(container, force=True, with_volumes=True)
                except (EngineError, OSError) as error:
                    log.warning("container %s cannot be removed: %s", container.short_id, error)

    @cached_property
    def events(self) -> Events:
        """What happened to this engine's objects; for an isolated client, no request reads it."""
        return Events()

    @cached_property
    def containers(self) -> Containers:
        """The containers of this engine."""
        if self.learners:
            return self.learners.containers
        return Containers(self.state or self.scratch, self.store_of, self.events)

    @cached_property
    def execs(self) -> Execs:
        """The programs that joined a container."""
        return self.learners.execs if self.learners else Execs(self.containers)

    @cached_property
    def health(self) -> Health:
        """Looks after the containers that have a HEALTHCHECK."""
        return Health(self.containers, self.execs)
