"""The Docker Engine API, for images and containers.

Source: https://docs.docker.com/reference/api/engine/version/v1.47/
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ..containers.exec import Execs
from ..containers.health import Health
from ..containers.service import Containers
from ..events import Events
from ..hosts import HostMap
from ..store import ImageStore


@dataclass(frozen=True)
class Backend:
    """What the operations of the API work on.

    ``hosts`` leads to registries; ``scratch`` is a folder for temporary files. ``state`` is the
    folder of the containers, which outlive this process; None: they are in ``scratch``.
    ``names_of_isolated`` says of names of images which isolated client made them.
    """

    store: ImageStore
    hosts: HostMap
    scratch: Path
    state: Path | None = None
    names_of_isolated: dict[str, str] = field(default_factory=dict)

    @cached_property
    def events(self) -> Events:
        """What happened to the objects of this engine."""
        return Events()

    @cached_property
    def containers(self) -> Containers:
        """The containers of this engine."""
        return Containers(self.state or self.scratch, self.store, self.events)

    @cached_property
    def execs(self) -> Execs:
        """The programs that joined a container."""
        return Execs(self.containers)

    @cached_property
    def health(self) -> Health:
        """Looks after the containers that have a HEALTHCHECK."""
        return Health(self.containers, self.execs)
