"""Containers: create, start, attach, rename, remove; stopping.py and ending.py have the rest.

Messages and rules are dockerd's: https://github.com/moby/moby/tree/v28.2.2/daemon (create.go,
start.go, delete.go).
"""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
import threading
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from labs_helpers.files import write_json

from .. import machine
from ..build.run.accounts import UnknownAccount
from ..errors import EngineError, NotSupported
from ..events import CONTAINER, Events
from ..private_stores import StoreOf
from ..store import Image, NoSuchImage
from . import describe, lent, rootfs
from .attaching import Attaching
from .creation import Creator
from .ending import Endings
from .keeper.words import CannotStart
from .link import Link
from .record import CREATED, EXITED, NEVER, RESTARTING, RUNNING, Conflict, Container, Records
from .starting import CannotRun, Starter, written
from .stopping import Stopper
from .volumes import Volumes

log = logging.getLogger(__name__)

Document = dict[str, Any]
_PATIENCE = 10.0
"""Seconds that a start waits for clients that are about to attach."""


class Containers:
    """The containers of one engine, in ``folder`` of its state.

    ``store_of`` finds the images of a container's owner.
    """

    def __init__(self, folder: Path, store_of: StoreOf, events: Events) -> None:
        self._store_of, self._private = store_of, folder
        self.records = Records(folder / "containers")
        self.volumes = Volumes(folder / "volumes", events)
        self.images = rootfs.Unpacked(folder / "rootfs")
        self._events = events
        self.lent = lent.Lent(folder / "lent")
        self.link = Link(self.records.folder, self._program_ended)
        self.stopper = Stopper(self.records, self.link, self.emit)
        self._endings = Endings(
            self.records, self.emit, self._note_end, self._start, self._remove_quietly
        )
        self.attaching = Attaching()
        self.exec_ended: list[Any] = []
        """Functions that are called with each ended exec."""
        self.started: list[Callable[[Container], None]] = []
        """Functions that are called with each container that has started."""

    def adopt(self) -> list[Container]:
        """Take over the containers of an earlier engine; return those that still run."""
        running = self.link.find() or {}
        for container in self.records:
            if container.status == RESTARTING:
                self._endings.start_again(container)
            elif container.running and container.id not in running:
                self._endings.take_exit(container)
        self.images.sweep({container.image for container in self.records})
        return [container for container in self.records if container.running]

    def close(self) -> None:
        """Stop every container, as `labs stop` does."""
        self._endings.closing = True
        waiting = []
        for container in self.records:
            if container.is_up:
                waiting.append(threading.Thread(target=self._stop_quietly, args=(container,)))
        for thread in waiting:
            thread.start()
        for thread in waiting:
            thread.join()
        with contextlib.suppress(OSError, EngineError):
            self.link.close()

    def _stop_quietly(self, container: Container) -> None:
        try:
            self.stopper.stop(container, 3.0)
        except EngineError as error:
            log.warning("%s", error)

    # create

    def create(self, name: str, body: Document, image: Image, owner: str = "") -> Container:
        """Create a container from a checked body (options.py). Raises EngineError."""
        container = self._creator.create(name, body, image, owner, self._store_of(owner))
        self.emit(container, "create")
        return container

    @cached_property
    def isolation(self) -> machine.Isolation:
        """How this machine isolates containers."""
        return machine.isolation(self.records.folder)

    @cached_property
    def _creator(self) -> Creator:
        return Creator(self.records, self.images, self.volumes, self._private, self.isolation)

    @cached_property
    def _starter(self) -> Starter:
        return Starter(
            self.records, self.images, self._store_of, self.lent, self.link, self.isolation
        )

    def written(self, container: Container) -> Path:
        """The folder with what a container wrote; without overlays, with the image's files, too."""
        return written(self.records.path(container), self.isolation)

    def ensure_specified(self, container: Container) -> None:
        """Write the specification of a container that was never started, so that it can be read."""
        folder = self.records.path(container)
        if not container.running:
            rootfs.prepare(folder)
        if not (folder / "spec.json").exists():
            write_json(folder / "spec.json", self._starter.specification(container, folder))

    # start

    def start(self, container: Container) -> None:
        """Start a container; nothing happens when it runs. Raises CannotRun."""
        self.attaching.settle(container.id, _PATIENCE)
        with self.records.changed:
            if container.is_up:
                return
            container.stopped, container.restarts = False, 0
        self._endings.pauses.forget(container)
        self._start(container)

    def _start(self, container: Container) -> None:
        with self.records.changed:
            try:
                reply = self._starter.launch(container)
            except (CannotStart, UnknownAccount, NotSupported, OSError) as error:
                raise self._failed(container, error) from error
            container.pid, container.started = reply["pid"], reply["started"]
            container.status, container.finished = RUNNING, NEVER
            container.error, container.exit_code, container.health = "", 0, None
            container.oom_killed = False
            for port, number in zip(container.ports, reply["ports"], strict=True):
                port["outside"] = number
            self.records.save(container)
        self._note_mounts(container, "mount")
        self.emit(container, "start")
        for call in self.started:
            call(container)

    def _note_mounts(self, container: Container, action: str) -> None:
        for mount in container.mounts:
            more = {"container": container.id}
            if action == "mount":
                more |= {"destination": mount["target"], "propagation": ""}
                more["read/write"] = str(not mount["read_only"]).lower()
            if mount["kind"] == "volume":
                self.volumes.note(action, mount["name"], **more)

    def _note_end(self, container: Container, code: int) -> None:
        self.emit(container, "die", exitCode=str(code))
        self._note_mounts(container, "unmount")

    def _failed(self, container: Container, error: Exception) -> CannotRun:
        failure = self._starter.failure(container, error)
        container.exit_code, container.error = failure.code, str(failure)
        container.status = CREATED if container.started == NEVER else EXITED
        for port in container.ports:
            port["outside"] = 0
        self.records.save(container)
        self.link.ask({"do": "release", "id": container.id})
        if container.host.get("AutoRemove"):
            threading.Thread(target=self._remove_quietly, args=(container,)).start()
        return failure

    # what clients ask for

    def attach(
        self, name: str, connection: socket.socket, streams: list[str], keys: bytes, early: bytes
    ) -> None:
        """Give a client's connection to a program; ``name`` is the ID of a container or exec."""
        request = {"do": "attach", "id": name, "streams": streams}
        with connection:
            self.link.ask(
                {**request, "detach": keys.hex(), "early": early.hex()}, connection.fileno()
            )

    def resize(self, name: str, rows: int, columns: int) -> None:
        """Set the size of a program's terminal."""
        self.link.ask({"do": "resize", "id": name, "rows": rows, "columns": columns})

    def settle(self, container: Container) -> None:
        """Wait until the program's end is noted, if it has ended."""
        self.link.settle(container.id, self.records.changed, lambda: not container.running)

    def rename(self, container: Container, name: str) -> None:
        """Give a container another name. Raises Conflict, BadRequest."""
        with self.records.changed:
            self.records.check_name(name, container.owner)
            old, container.name = container.name, name
            self.records.save(container)
        self.emit(container, "rename", oldName=f"/{old}")

    def sizes(self, container: Container) -> Document:
        """``SizeRw``, the bytes that a container has written, and ``SizeRootFs``."""
        size = 0
        with contextlib.suppress(NoSuchImage, EngineError):
            size = self.image_of(container).size
        return describe.sizes(self.written(container), size)

    # ends

    def _program_ended(self, event: Document | None) -> None:
        if event is None:
            for container in self.records:
                if container.running:
                    self._endings.take_exit(container)
            return
        if event["event"] == "exec_die":
            for call in self.exec_ended:
                call(event)
            return
        with contextlib.suppress(EngineError):
            container = self.records.find(event["id"])
            self._endings.ended(container, event["code"], event["time"], bool(event.get("oom")))

    # remove

    def remove(self, container: Container, force: bool = False, with_volumes: bool = False) -> None:
        """Remove a container. Raises Conflict when it runs and ``force`` is not set."""
        if container.is_up:
            if not force:
                raise Conflict(
                    f'cannot remove container "{container.name}": container is {container.status}:'
                    " stop the container before removing or force remove"
                )
            container.stopped = True
            with contextlib.suppress(Conflict):
                self.stopper.kill(container, signal.SIGKILL)
        container.stopped = True
        self.records.remove(container)
        self._endings.pauses.forget(container)
        self.emit(container, "destroy")
        if with_volumes or container.host.get("AutoRemove"):
            for mount in container.mounts:
                self._remove_anonymous(mount)

    def _remove_anonymous(self, mount: Document) -> None:
        if mount["kind"] != "volume":
            return
        with contextlib.suppress(EngineError, OSError):
            if Volumes.is_anonymous(self.volumes.get(mount["name"])):
                self.volumes.remove(mount["name"], self.volume_users(mount["name"]))

    def _remove_quietly(self, container: Container) -> None:
        try:
            self.remove(container)
        except (EngineError, OSError) as error:
            log.warning("container %s cannot be removed: %s", container.short_id, error)

    def image_of(self, container: Container) -> Image:
        """The image of a container. Raises NoSuchImage when it was removed by force."""
        return self._store_of(container.owner).find(container.image)

    def image_and_files(self, container: Container) -> tuple[Image, Path]:
        """The image, and its files in a folder. Raises NoSuchImage as ``image_of``."""
        image = self.image_of(container)
        return image, self.images.path(image, self._store_of(container.owner))

    def volume_users(self, name: str) -> list[str]:
        """The IDs of the containers that use a volume."""
        return [
            container.id
            for container in self.records
            if any(m["kind"] == "volume" and m["name"] == name for m in container.mounts)
        ]

    def emit(self, container: Container, action: str, **more: str) -> None:
        """Note an event about a container."""
        attributes = {
            **(container.config.get("Labels") or {}),
            "image": str(container.config.get("Image")),
            "name": container.name,
            **more,
        }
        self._events.emit(CONTAINER, action, container.id, attributes)
