"""Where a real daemon may be listening, and who answers there.

~/.docker and its contexts are not read: sockets are known by their paths. Sources:
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
from .daemon import OLDEST_API, About, DaemonError, RealDaemon

SECONDS = 1.5
"""How long a daemon may take to say its version; one on this machine needs milliseconds."""

SYSTEM = ("/var/run/docker.sock", "/run/podman/podman.sock")
"""Sockets of the whole machine."""

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
class Found:
    """A daemon that answers."""

    address: Address
    about: About


@dataclass(frozen=True)
class Silent:
    """A place where none answers that would do, and why."""

    place: str
    why: str


def places(
    environ: Mapping[str, str], ours: Path, system: tuple[str, ...] = SYSTEM
) -> Iterator[Address | Silent]:
    """The places to look, the learner's own choice first, ``ours`` (the labs' socket) left out.

    DOCKER_HOST, or LABS_DOCKER_HOST where the labs have put their own into DOCKER_HOST, is the
    only place when it is set: who names a daemon does not mean another.
    """
    for name in ("LABS_DOCKER_HOST", "DOCKER_HOST", "CONTAINER_HOST"):
        named = environ.get(name)
        if not named or named == f"unix://{ours}":
            continue
        try:
            yield parse(named)
        except AddressError as error:
            yield Silent(f"{name}={named}", str(error))
        return
    sockets = [Path(system[0])] if system else []
    if runtime := environ.get("XDG_RUNTIME_DIR"):
        sockets += [Path(runtime) / name for name in _RUNTIME]
    if home := environ.get("HOME"):
        sockets += [Path(home) / name for name in _HOME]
    if temporary := environ.get("TMPDIR"):
        sockets.append(Path(temporary) / "podman" / "podman-machine-default-api.sock")
    for path in (*sockets, *map(Path, system[1:])):
        if path != ours and _is_there(path):
            yield unix(path)


def look(place: Address | Silent, seconds: float = SECONDS) -> Found | Silent:
    """Ask one place."""
    if isinstance(place, Silent):
        return place
    try:
        about = RealDaemon(place).about(seconds)
    except DaemonError as error:
        return Silent(str(place), str(error).removeprefix(f"{place}: "))
    if about.kind == "labs":
        return Silent(str(place), "it is a labs' engine without a daemon")
    if about.api < OLDEST_API:
        api = ".".join(map(str, about.api))
        return Silent(str(place), f"its API is {api}, and the labs need 1.24 or newer")
    return Found(place, about)


def _is_there(path: Path) -> bool:
    """Whether there is something; os.path.lexists, as a home that may not be entered has none."""
    return os.path.lexists(path)
