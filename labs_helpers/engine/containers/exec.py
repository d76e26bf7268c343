"""Programs that join a running container: `docker exec`.

Source: https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Exec
"""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
from dataclasses import dataclass
from typing import Any

from labs_helpers.files import WorkspaceError, read_json, write_json

from .. import machine
from ..build.run.accounts import UnknownAccount, find_account
from ..errors import BadRequest, NotFound, NotSupported
from . import lent, rootfs, spec, values
from .keeper.words import CannotStart
from .record import RESTARTING, Conflict, Container
from .service import Containers
from .starting import CannotRun

Document = dict[str, Any]

_OCI_EXEC = "OCI runtime exec failed: exec failed: unable to start container process: "
_STARTED = 10.0
"""Seconds in which a start that was asked for is done:
https://github.com/moby/moby/blob/v28.2.2/daemon/resize.go"""
_ENDED = 137
"""The exit status of a program whose container has ended: that of a killed one."""
REFUSED = {"Privileged": "a container gets no rights on this machine"}
"""Fields that are refused, and why; Detach and DetachKeys belong to the start."""


@dataclass
class Exec:
    """A program that was added to a container, or is to be."""

    id: str
    container: Container
    config: Document
    running: bool = False
    exit_code: int | None = None
    pid: int = 0


class Execs:
    """The programs that were added to the containers of one engine since its start."""

    def __init__(self, containers: Containers) -> None:
        self._containers = containers
        self._known: dict[str, Exec] = {}
        self.changed = threading.Condition()
        containers.exec_ended.append(self._ended)

    def find(self, name: str) -> Exec:
        """The program with an ID. Raises NotFound."""
        try:
            return self._known[name]
        except KeyError as error:
            raise NotFound(f"No such exec instance: {name}") from error

    def forget(self, instance: Exec) -> None:
        """Keep nothing of a program any more that no client knows."""
        with self.changed:
            self._known.pop(instance.id, None)

    def create(self, container: Container, config: Any) -> Exec:
        """Note a program to add. Raises Conflict, BadRequest, NotSupported."""
        if not isinstance(config, dict) or not config.get("Cmd"):
            raise BadRequest("No exec command specified")
        values.check_environment(config.get("Env"))
        for name in ("Cmd", "User", "WorkingDir"):
            values.check_no_null(name, config.get(name))
        for name, why in REFUSED.items():
            if config.get(name):
                raise NotSupported(f"the labs engine refuses {name} of an exec: {why}")
        if container.status == RESTARTING:
            raise Conflict(
                f"Container {container.id} is restarting, wait until the container is running"
            )
        if not container.running:
            raise Conflict(f"container {container.id} is not running")
        made = Exec(secrets.token_hex(32), container, config)
        self._known[made.id] = made
        self._note(made, f"exec_create: {' '.join(config['Cmd'])}")
        return made

    def start(self, instance: Exec) -> None:
        """Start the program, whose clients have attached. Raises CannotRun, Conflict."""
        container, records = instance.container, self._containers.records
        if instance.running or instance.exit_code is not None:
            raise Conflict(f"exec command {instance.id} has already run")
        folder = records.path(container)
        place = folder / f"exec-{instance.id}.json"
        try:
            document = self._specification(instance)
            write_json(place, document)
            instance.running = True
            request = {"do": "exec", "id": instance.id, "of": container.id}
            self._note(instance, f"exec_start: {' '.join(instance.config['Cmd'])}")
            instance.pid = self._containers.link.ask(request)["pid"]
            with self.changed:
                self.changed.notify_all()
        except (FileNotFoundError, WorkspaceError) as error:
            instance.running, instance.exit_code = False, _ENDED
            if folder.is_dir():
                raise
            # the container has been removed meanwhile
            raise Conflict(f"container {container.id} is not running") from error
        except (CannotStart, UnknownAccount) as error:
            instance.running = False
            instance.exit_code = error.code if isinstance(error, CannotStart) else 126
            with contextlib.suppress(CannotStart):
                self._containers.link.ask({"do": "release", "id": instance.id})
            raise CannotRun(f"{_OCI_EXEC}{error}: unknown", 400) from error
        finally:
            place.unlink(missing_ok=True)

    def is_running(self, instance: Exec) -> bool:
        """Whether the program runs; a start under way is waited for, as dockerd does."""
        with self.changed:
            self.changed.wait_for(lambda: instance.pid or instance.exit_code is not None, _STARTED)
        return bool(instance.pid) and instance.exit_code is None

    def settle(self, instance: Exec) -> None:
        """Wait until the program's end is noted, if it has ended."""
        if instance.pid:
            self._containers.link.settle(
                instance.id, self.changed, lambda: instance.exit_code is not None
            )

    def _specification(self, instance: Exec) -> Document:
        container, config = instance.container, instance.config
        image, lower = self._containers.image_and_files(container)
        upper = self._containers.written(container)
        user = str(config.get("User") or container.config.get("User") or "")
        tree = rootfs.accounts(lower, upper)
        account = find_account(user, tree)
        first = find_account(container.config.get("User") or "", tree)
        if (
            os.geteuid() != 0
            and account.uid != first.uid
            and machine.users() is None
            and self._containers.isolation.kind == machine.NAMESPACES
        ):
            raise CannotStart(
                f"the container has one user, {first.uid}, because the engine is an ordinary"
                f" user's; {user} is another",
                126,
            )
        document = spec.of_exec(container, config, account)
        if self._containers.isolation.kind == machine.PROOT:
            started = read_json(self._containers.records.path(container) / "spec.json")
            root = self._containers.records.path(container) / "root"
            document["network"] = "host"
            document["proot"] = machine.proot_words(
                root, account.uid, account.gid, document["cwd"], started["mounts"]
            )
        if lent.is_stand_in(image.config.get("config") or {}):
            document["words"] = self._containers.lent.words_in(document["words"], lower)
        return document

    def _ended(self, event: Document) -> None:
        with self.changed:
            if instance := self._known.get(event["exec"]):
                instance.running, instance.exit_code = False, event["code"]
                self._note(instance, "exec_die", exitCode=str(event["code"]))
            self.changed.notify_all()

    def _note(self, instance: Exec, action: str, **more: str) -> None:
        self._containers.emit(instance.container, action, execID=instance.id, **more)


def describe(instance: Exec) -> Document:
    """``GET /exec/ID/json``."""
    config, words = instance.config, instance.config["Cmd"]
    return {
        "ID": instance.id,
        "Running": instance.running,
        "ExitCode": instance.exit_code,
        "ProcessConfig": {
            "tty": bool(config.get("Tty")),
            "entrypoint": words[0],
            "arguments": words[1:],
            "privileged": False,
        },
        "OpenStdin": bool(config.get("AttachStdin")),
        "OpenStderr": bool(config.get("AttachStderr")),
        "OpenStdout": bool(config.get("AttachStdout")),
        "CanRemove": not instance.running,
        "ContainerID": instance.container.id,
        "DetachKeys": "",
        "Pid": instance.pid,
    }
