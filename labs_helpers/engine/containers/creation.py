"""What a new container is: its image's configuration completes the request.

Messages and rules are dockerd's: https://github.com/moby/moby/blob/v28.2.2/daemon/create.go
"""

from __future__ import annotations

import functools
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .. import machine, owners
from ..capabilities import capabilities
from ..errors import BadRequest, NotSupported
from ..image_config import settings
from ..store import Image, ImageStore
from . import options, ports, rootfs, spec, values
from .keeper import cgroup
from .keeper.logfile import now
from .record import Container, Records
from .volumes import Volumes, requested

Document = dict[str, Any]


_LEAST_MEMORY = 6 << 20
_PROBED = {cgroup.PROCESSES: 1, cgroup.MEMORY: 64 << 20}


class Creator:
    """Makes the records and the folders of new containers; private: the engine's own folder."""

    def __init__(
        self,
        records: Records,
        images: rootfs.Unpacked,
        volumes: Volumes,
        private: Path,
        isolation: machine.Isolation,
    ) -> None:
        self._records, self._images, self._volumes = records, images, volumes
        self._private, self._isolation = private, isolation

    def create(
        self, name: str, body: Document, image: Image, owner: str, store: ImageStore
    ) -> Container:
        """Create a container from a checked body (options.py). Raises EngineError.

        owner: of what an isolated client makes; the folders it mounts have no links at the end.
        store: of the image.
        """
        config, host = dict(body), dict(body.get("HostConfig") or {})
        config.pop("HostConfig", None)
        config.pop("NetworkingConfig", None)
        base = settings(image.config)
        _inherit(config, base)
        values.check(config, host)
        if not spec.command(config):
            raise BadRequest("no command specified")
        published = ports.requested(
            host.get("PortBindings"),
            config.get("ExposedPorts") or (),
            bool(host.get("PublishAllPorts")),
        )
        kind = options.network(host.get("NetworkMode") or "")
        mounts = requested(config, host, base, self._private)
        container = Container(
            id=secrets.token_hex(32),
            name=name.removeprefix("/"),
            created=now(),
            image=image.id,
            config=config,
            host=host,
            ports=published if kind == "own" else [],
            mounts=mounts,
            owner=owner,
        )
        spec.relays(config.get("Labels") or {}, kind)
        spec.marks(host)
        _check_memory(host)
        capabilities(host, kind)
        _check_isolation(self._isolation, host, kind, mounts, published)
        if container.name:
            self._records.check_name(container.name, owner)
        folder = self._records.path(container)
        folder.mkdir(mode=0o700)
        try:
            rootfs.prepare(folder)
            _make_mounts(container, self._volumes, lambda: self._images.path(image, store))
            spec.write_own_files(container, folder)
            self._records.add(container)
        except BaseException:
            owners.remove(folder)
            raise
        return container


def _inherit(config: Document, base: Document) -> None:
    """Complete a request by its image's configuration, as dockerd merges them."""
    if config.get("Entrypoint") is None:
        config["Entrypoint"] = base.get("Entrypoint")
        if not config.get("Cmd"):
            config["Cmd"] = base.get("Cmd")
    elif config["Entrypoint"] == [""]:
        config["Entrypoint"] = None
    for key in ("User", "WorkingDir", "StopSignal", "StopTimeout", "Healthcheck"):
        if not config.get(key) and base.get(key):
            config[key] = base[key]
    config["Env"] = spec.merge_environment(base.get("Env"), config.get("Env"))
    # who asks for a container decides about ports of this machine, never who made the image
    labels = {k: text for k, text in (base.get("Labels") or {}).items() if k != spec.RELAYS}
    base = {**base, "Labels": labels}
    for key in ("ExposedPorts", "Labels", "Volumes"):
        config[key] = {**(base.get(key) or {}), **(config.get(key) or {})} or None
    for key in ("Entrypoint", "Cmd"):
        if isinstance(config.get(key), str):
            config[key] = [config[key]]


def _check_isolation(
    isolation: machine.Isolation,
    host: Document,
    kind: str,
    mounts: list[Document],
    published: list[Document],
) -> None:
    """Refuse what this machine cannot give a container. Raises NotSupported.

    ``kind`` is the kind of network (options.network).
    """
    if isolation.kind == machine.NONE:
        raise NotSupported(isolation.sentence)
    if (host.get("PidsLimit") or 0) > 0 and not limits_processes(isolation):
        raise NotSupported(
            "the labs engine refuses --pids-limit: it holds in namespaces, for an engine of an"
            " ordinary user, or for root's where root may make a cgroup; not here"
        )
    if host.get("Memory") and not limits_memory(isolation):
        raise NotSupported(
            "the labs engine refuses --memory: it needs a cgroup in which this engine may make"
            " others (root's, or one that systemd delegates to a user); there is none here"
        )
    if isolation.kind == machine.NAMESPACES:
        return
    _check_ports(published)
    asked = [
        *(["--read-only"] if host.get("ReadonlyRootfs") else []),
        *(["--tmpfs"] if host.get("Tmpfs") else []),
        *(["--init"] if host.get("Init") else []),
        *(["--network none"] if kind == "none" else []),
        *(["a read-only volume"] if any(mount["read_only"] for mount in mounts) else []),
    ]
    if asked:
        raise NotSupported(f"the labs engine refuses {asked[0]}: {isolation.sentence}")


def _check_memory(host: Document) -> None:
    """Refuse limits of memory that dockerd refuses. Raises BadRequest.

    https://github.com/moby/moby/blob/v28.2.2/daemon/daemon_unix.go
    (verifyPlatformContainerResources)
    """
    memory, both = host.get("Memory") or 0, host.get("MemorySwap") or 0
    if memory < 0 or 0 < memory < _LEAST_MEMORY:
        raise BadRequest("Minimum memory limit allowed is 6MB")
    if not memory and both > 0:
        raise BadRequest(
            "You should always set the Memory limit when using Memoryswap limit, see usage"
        )
    if memory and 0 < both < memory:
        raise BadRequest("Minimum memoryswap limit should be larger than memory limit, see usage")


def limits_processes(isolation: machine.Isolation) -> bool:
    """Whether a limit of a container's processes holds here."""
    return isolation.has_namespaces and (os.geteuid() != 0 or _gets_cgroups(cgroup.PROCESSES))


def limits_memory(isolation: machine.Isolation) -> bool:
    """Whether a limit of a container's memory holds here."""
    return isolation.has_namespaces and _gets_cgroups(cgroup.MEMORY)


@functools.cache
def _gets_cgroups(kind: str) -> bool:
    found = cgroup.make("probe", secrets.token_hex(8), {kind: _PROBED[kind]})
    cgroup.remove(found or [])
    return bool(found)


def _check_ports(published: list[Document]) -> None:
    """Refuse ports that a program under PRoot, in the machine's network, cannot listen on."""
    first = machine.first_free_port()
    for port in published:
        if port["inside"] < first:
            raise NotSupported(
                f"the labs engine refuses to publish port {port['inside']}: containers run"
                " under PRoot here, in the machine's own network, where ports below"
                f" {first} are root's. Let a program listen on a port from {first} on, or allow"
                " namespaces: labs doctor says how"
            )


def _make_mounts(container: Container, volumes: Volumes, unpacked: Callable[[], Path]) -> None:
    """Make the volumes of a new container, with the files of its image in those that are new."""
    for mount in container.mounts:
        if mount["kind"] == "bind":
            try:
                if mount.get("make") and not os.path.exists(mount["source"]):  # noqa: PTH110 - false, not an error, in closed folders
                    # as dockerd: -v makes a missing folder, --mount does not
                    Path(mount["source"]).mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise BadRequest(
                    f"error while creating mount source path '{mount['source']}': mkdir"
                    f" {error.filename}: {str(error.strerror).lower()}"
                ) from error
            continue
        volume = volumes.create(mount["name"])
        mount["name"], mount["source"] = volume["Name"], volume["Mountpoint"]
        place = Path(volume["Mountpoint"])
        if _is_empty(place):
            rootfs.copy_up(unpacked(), mount["target"], place)


def _is_empty(volume: Path) -> bool:
    try:
        return not any(volume.iterdir())
    except PermissionError:
        return False  # another user of a container has taken it over
