"""Containers: create, start, stop, remove, and what follows when a program ends.

Messages and rules are dockerd's: https://github.com/moby/moby/tree/v28.2.2/daemon (create.go,
start.go, stop.go, delete.go, monitor.go).
"""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
import threading
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from labs_helpers.files import write_json

from .. import machine
from ..build.run.accounts import UnknownAccount
from ..errors import EngineError, NotSupported
from ..store import Image, ImageStore, NoSuchImage
from . import describe, ending, lent, rootfs
from .creation import Creator
from .events import Events
from .keeper.words import CannotStart
from .link import Link
from .record import CREATED, EXITED, NEVER, RUNNING, Conflict, Container, Records
from .starting import CannotRun, Starter, written
from .volumes import Volumes

log = logging.getLogger(__name__)

Document = dict[str, Any]

GRACE = 10.0
"""Seconds between SIGTERM and SIGKILL, unless the client or the container says otherwise."""
_KILLED = 60.0
"""Seconds in which a killed program ends, unless the kernel holds a process of it up."""


class Containers:
    """The containers of one engine, in ``folder`` of its state."""

    def __init__(self, folder: Path, store: ImageStore) -> None:
        self._store, self._private = store, folder
        self.records = Records(folder / "containers")
        self.volumes = Volumes(folder / "volumes")
        self.images = rootfs.Unpacked(folder / "rootfs", store)
        self.events = Events()
        self.lent = lent.Lent(folder / "lent")
        self.link = Link(self.records.folder, self._program_ended)
        self._pauses = ending.Pauses()
        self._closing = False
        self.exec_ended: list[Any] = []
        """Functions that are called with each ended exec."""
        self.started: list[Callable[[Container], None]] = []
        """Functions that are called with each container that has started."""

    def adopt(self) -> list[Container]:
        """Take over the containers of an earlier engine; return those that still run."""
        running = self.link.find() or {}
        for container in self.records:
            if not container.running:
                continue
            if container.id not in running:
                self._take_exit(container)
        self.images.sweep({container.image for container in self.records})
        return [container for container in self.records if container.running]

    def close(self) -> None:
        """Stop every container, as `labs stop` does."""
        self._closing = True
        waiting = []
        for container in self.records:
            if container.running:
                waiting.append(threading.Thread(target=self._stop_quietly, args=(container,)))
        for thread in waiting:
            thread.start()
        for thread in waiting:
            thread.join()
        with contextlib.suppress(OSError, EngineError):
            self.link.close()

    def _stop_quietly(self, container: Container) -> None:
        try:
            self.stop(container, 3.0)
        except EngineError as error:
            log.warning("%s", error)

    # create

    def create(self, name: str, body: Document, image: Image, owner: str = "") -> Container:
        """Create a container from a checked body (options.py). Raises EngineError."""
        container = self._creator.create(name, body, image, owner)
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
        return Starter(self.records, self.images, self._store, self.lent, self.link, self.isolation)

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
        with self.records.changed:
            if container.running:
                return
            container.stopped, container.restarts = False, 0
        self._pauses.forget(container)
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
            for port, number in zip(container.ports, reply["ports"], strict=True):
                port["outside"] = number
            self.records.save(container)
        self.emit(container, "start")
        for call in self.started:
            call(container)

    def _failed(self, container: Container, error: Exception) -> CannotRun:
        failure = self._starter.failure(container, error)
        container.exit_code, container.error, container.status = failure.code, str(failure), CREATED
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
            self.records.check_name(name)
            container.name = name
            self.records.save(container)
        self.emit(container, "rename")

    def sizes(self, container: Container) -> Document:
        """``SizeRw``, the bytes that a container has written, and ``SizeRootFs``."""
        size = 0
        with contextlib.suppress(NoSuchImage):
            size = self._store.find(container.image).size
        return describe.sizes(self.written(container), size)

    # ends

    def _program_ended(self, event: Document | None) -> None:
        if event is None:
            for container in self.records:
                if container.running:
                    self._take_exit(container)
            return
        if event["event"] == "exec_die":
            for call in self.exec_ended:
                call(event)
            return
        with contextlib.suppress(EngineError):
            self._ended(self.records.find(event["id"]), event["code"], event["time"])

    def _take_exit(self, container: Container) -> None:
        """Note the end of a container that ended while no engine looked."""
        self._ended(container, *ending.noted(self.records.path(container)))

    def _ended(self, container: Container, code: int, date: str) -> None:
        with self.records.changed:
            if not container.running:
                return
            container.status, container.pid = EXITED, 0
            container.exit_code, container.finished = code, date
            container.endings += 1
            for port in container.ports:
                port["outside"] = 0
            try:
                self.records.save(container)
            except OSError as error:
                # the keeper's exit.json, or that none runs, tells the next engine
                log.warning("the record of %s cannot be written: %s", container.short_id, error)
        self.emit(container, "die", exitCode=str(code))
        if self._closing:
            return
        if ending.is_restarted(container):
            threading.Thread(target=self._restart_later, args=(container,), daemon=True).start()
        elif container.host.get("AutoRemove"):
            threading.Thread(target=self._remove_quietly, args=(container,)).start()

    def _restart_later(self, container: Container) -> None:
        time.sleep(self._pauses.next(container))
        with self.records.changed:
            if (
                container.running
                or container.stopped
                or self._closing
                or not self._is_kept(container)
            ):
                return
            container.restarts += 1
        with contextlib.suppress(EngineError):
            self._start(container)

    def _is_kept(self, container: Container) -> bool:
        return any(each is container for each in self.records)

    # stop, kill, remove

    def kill(self, container: Container, number: int) -> None:
        """Send a signal. Raises Conflict when the container does not run."""
        if not container.running:
            raise Conflict(
                f"cannot kill container: {container.name}: container {container.id} is not running"
            )
        if number in (signal.SIGKILL, signal.SIGTERM):
            container.stopped = True
        self.link.ask({"do": "signal", "id": container.id, "signal": number})
        self.emit(container, "kill", signal=str(number))

    def stop(self, container: Container, seconds: float | None, number: int = 0) -> bool:
        """Stop a container: its signal, and SIGKILL after the grace; False when it did not run."""
        if not container.running:
            container.stopped = True
            return False
        container.stopped = True
        if seconds is None:
            told = container.config.get("StopTimeout")
            seconds = GRACE if told is None else float(told)
        name = container.config.get("StopSignal") or "SIGTERM"
        with contextlib.suppress(Conflict):
            self.kill(container, number or ending.signal_number(name))
            if not self._wait_stopped(container, seconds):
                self.kill(container, signal.SIGKILL)
                self._wait_killed(container)
        self.emit(container, "stop")
        return True

    def _wait_stopped(self, container: Container, seconds: float | None) -> bool:
        forever = seconds is None or seconds < 0
        with self.records.changed:
            return self.records.changed.wait_for(
                lambda: not container.running, None if forever else seconds
            )

    def _wait_killed(self, container: Container) -> None:
        if not self._wait_stopped(container, _KILLED):
            raise EngineError(
                f"cannot stop container: {container.name}: tried to kill container, but did not"
                " receive an exit event"
            )

    def remove(self, container: Container, force: bool = False, with_volumes: bool = False) -> None:
        """Remove a container. Raises Conflict when it runs and ``force`` is not set."""
        if container.running:
            if not force:
                raise Conflict(
                    f'cannot remove container "{container.name}": container is running: stop the'
                    " container before removing or force remove"
                )
            container.stopped = True
            with contextlib.suppress(Conflict):
                self.kill(container, signal.SIGKILL)
            self._wait_killed(container)
        container.stopped = True
        self.records.remove(container)
        self._pauses.forget(container)
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
        return self._store.find(container.image)

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
        self.events.emit("container", action, container.id, attributes)
