"""How a container is stopped: signals, and the time that a program gets to end.

Messages and rules are dockerd's: https://github.com/moby/moby/tree/v28.2.2/daemon (kill.go,
stop.go).
"""

from __future__ import annotations

import contextlib
import re
import signal
from collections.abc import Callable

from ..errors import BadRequest, EngineError
from .link import Link
from .record import EXITED, RESTARTING, Conflict, Container, Records

GRACE = 10.0
"""Seconds between SIGTERM and SIGKILL, unless the client or the container says otherwise."""
_KILLED = 60.0
"""Seconds in which a killed program ends, unless the kernel holds a process of it up."""


class Stopper:
    """Sends signals to the programs of containers; ``emit`` notes an event."""

    def __init__(self, records: Records, link: Link, emit: Callable[..., None]) -> None:
        self._records, self._link, self._emit = records, link, emit

    def kill(self, container: Container, number: int) -> None:
        """Send a signal; after SIGKILL, return when the program has ended.

        Raises:
            Conflict: the container does not run.
            EngineError: the program does not end.
        """
        self._signal(container, number)
        if number == signal.SIGKILL:
            self._wait_killed(container)

    def stop(self, container: Container, seconds: float | None, number: int = 0) -> bool:
        """Stop a container: its signal, and SIGKILL after the grace; False when it did not run."""
        was_up, container.stopped = container.is_up, True
        if not was_up:
            return False
        if seconds is None:
            told = container.config.get("StopTimeout")
            seconds = GRACE if told is None else float(told)
        name = container.config.get("StopSignal") or "SIGTERM"
        with contextlib.suppress(Conflict):
            self._signal(container, number or signal_number(name))
            if not self._wait_stopped(container, seconds):
                self.kill(container, signal.SIGKILL)
        self._emit(container, "stop")
        return True

    def _signal(self, container: Container, number: int) -> None:
        with self._records.changed:
            if not container.is_up:
                raise Conflict(
                    f"cannot kill container: {container.name}: container {container.id} is not"
                    " running"
                )
            if number in (signal.SIGKILL, signal.SIGTERM):
                container.stopped = True
            if container.status == RESTARTING and container.stopped:
                # no program runs in the pause before the next start, which does not come now
                container.status = EXITED
                self._records.save(container)
            if container.running:
                self._link.ask({"do": "signal", "id": container.id, "signal": number})
            # the end is noted after this, since the lock is held
            self._emit(container, "kill", signal=str(number))

    def _wait_stopped(self, container: Container, seconds: float) -> bool:
        with self._records.changed:
            return self._records.changed.wait_for(
                lambda: not container.is_up, None if seconds < 0 else seconds
            )

    def _wait_killed(self, container: Container) -> None:
        if not self._wait_stopped(container, _KILLED):
            raise EngineError(
                f"cannot stop container: {container.name}: tried to kill container, but did not"
                " receive an exit event"
            )


def signal_number(text: str) -> int:
    """The number of a signal: ``SIGTERM``, ``TERM`` or ``15``. Raises BadRequest."""
    name = text.upper()
    if name.isdecimal() and 0 < int(name[:3]) <= 64:
        return int(name)
    real_time = re.fullmatch(r"(?:SIG)?RT(MIN|MAX)(?:([+-])([0-9]{1,2}))?", name)
    if real_time and hasattr(signal, "SIGRTMIN"):
        start = signal.SIGRTMIN if real_time[1] == "MIN" else signal.SIGRTMAX
        number = start + int(f"{real_time[2] or ''}{real_time[3] or 0}")
        if signal.SIGRTMIN <= number <= signal.SIGRTMAX:
            return int(number)
    try:
        return int(signal.Signals[name if name.startswith("SIG") else f"SIG{name}"])
    except KeyError as error:
        raise BadRequest(f"invalid signal: {text}") from error
