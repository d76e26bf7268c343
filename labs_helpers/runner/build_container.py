"""The container of a build's environment, in the labs' engine.

The container's own program waits; each command of the build is a program that joins (exec). The
build's folder is mounted at the path that it has on this machine: so a command may mount parts of
the folder in containers of its own. The image's ENTRYPOINT is passed over, and commands run as root
whatever USER says, as on AWS: https://github.com/aws/aws-codebuild-docker-images/issues/157 and
https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec.run-as
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from labs_helpers.runner import build_images, task_container
from labs_helpers.runner.build_images import BuildImage, Login
from labs_helpers.runner.engine_client import Engine, EngineRefused

SOCKET = "/var/run/docker.sock"
_BUILD = "labs.build"
"""The annotation by which the engine knows the build's programs: engine/containers/spec.py."""
_ROOT = "0:0"
_NOT_HERE = 501
"""What the engine answers for what it does not do on this machine."""
_LIMITS = {"PidsLimit": 512, "Memory": 3 << 30}
"""As contained.Limits, where the engine can limit; else the runner looks."""
_SHELL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LOOKS = (0.02, 0.3)
"""Seconds between two looks at a program: first and most."""
_GIVE_BACK = 'chown -hR "$(stat -c %u:%g "$0")" "$0" 2>/dev/null'
"""Makes all files of the build's folder those of the folder's owner."""
MOST_SAID = 1 << 16
"""Bytes that a program of the image may say to the runner."""
_PATIENCE = 60.0
"""Seconds that a program of the image has for what it should do at once."""
_swept = threading.Event()
_sweeping = threading.Lock()


class NoContainer(Exception):
    """No container can run on this machine, or none of this image; the message says why."""


class CannotStart(Exception):
    """The container does not start; the message is that of the phase PROVISIONING."""


class Provider:
    """The environment of one build. instead: why the commands run with the programs of this
    machine, "" where they run in a container."""

    def __init__(self, engine: Engine, build: Mapping[str, Any], login: Login) -> None:
        self._engine = engine
        self._build = build
        self._login = login
        self._image: BuildImage | None = None
        self._container: BuildContainer | None = None
        self.instead = ""

    def start(self, uuid: str, folder: Path, socket: Path | None) -> BuildContainer | None:
        """Pull the image and start its container; None where the image cannot be had or run.

        Raises NoImage, CannotStart.
        """
        name = self._build["environment"]["image"]
        without = f"the commands run with the programs of this machine, not in the image {name}"
        if build_images.is_curated(name):
            self.instead = without
            return None
        try:
            self._image = build_images.pull(self._engine, self._build, self._login)
            if sys.platform != "linux":
                # a daemon in a virtual machine reads no FIFO of this machine
                raise NoContainer("builds run in containers on Linux only")
            container = BuildContainer.start(self._engine, self._image, uuid, folder, socket)
        except NoContainer as error:
            self.instead = f"{without}: {error}"
            return None
        except EngineRefused as error:
            raise CannotStart(str(error)) from error
        self._container = container
        return container

    def close(self) -> None:
        """Remove the container, and let go of the image."""
        if self._container is not None:
            self._container.remove()
        if self._image is not None:
            build_images.let_go(self._engine, self._image)


class BuildContainer:
    """A container that runs until `remove`."""

    def __init__(self, engine: Engine, found: str, image: BuildImage, folder: Path) -> None:
        self.id = found
        self.image = image
        self._engine = engine
        self._folder = folder

    @classmethod
    def start(
        cls, engine: Engine, image: BuildImage, uuid: str, folder: Path, socket: Path | None
    ) -> BuildContainer:
        """Start the container of a build; socket: the engine's, with privileged mode.

        Raises NoContainer, CannotStart.
        """
        _sweep_once(engine)
        binds = [f"{folder}:{folder}"] + ([f"{socket}:{SOCKET}"] if socket else [])
        host = {
            "NetworkMode": "host",
            "Binds": binds,
            "Annotations": {_BUILD: str(folder)},
            # a real daemon's front knows an isolated program by this
            "SecurityOpt": ["no-new-privileges"],
        }
        body = {
            "Image": image.name,
            "Entrypoint": ["/bin/sh", "-c", "read -r _"],
            "Cmd": [],
            "OpenStdin": True,
            "User": _ROOT,
            "WorkingDir": "/",
            "Labels": {task_container.RUNNER: task_container.runner_note()},
            "Healthcheck": {"Test": ["NONE"]},
        }
        made = _created(engine, f"{task_container.BUILD_PREFIX}{uuid}", body, host)
        try:
            engine.ask("POST", f"/containers/{made}/start")
        except EngineRefused as error:
            _remove(engine, made)
            if image.is_stand_in:
                raise NoContainer("the labs' stand-in for the image holds no shell") from error
            raise CannotStart(str(error)) from error
        return cls(engine, made, image, folder)

    def exec(self, words: Sequence[str], environment: Mapping[str, str]) -> Exec:
        """Start a program in the container. Raises EngineRefused."""
        pairs = [f"{name}={value}" for name, value in environment.items()]
        gone = [name for name in self.image.environment if name not in environment]
        if gone := [name for name in gone if _SHELL_NAME.fullmatch(name)]:
            # dockerd takes a variable away for a name without a value, which Podman refuses
            words = ["/bin/sh", "-c", f'unset {" ".join(gone)}; exec "$@"', "sh", *words]
        config = {
            "Cmd": [*words],
            "Env": pairs,
            "AttachStdout": True,
            "AttachStderr": True,
            "User": _ROOT,
            "WorkingDir": "/",
        }
        made = self._engine.ask("POST", f"/containers/{self.id}/exec", body=config)
        return Exec(self._engine, str(made["Id"]))

    def call(self, words: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str]:
        """Run a program of the image to its end: exit status and output. Raises EngineRefused."""
        program = self.exec(words, environment)
        output = b""
        with self.patience():
            for part in program.output():
                output += part
                if len(output) > MOST_SAID:
                    self.kill()
                    break
            return program.wait(), output.decode(errors="replace")

    @contextlib.contextmanager
    def patience(self) -> Iterator[None]:
        """End the container where the block takes too long: its image's shell may be anything."""
        timer = threading.Timer(_PATIENCE, self.kill)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def kill(self) -> None:
        """End all programs of the container."""
        with contextlib.suppress(EngineRefused):  # the container has ended
            self._engine.ask("POST", f"/containers/{self.id}/kill")

    def end(self) -> None:
        """End all programs; before that, all files of the build's folder become the runner's."""
        if os.geteuid() != 0:
            with contextlib.suppress(EngineRefused):  # the container or the engine has ended
                self.call(["/bin/sh", "-c", _GIVE_BACK, str(self._folder)], self.image.environment)
        self.kill()

    def remove(self) -> None:
        """Remove the container."""
        _remove(self._engine, self.id)


class Exec:
    """A program that joined the container."""

    def __init__(self, engine: Engine, found: str) -> None:
        self._engine = engine
        self._id = found

    def output(self) -> Iterator[bytes]:
        """Start the program, and return what it writes until it closes its output."""
        yield from self._engine.exec_output(self._id)

    def wait(self) -> int:
        """The exit status, once the program has ended. Raises EngineRefused."""
        pause = _LOOKS[0]
        while True:
            found = self._engine.ask("GET", f"/exec/{self._id}/json")
            if not found["Running"]:
                return int(found["ExitCode"] or 0)
            time.sleep(pause)
            pause = min(2 * pause, _LOOKS[1])


def _created(engine: Engine, name: str, body: dict[str, Any], host: dict[str, Any]) -> str:
    """The id of a new container; without the limits that the engine does not have here."""
    for more in (_LIMITS, {"PidsLimit": _LIMITS["PidsLimit"]}, {}):
        try:
            settings = {**body, "HostConfig": {**host, **more}}
            made = engine.ask("POST", "/containers/create", {"name": name}, settings)
            return str(made["Id"])
        except EngineRefused as error:
            if error.status != _NOT_HERE:
                raise CannotStart(str(error)) from error
            refused = error
    raise NoContainer(str(refused)) from refused


def _remove(engine: Engine, container: str) -> None:
    with contextlib.suppress(EngineRefused):  # the engine has ended
        engine.ask("DELETE", f"/containers/{container}", {"force": "1", "v": "1"})


def _sweep_once(engine: Engine) -> None:
    """Remove what an earlier runner left, which was killed."""
    with _sweeping:
        if not _swept.is_set():
            task_container.sweep(engine)
            _swept.set()
