"""Find a daemon of Docker or Podman on this machine.

The labs try the usual paths of sockets, and do not read ~/.docker and its contexts. Sources:
https://docs.docker.com/engine/security/rootless/, https://docs.docker.com/desktop/setup/install/mac-permission-requirements/,
https://docs.docker.com/desktop/setup/install/linux/#context,
https://docs.podman.io/en/latest/markdown/podman-system-service.1.html,
https://docs.orbstack.dev/docker/, https://github.com/abiosoft/colima/blob/main/docs/FAQ.md,
https://docs.rancherdesktop.io/ui/preferences/application/general/,
https://github.com/lima-vm/lima/blob/master/templates/docker.yaml
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .address import Address, AddressError, parse, unix
from .daemon import OLDEST_API, About, DaemonClient, DaemonError

SECONDS = 1.5
"""How long to wait for the version of a daemon that nobody named; most need milliseconds."""
PATIENT_SECONDS = 20.0
"""How long to wait for one that somebody asked for: Podman runs programs to tell its version, which
takes seconds on a busy machine."""

SYSTEM = ("/var/run/docker.sock", "/run/podman/podman.sock")
"""The sockets that all users of a machine share."""

_RUNTIME = ("docker.sock", "podman/podman.sock")
_HOME = (
    ".docker/run/docker.sock",
    ".docker/desktop/docker.sock",
    ".orbstack/run/docker.sock",
    ".colima/default/docker.sock",
    ".rd/docker.sock",
    ".lima/docker/sock/docker.sock",
    ".local/share/containers/podman/machine/podman.sock",
    ".local/share/containers/podman/machine/podman-machine-default/podman.sock",
    ".local/share/containers/podman/machine/qemu/podman.sock",
)


@dataclass(frozen=True)
class RunningDaemon:
    """A daemon that answers at ``address``."""

    address: Address
    about: About


@dataclass(frozen=True)
class NoDaemon:
    """A place without a daemon that the labs can use, and the reason."""

    place: str
    why: str


def candidates(
    environ: Mapping[str, str], ours: Path, system: tuple[str, ...] = SYSTEM
) -> Iterator[Address | NoDaemon]:
    """Yield the addresses to try, except ``ours``, the labs' own socket.

    When LABS_DOCKER_HOST, DOCKER_HOST or CONTAINER_HOST is set, yield only that address: a learner
    who names a daemon wants no other. LABS_DOCKER_HOST comes first, because the labs put their own
    socket into DOCKER_HOST. An address that the labs cannot use is a NoDaemon.
    """
    for name in ("LABS_DOCKER_HOST", "DOCKER_HOST", "CONTAINER_HOST"):
        named = environ.get(name)
        if not named or named == f"unix://{ours}":
            continue
        try:
            yield parse(named)
        except AddressError as error:
            yield NoDaemon(f"{name}={named}", str(error))
        return
    sockets = [Path(system[0])] if system else []
    if runtime := environ.get("XDG_RUNTIME_DIR"):
        sockets += [Path(runtime) / name for name in _RUNTIME]
    if home := environ.get("HOME"):
        sockets += [Path(home) / name for name in _HOME]
    if temporary := environ.get("TMPDIR"):
        sockets.append(Path(temporary) / "podman" / "podman-machine-default-api.sock")
    for path in (*sockets, *map(Path, system[1:])):
        # lexists is False, and raises nothing, in a home that we may not enter
        if path != ours and os.path.lexists(path):
            yield unix(path)


def probe(candidate: Address | NoDaemon, seconds: float = SECONDS) -> RunningDaemon | NoDaemon:
    """Ask for the daemon's version at an address, and say whether the labs can use the daemon."""
    if isinstance(candidate, NoDaemon):
        return candidate
    try:
        about = DaemonClient(candidate).about(seconds)
    except DaemonError as error:
        return NoDaemon(str(candidate), str(error).removeprefix(f"{candidate}: "))
    if about.kind == "labs":
        return NoDaemon(str(candidate), "it is a labs' engine without a daemon")
    if about.api < OLDEST_API:
        api = ".".join(map(str, about.api))
        return NoDaemon(str(candidate), f"its API is {api}, and the labs need 1.24 or newer")
    return RunningDaemon(candidate, about)
