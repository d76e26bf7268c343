"""HEALTHCHECK: the command that says whether a container is healthy, run again and again.

Source: https://docs.docker.com/reference/dockerfile/#healthcheck and
https://github.com/moby/moby/blob/v28.2.2/daemon/health.go
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import Any

from ..errors import EngineError
from .exec import Exec, Execs
from .keeper.logfile import now
from .record import Container
from .service import Containers

_INTERVAL, _TIMEOUT, _START_INTERVAL, _RETRIES = 30.0, 30.0, 5.0, 3
_KEPT, _LONGEST = 5, 4096
"""Results that an inspection shows, and bytes of the output of each."""
_NANO = 1e9


def _read(connection: socket.socket, until: float) -> bytes:
    """The output of a probe, of which the first bytes are kept, as dockerd keeps them.

    Raises TimeoutError when the probe has not ended its output at that time.monotonic(), however
    much it has written until then.
    """
    kept, is_longer = b"", False
    while True:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        data = connection.recv(1 << 16)
        if not data:
            return kept + b"..." * is_longer
        is_longer = is_longer or len(kept) + len(data) > _LONGEST
        kept += data[: _LONGEST - len(kept)]


class Health:
    """Watches the containers of one engine that have a HEALTHCHECK."""

    def __init__(self, containers: Containers, execs: Execs) -> None:
        self._containers, self._execs = containers, execs
        containers.started.append(self.watch)

    def watch(self, container: Container) -> None:
        """Begin to look after a container that has just started."""
        test = (container.config.get("Healthcheck") or {}).get("Test") or []
        if not test or test[0] not in ("CMD", "CMD-SHELL"):
            return
        with self._containers.records.changed:
            container.health = {"Status": "starting", "FailingStreak": 0, "Log": []}
            self._containers.records.save(container)
        beginning = container.started
        threading.Thread(target=self._follow, args=(container, beginning), daemon=True).start()

    def _follow(self, container: Container, beginning: str) -> None:
        settings = container.config["Healthcheck"]
        begun = time.monotonic()
        grace = (settings.get("StartPeriod") or 0) / _NANO
        while True:
            starting = (container.health or {}).get("Status") == "starting"
            pause = (settings.get("Interval") or 0) / _NANO or _INTERVAL
            if starting and time.monotonic() - begun < grace:
                pause = (settings.get("StartInterval") or 0) / _NANO or _START_INTERVAL
            if not self._runs(container, beginning, pause):
                return
            result = self._probe(container, settings)
            if not self._runs(container, beginning, 0):
                return
            self._note(container, settings, result, time.monotonic() - begun < grace)

    def _runs(self, container: Container, beginning: str, seconds: float) -> bool:
        """Wait; whether the container still runs then, without a start in between."""
        records = self._containers.records
        with records.changed:
            records.changed.wait_for(
                lambda: not container.running or container.started != beginning, seconds
            )
            return container.running and container.started == beginning

    def _probe(self, container: Container, settings: dict[str, Any]) -> dict[str, Any]:
        kind, *words = settings["Test"]
        if kind == "CMD-SHELL":
            # dockerd 20.10, asked on 2026-11-30: a container does not get the SHELL of its image
            words = ["/bin/sh", "-c", *words]
        start, seconds = now(), (settings.get("Timeout") or 0) / _NANO or _TIMEOUT
        output, code = b"", -1
        instance: Exec | None = None
        ours, theirs = socket.socketpair()
        with ours:
            try:
                instance = self._execs.create(
                    container,
                    {"Cmd": words, "AttachStdout": True, "AttachStderr": True, "Tty": True},
                )
                self._containers.attach(instance.id, theirs, ["stdout", "stderr"], b"", b"")
                self._execs.start(instance)
                output = _read(ours, time.monotonic() + seconds)
                code = self._code(instance)
            except TimeoutError:
                output = f"Health check exceeded timeout ({seconds:g}s)".encode()
                if instance:
                    self._kill(instance)
            except EngineError as error:
                output, code = str(error).encode(), 126
        if instance:
            self._execs.forget(instance)
        text = output.decode(errors="replace").replace("\r\n", "\n")
        return {"Start": start, "End": now(), "ExitCode": code, "Output": text}

    def _kill(self, instance: Exec) -> None:
        """End a probe, and wait until it has ended: dying ones do not pile up."""
        with contextlib.suppress(EngineError):
            self._containers.link.ask({"do": "signal", "id": instance.id, "signal": 9})
        self._code(instance)

    def _code(self, instance: Exec) -> int:
        with self._execs.changed:
            self._execs.changed.wait_for(lambda: instance.exit_code is not None, _TIMEOUT)
        return -1 if instance.exit_code is None else instance.exit_code

    def _note(
        self, container: Container, settings: dict[str, Any], result: dict[str, Any], grace: bool
    ) -> None:
        with self._containers.records.changed:
            health = container.health or {}
            before = health.get("Status")
            streak = 0 if result["ExitCode"] == 0 else health.get("FailingStreak", 0) + 1
            status = before
            if result["ExitCode"] == 0:
                status = "healthy"
            elif grace and before == "starting":
                streak = 0  # failures while the program starts do not count
            elif streak >= (settings.get("Retries") or _RETRIES):
                status = "unhealthy"
            log = [*health.get("Log", []), result][-_KEPT:]
            container.health = {"Status": status, "FailingStreak": streak, "Log": log}
            self._containers.records.save(container)
        if status != before:
            self._containers.emit(container, f"health_status: {status}")
