"""Containers: create, start, stop, remove, and what follows when a program ends.

Messages and rules are dockerd's: https://github.com/moby/moby/tree/v28.2.2/daemon (create.go,
start.go, stop.go, delete.go, monitor.go).
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import platform
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil

from labs_helpers.workspace import write_json

from .. import machine
from ..build.run.accounts import UnknownAccount, find_account
from ..capabilities import capabilities
from ..errors import BadRequest, EngineError, NotSupported
from ..store import Image, ImageStore, NoSuchImage
from . import lent, options, ports, rootfs, spec, volumes
from .events import Events
from .keeper.logfile import now
from .keeper.words import CannotStart
from .link import Link
from .record import CREATED, EXITED, NEVER, RUNNING, Conflict, Container, Records
from .volumes import Volumes

log = logging.getLogger(__name__)

Document = dict[str, Any]

GRACE = 10.0
"""Seconds between SIGTERM and SIGKILL, unless the client or the container says otherwise."""
_BACKOFF, _LONGEST_BACKOFF, _LONG_RUN = 0.1, 60.0, 10.0
OCI = (
    "failed to create task for container: failed to create shim task: OCI runtime create failed:"
    " runc create failed: unable to start container process: "
)


class CannotRun(EngineError):
    """A container cannot be started; ``status`` is dockerd's."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


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
        self._backoff: dict[str, float] = {}
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
                waiting.append(threading.Thread(target=self.stop, args=(container, 3.0)))
        for thread in waiting:
            thread.start()
        for thread in waiting:
            thread.join()
        with contextlib.suppress(OSError, EngineError):
            self.link.close()

    # create

    def create(self, name: str, body: Document, image: Image) -> Container:
        """Create a container from a checked body (options.py). Raises EngineError."""
        config, host = dict(body), dict(body.get("HostConfig") or {})
        config.pop("HostConfig", None)
        config.pop("NetworkingConfig", None)
        base = image.config.get("config") or {}
        self._inherit(config, base)
        if not spec.command(config):
            raise BadRequest("no command specified")
        published = ports.requested(
            host.get("PortBindings"),
            config.get("ExposedPorts") or (),
            bool(host.get("PublishAllPorts")),
        )
        kind = options.network(host.get("NetworkMode") or "")
        mounts = volumes.requested(config, host, base, self._private)
        container = Container(
            id=secrets.token_hex(32),
            name=name.removeprefix("/") or self.records.new_name(),
            created=now(),
            image=image.id,
            config=config,
            host=host,
            ports=published if kind == "own" else [],
            mounts=mounts,
        )
        spec.relays(config.get("Labels") or {}, kind)
        capabilities(host, kind)
        if (host.get("PidsLimit") or 0) > 0 and not self._limits_processes:
            raise NotSupported(
                "the labs engine refuses --pids-limit: it holds for an engine of an ordinary user"
                " in namespaces, not for root's or under PRoot"
            )
        self._check_isolation(host, kind, mounts, published)
        self.records.check_name(container.name)
        folder = self.records.path(container)
        folder.mkdir(mode=0o700)
        rootfs.prepare(folder)
        self._make_mounts(container, image)
        spec.write_own_files(container, folder)
        self.records.add(container)
        self.emit(container, "create")
        return container

    @cached_property
    def isolation(self) -> machine.Isolation:
        """How this machine isolates containers."""
        return machine.isolation(self.records.folder)

    @property
    def _limits_processes(self) -> bool:
        return os.geteuid() != 0 and self.isolation.kind == machine.NAMESPACES

    def written(self, container: Container) -> Path:
        """The folder with what a container wrote; without overlays, with the image's files, too."""
        name = "upper" if self.isolation.overlay else "root"
        return self.records.path(container) / name

    def _check_isolation(
        self, host: Document, kind: str, mounts: list[Document], published: list[Document]
    ) -> None:
        if self.isolation.kind == machine.NONE:
            raise NotSupported(self.isolation.sentence)
        if self.isolation.kind == machine.NAMESPACES:
            return
        self._check_ports(published)
        asked = [
            *(["--read-only"] if host.get("ReadonlyRootfs") else []),
            *(["--tmpfs"] if host.get("Tmpfs") else []),
            *(["--init"] if host.get("Init") else []),
            *(["--network none"] if kind == "none" else []),
            *(["a read-only volume"] if any(mount["read_only"] for mount in mounts) else []),
        ]
        if asked:
            raise NotSupported(f"the labs engine refuses {asked[0]}: {self.isolation.sentence}")

    @staticmethod
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

    @staticmethod
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
        for key in ("ExposedPorts", "Labels", "Volumes"):
            config[key] = {**(base.get(key) or {}), **(config.get(key) or {})} or None
        for key in ("Entrypoint", "Cmd"):
            if isinstance(config.get(key), str):
                config[key] = [config[key]]

    def _make_mounts(self, container: Container, image: Image) -> None:
        for mount in container.mounts:
            if mount["kind"] == "bind":
                source = Path(mount["source"])
                if mount.get("make") and not source.exists():
                    # as dockerd: -v makes a missing folder, --mount does not
                    source.mkdir(parents=True)
                continue
            volume = self.volumes.create(mount["name"])
            mount["name"], mount["source"] = volume["Name"], volume["Mountpoint"]
            place = Path(volume["Mountpoint"])
            if not any(place.iterdir()):
                rootfs.copy_up(self.images.path(image), mount["target"], place)

    # start

    def start(self, container: Container) -> None:
        """Start a container; nothing happens when it runs. Raises CannotRun."""
        with self.records.changed:
            if container.running:
                return
            container.stopped, container.restarts = False, 0
        self._backoff.pop(container.id, None)
        self._start(container)

    def _start(self, container: Container) -> None:
        with self.records.changed:
            folder = self.records.path(container)
            try:
                reply = self._launch(container, folder)
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

    def ensure_specified(self, container: Container) -> None:
        """Write the specification of a container that was never started, so that it can be read."""
        folder = self.records.path(container)
        if not container.running:
            rootfs.prepare(folder)
        if not (folder / "spec.json").exists():
            write_json(folder / "spec.json", self._specification(container, folder))

    def _specification(self, container: Container, folder: Path) -> Document:
        image = self.image_of(container)
        lower = self.images.path(image)
        rootfs.prepare(folder)
        tree = rootfs.accounts(lower, self.written(container))
        account = find_account(container.config.get("User") or "", tree)
        layers, words = [lower], spec.command(container.config)
        if lent.is_stand_in(image.config.get("config") or {}):
            layers += self.lent.layers(lower)
            words = self.lent.words_in(words, lower)
        if not self.isolation.overlay:
            rootfs.copy_layers(folder, layers)
            layers = []
        document = spec.of_container(container, folder, layers, words, account)
        if self.isolation.kind == machine.PROOT:
            document |= {"network": "host", "relays": [], "user_namespace": False}
            document["proot"] = machine.proot_words(
                folder / "root", account.uid, account.gid, document["cwd"], document["mounts"]
            )
        return document

    def _launch(self, container: Container, folder: Path) -> Document:
        document = self._specification(container, folder)
        (folder / "exit.json").unlink(missing_ok=True)
        taken = ""
        # of a range of ports on this machine, the first that is free
        for attempt in range(max([1, *(len(port["wanted"]) for port in container.ports)])):
            for port in container.ports:
                port["outside"] = port["wanted"][min(attempt, len(port["wanted"]) - 1)]
            write_json(folder / "spec.json", document)
            try:
                return self.link.ask({"do": "start", "id": container.id})
            except CannotStart as error:
                taken = str(error)
                if error.code:
                    raise
        raise CannotStart(self._why_taken(container, taken), 125)

    def _why_taken(self, container: Container, text: str) -> str:
        """Docker's words for a port that cannot be published, and who has it."""
        _, number, name = text.split()
        port = int(number)
        place = next((p for p in container.ports if p["outside"] == port), container.ports[0])
        start = (
            f"driver failed programming external connectivity on endpoint {container.name}"
            f" ({container.id}): "
        )
        for other in self.records:
            if other.running and any(p["outside"] == port for p in other.ports):
                return (
                    f"{start}Bind for {place['address']}:{port} failed: port is already allocated,"
                    f' by container "{other.name}" ({other.short_id})'
                )
        if name == "EADDRINUSE":
            who = ports.holder(port)
            why = "address already in use" + (f", by {who}" if who else "")
        else:
            why = {"EACCES": "permission denied (ports below 1024 are root's)"}.get(name, name)
        return (
            f"{start}failed to bind host port for {place['address']}:{port}: listen tcp4"
            f" {place['address']}:{port}: bind: {why}"
        )

    def _failed(self, container: Container, error: Exception) -> CannotRun:
        code = (
            error.code
            if isinstance(error, CannotStart)
            else 125
            if isinstance(error, OSError)
            else 126
        )
        text = str(error)
        if "exec format error" in text and (other := self._other_architecture(container)):
            text += f": {other}"
        if isinstance(error, CannotStart) and code != 125:
            text = f"{OCI}{text}: unknown"
        container.exit_code = {125: 128}.get(code, code)
        container.error, container.status = text, CREATED
        for port in container.ports:
            port["outside"] = 0
        self.records.save(container)
        self.link.ask({"do": "release", "id": container.id})
        if container.host.get("AutoRemove"):
            threading.Thread(target=self._remove_quietly, args=(container,)).start()
        return CannotRun(text, 400 if code in (126, 127) else 500)

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

    def waiter(
        self, container: Container, condition: str
    ) -> Callable[[Callable[[], bool]], int | None]:
        """A function that waits for a condition up to a second: the exit status, or None.

        ``condition`` is "not-running", "next-exit" or "removed", as from now on.
        """
        endings = container.endings

        def holds() -> bool:
            if condition == "removed":
                return not self._is_kept(container)
            if condition == "next-exit":
                return container.endings > endings or not self._is_kept(container)
            return not container.running

        def wait(is_gone: Callable[[], bool]) -> int | None:
            with self.records.changed:
                done = self.records.changed.wait_for(holds, 1.0)
            return container.exit_code if done or is_gone() else None

        return wait

    def rename(self, container: Container, name: str) -> None:
        """Give a container another name. Raises Conflict, BadRequest."""
        with self.records.changed:
            self.records.check_name(name)
            container.name = name
            self.records.save(container)
        self.emit(container, "rename")

    def sizes(self, container: Container) -> Document:
        """``SizeRw``, the bytes that a container has written, and ``SizeRootFs``."""
        upper = self.written(container)
        written = sum(place.lstat().st_size for place in upper.rglob("*") if not place.is_dir())
        with contextlib.suppress(NoSuchImage):
            written_and_image = written + self._store.find(container.image).size
            return {"SizeRw": written, "SizeRootFs": written_and_image}
        return {"SizeRw": written, "SizeRootFs": written}

    def top(self, container: Container) -> Document:
        """The processes of a container, with their pids on this machine. Raises Conflict."""
        if not container.running:
            raise Conflict(f"container {container.id} is not running")
        try:
            first = psutil.Process(container.pid)
            found = [first, *first.children(recursive=True)]
            rows = [
                [
                    str(each.uids().real),
                    *(str(each.pid), str(each.ppid()), "0"),
                    time.strftime("%H:%M", time.localtime(each.create_time())),
                    "?",
                    time.strftime("%H:%M:%S", time.gmtime(sum(each.cpu_times()[:2]))),
                    " ".join(each.cmdline()) or each.name(),
                ]
                for each in found
            ]
        except psutil.NoSuchProcess as error:
            raise Conflict(f"container {container.id} is not running") from error
        titles = ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]
        return {"Titles": titles, "Processes": rows}

    def _other_architecture(self, container: Container) -> str:
        """A sentence when the image is for another architecture than this machine's, else ""."""
        machine = platform.machine()
        ours = {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)
        theirs = self.image_of(container).config.get("architecture") or ours
        if theirs == ours:
            return ""
        return (
            f"the image is for linux/{theirs} and this machine is linux/{ours}; pull or build it"
            f" with --platform linux/{ours}"
        )

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
        try:
            found = json.loads((self.records.path(container) / "exit.json").read_text())
            code, date = int(found["code"]), str(found["time"])
        except (OSError, ValueError, KeyError):
            # its keeper was killed, and the program with it
            code, date = 128 + signal.SIGKILL, now()
        self._ended(container, code, date)

    def _ended(self, container: Container, code: int, date: str) -> None:
        with self.records.changed:
            if not container.running:
                return
            container.status, container.pid = EXITED, 0
            container.exit_code, container.finished = code, date
            container.endings += 1
            for port in container.ports:
                port["outside"] = 0
            self.records.save(container)
        self.emit(container, "die", exitCode=str(code))
        if self._closing:
            return
        if self._restarts(container):
            threading.Thread(target=self._restart_later, args=(container,), daemon=True).start()
        elif container.host.get("AutoRemove"):
            threading.Thread(target=self._remove_quietly, args=(container,)).start()

    def _restarts(self, container: Container) -> bool:
        policy = container.host.get("RestartPolicy") or {}
        name, most = policy.get("Name") or "no", policy.get("MaximumRetryCount") or 0
        if container.stopped or name == "no":
            return False
        if name == "on-failure":
            return container.exit_code != 0 and (not most or container.restarts < most)
        return True

    def _restart_later(self, container: Container) -> None:
        pause = min(self._backoff.get(container.id, _BACKOFF / 2) * 2, _LONGEST_BACKOFF)
        self._backoff[container.id] = pause
        time.sleep(pause)
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
            self.kill(container, number or signal_number(name))
            if not self._wait_stopped(container, seconds):
                self.kill(container, signal.SIGKILL)
                self._wait_stopped(container, None)
        self.emit(container, "stop")
        return True

    def _wait_stopped(self, container: Container, seconds: float | None) -> bool:
        forever = seconds is None or seconds < 0
        with self.records.changed:
            return self.records.changed.wait_for(
                lambda: not container.running, None if forever else seconds
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
            self._wait_stopped(container, None)
        container.stopped = True
        self.records.remove(container)
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


def signal_number(text: str) -> int:
    """The number of a signal: ``SIGTERM``, ``TERM`` or ``15``. Raises BadRequest."""
    name = text.upper()
    if name.isdecimal() and 0 < int(name) <= 64:
        return int(name)
    try:
        return int(signal.Signals[name if name.startswith("SIG") else f"SIG{name}"])
    except KeyError as error:
        raise BadRequest(f"invalid signal: {text}") from error
