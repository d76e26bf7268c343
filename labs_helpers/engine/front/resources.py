"""What all requests of a front share: the daemon, its records, the registries, a scratch folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ..folders import fresh_folder
from ..hosts import HostMap
from .address import Address
from .daemon import OLDEST_API, DaemonClient, DaemonError, FrontDaemonClient
from .records import DATABASE, Records


@dataclass(frozen=True)
class Resources:
    """Passed to every function that answers a request.

    ``scratch`` is a folder for layers and build contexts while a request lasts.
    """

    daemon: FrontDaemonClient
    records: Records
    hosts: HostMap
    scratch: Path
    owners: dict[str, str] = field(default_factory=dict)
    """The isolated client that made a container, by the container's ID."""
    names: dict[str, str] = field(default_factory=dict)
    """The isolated client that named an image, by the canonical name."""
    tagged: set[str] = field(default_factory=set)
    """Those of these names that docker tag gave."""
    awaited: set[str] = field(default_factory=set)
    """The builds whose end is waited for."""

    @property
    def is_podman(self) -> bool:
        """Whether the daemon is Podman, which has an API of its own beside Docker's."""
        return self.daemon.kind == "podman"


def open_resources(
    state: Path, registries: Path | None, address: Address, seconds: float
) -> Resources:
    """Ask the daemon who it is, within ``seconds``, and open what its front needs.

    ``state`` is the engine's folder; ``registries`` is the map of registry hosts, see hosts.py.

    Raises:
        DaemonError: the daemon does not answer, or is too old.
    """
    about = DaemonClient(address).about(seconds)
    if about.api < OLDEST_API:
        raise DaemonError(
            f"{address}: its API is older than 1.24. Install a newer version of the daemon"
        )
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    records = Records(state / DATABASE)
    records.remember_daemon(address.text)
    return Resources(
        daemon=FrontDaemonClient(address, about.request_api, about.kind),
        records=records,
        hosts=HostMap(registries),
        scratch=fresh_folder(state, "passing"),
    )
