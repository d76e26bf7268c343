"""What follows when the program of a container ends: its status, and whether it starts again.

Rules are dockerd's: https://github.com/moby/moby/blob/v28.2.2/daemon/monitor.go and
restartmanager/restartmanager.go.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path

from ..errors import BadRequest
from .keeper.logfile import now
from .record import Container, Records

_FIRST, _LONGEST = 0.1, 60.0
"""Seconds before a start again: each pause is twice the one before."""


class Pauses:
    """How long each container waits before it is started again."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def next(self, container: Container) -> float:
        """The seconds of the next pause."""
        pause = min(self._last.get(container.id, _FIRST / 2) * 2, _LONGEST)
        self._last[container.id] = pause
        return pause

    def forget(self, container: Container) -> None:
        """Begin anew: a user has started or removed the container."""
        self._last.pop(container.id, None)


def is_restarted(container: Container) -> bool:
    """Whether the restart policy starts a container again that has just ended."""
    policy = container.host.get("RestartPolicy") or {}
    name, most = policy.get("Name") or "no", policy.get("MaximumRetryCount") or 0
    if container.stopped or name == "no":
        return False
    if name == "on-failure":
        return container.exit_code != 0 and (not most or container.restarts < most)
    return True


def noted(folder: Path) -> tuple[int, str]:
    """Exit status and time of a container that ended while no engine looked."""
    try:
        found = json.loads((folder / "exit.json").read_text())
        return int(found["code"]), str(found["time"])
    except (OSError, ValueError, KeyError):
        # its keeper was killed, and the program with it
        return 128 + signal.SIGKILL, now()


def waiter(
    records: Records, container: Container, condition: str
) -> Callable[[Callable[[], bool]], int | None]:
    """A function that waits for a condition up to a second: the exit status, or None.

    ``condition`` is "not-running", "next-exit" or "removed", as from now on.
    """
    endings = container.endings

    def is_kept() -> bool:
        return any(each is container for each in records)

    def holds() -> bool:
        if condition == "removed":
            return not is_kept()
        if condition == "next-exit":
            return container.endings > endings or not is_kept()
        return not container.running

    def wait(is_gone: Callable[[], bool]) -> int | None:
        with records.changed:
            done = records.changed.wait_for(holds, 1.0)
        return container.exit_code if done or is_gone() else None

    return wait


def signal_number(text: str) -> int:
    """The number of a signal: ``SIGTERM``, ``TERM`` or ``15``. Raises BadRequest."""
    name = text.upper()
    if name.isdecimal() and 0 < int(name) <= 64:
        return int(name)
    try:
        return int(signal.Signals[name if name.startswith("SIG") else f"SIG{name}"])
    except KeyError as error:
        raise BadRequest(f"invalid signal: {text}") from error
