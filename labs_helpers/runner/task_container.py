"""One container of a task, in the labs' engine."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from labs_helpers.runner import task_failures as failures
from labs_helpers.runner.cloud_logs import CloudLog
from labs_helpers.runner.engine_client import Engine, EngineRefused
from labs_helpers.runner.task_images import Pulled
from labs_helpers.runtime import process_identity

RUNNER = "labs.ecs.runner"
"""The label with the process of the runner that looks after a container."""
PREFIX = "ecs-"
"""How the names of a task's containers begin, as with ECS's own agent."""
BUILD_PREFIX = "codebuild-"
"""How the names of builds' containers begin; the uuid of the build follows."""
_OURS = (f"/{PREFIX}", f"/{BUILD_PREFIX}")
"""How the names of containers begin that a runner makes."""
_RELAY = "labs.relay"
_NANO = 1_000_000_000
_STOP_SECONDS = 30
"""https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html"""
_HEALTH = {"healthy": "HEALTHY", "unhealthy": "UNHEALTHY"}
EXEC_FORMAT = 255
"""The exit code of a program for another architecture, as Fargate shows the code."""


class TaskContainer:
    """A container of a task; `ended` is called once, with the exit code, on a thread of its own."""

    def __init__(
        self,
        engine: Engine,
        definition: Mapping[str, Any],
        image: Pulled,
        log: CloudLog | None,
        ended: Callable[[TaskContainer, int], None],
    ) -> None:
        self.definition = definition
        self.name = str(definition["name"])
        self.id = ""
        self.exit_code: int | None = None
        self.reason = ""
        self.bindings: list[dict[str, Any]] = []
        self._engine = engine
        self._image = image
        self._log = log
        self._ended = ended
        self._reading: threading.Thread | None = None

    @property
    def essential(self) -> bool:
        return bool(self.definition["essential"])

    @property
    def started(self) -> bool:
        return bool(self.id) or self.exit_code is not None

    def start(
        self,
        full_name: str,
        labels: Mapping[str, str],
        variables: Mapping[str, str],
        relays: Sequence[str],
    ) -> None:
        """Create and start the container. Raises CannotRun."""
        if self._image.foreign:
            self._cannot_execute()
            return
        body = self._body({**labels, _RELAY: ",".join(relays)}, variables)
        try:
            made = self._engine.ask("POST", "/containers/create", {"name": full_name}, body)
        except EngineRefused as error:
            raise failures.not_created(self.name, error) from error
        self.id = str(made["Id"])
        try:
            self._engine.ask("POST", f"/containers/{self.id}/start")
            found = self._engine.ask("GET", f"/containers/{self.id}/json")
        except EngineRefused as error:
            raise failures.not_started(self.name, error) from error
        self.bindings = _bindings(found)
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()
        threading.Thread(target=self._wait, daemon=True).start()

    def facts(self) -> dict[str, Any]:
        """As a report has the container."""
        return {
            "name": self.name,
            "runtimeId": self.id,
            "networkBindings": self.bindings,
        }

    def outcome(self) -> dict[str, Any]:
        """How the container ended."""
        return {"name": self.name, "exitCode": self.exit_code, "reason": self.reason or None}

    def health(self) -> str:
        """HEALTHY, UNHEALTHY or UNKNOWN."""
        if not self.definition.get("healthCheck") or self.exit_code is not None:
            return "UNKNOWN"
        try:
            found = self._engine.ask("GET", f"/containers/{self.id}/json")
        except EngineRefused:
            return "UNKNOWN"
        return _HEALTH.get((found["State"].get("Health") or {}).get("Status", ""), "UNKNOWN")

    def stop(self, most: int) -> None:
        """SIGTERM, then SIGKILL after stopTimeout, or `most` seconds if that is less."""
        if not self.id or self.exit_code is not None:
            return
        seconds = min(self.definition.get("stopTimeout") or _STOP_SECONDS, most)
        with contextlib.suppress(EngineRefused):  # the engine has ended, and its containers too
            self._engine.ask("POST", f"/containers/{self.id}/stop", {"t": str(seconds)})

    def remove(self) -> None:
        """Remove the container, and finish its log."""
        if self._reading is not None:
            self._reading.join(10)
        if self._log is not None:
            self._log.close()
        if self.id:
            with contextlib.suppress(EngineRefused):
                self._engine.ask("DELETE", f"/containers/{self.id}", {"force": "1", "v": "1"})

    def _cannot_execute(self) -> None:
        """A single image for another architecture: containerd pulls it, and nothing executes it."""
        found = self._engine.ask("GET", f"/images/{self._image.name}/json")
        words = self.definition.get("entryPoint") or found["Config"].get("Entrypoint") or []
        words += self.definition.get("command") or found["Config"].get("Cmd") or []
        self._say(f"exec {words[0] if words else ''}: exec format error\n")
        self.exit_code = EXEC_FORMAT
        self._ended(self, EXEC_FORMAT)

    def _body(self, labels: Mapping[str, str], variables: Mapping[str, str]) -> dict[str, Any]:
        given = self.definition
        ports = [each for each in given["portMappings"] if each.get("containerPort")]
        names = [f"{each['containerPort']}/{each.get('protocol', 'tcp')}" for each in ports]
        linux = given.get("linuxParameters") or {}
        found: dict[str, Any] = {
            "Image": self._image.name,
            "Env": [f"{name}={value}" for name, value in variables.items()],
            "Labels": {**(given.get("dockerLabels") or {}), **labels},
            "ExposedPorts": {name: {} for name in names},
            "Healthcheck": _health_check(given.get("healthCheck")),
            "HostConfig": {
                "PortBindings": {name: [{"HostIp": "127.0.0.1", "HostPort": ""}] for name in names},
                **({"Init": True} if linux.get("initProcessEnabled") else {}),
                **({"ReadonlyRootfs": True} if given.get("readonlyRootFilesystem") else {}),
            },
        }
        for ours, theirs in (
            ("entryPoint", "Entrypoint"),
            ("command", "Cmd"),
            ("user", "User"),
            ("workingDirectory", "WorkingDir"),
        ):
            if given.get(ours):
                found[theirs] = given[ours]
        return found

    def _read(self) -> None:
        try:
            for part in self._engine.output(self.id):
                self._say(part.decode(errors="replace"))
        except EngineRefused as error:
            self._say(f"[labs] the output could not be read: {error}\n")

    def _say(self, text: str) -> None:
        if self._log is not None:
            self._log.write(text)

    def _wait(self) -> None:
        try:
            code = self._engine.wait(self.id)
            found = self._engine.ask("GET", f"/containers/{self.id}/json")
            if found["State"].get("OOMKilled"):
                self.reason = "OutOfMemoryError: Container killed due to memory usage"
        except EngineRefused as error:
            code, self.reason = 137, f"The labs' engine ended: {error}"
        self.exit_code = code
        self._ended(self, code)


def runner_note() -> str:
    """The process of this runner, as the label RUNNER has it."""
    return json.dumps(process_identity.noted(os.getpid()), sort_keys=True)


def sweep(engine: Engine) -> None:
    """Remove the containers of runners that have ended without doing so.

    An image can bring the label, too, and with any value: the name of a container comes from who
    created the container.
    """
    query = {"all": "1", "filters": json.dumps({"label": [RUNNER]})}
    for each in engine.ask("GET", "/containers/json", query):
        try:
            note = json.loads(each["Labels"][RUNNER])
        except (ValueError, RecursionError):
            continue
        ours = any(name.startswith(_OURS) for name in each["Names"])
        if ours and isinstance(note, dict) and not process_identity.is_alive(note):
            engine.ask("DELETE", f"/containers/{each['Id']}", {"force": "1", "v": "1"})


def _bindings(inspection: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = []
    for name, places in (inspection["NetworkSettings"]["Ports"] or {}).items():
        number, _, protocol = name.partition("/")
        for place in places or []:
            found.append(
                {
                    "bindIP": place["HostIp"],
                    "containerPort": int(number),
                    "hostPort": int(place["HostPort"]),
                    "protocol": protocol,
                }
            )
    return found


def _health_check(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """The check of a definition; ECS does not run the check of an image.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/healthcheck.html
    """
    if not given:
        return {"Test": ["NONE"]}
    return {
        "Test": given["command"],
        "Interval": given["interval"] * _NANO,
        "Timeout": given["timeout"] * _NANO,
        "Retries": given["retries"],
        "StartPeriod": given.get("startPeriod", 0) * _NANO,
    }
