"""What follows when the program of a container ends: its status, and a start again or a removal.

Rules are dockerd's: https://github.com/moby/moby/blob/v28.2.2/daemon/monitor.go and
restartmanager/restartmanager.go.
"""

from __future__ import annotations

import contextlib
import json
import logging
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ..errors import EngineError
from .describe import seconds
from .keeper.logfile import now
from .record import EXITED, RESTARTING, Container, Records

log = logging.getLogger(__name__)

_FIRST, _LONGEST = 0.1, 60.0
"""Seconds before a start again: each pause is twice the one before."""
_LASTING = 10.0
"""Seconds after which a run counts as a success: the pauses begin anew."""


class Endings:
    """Notes the ends of programs, and does what follows.

    ``emit`` notes an event, and ``note_end`` those of an end with a status; ``start`` and
    ``remove`` carry out what a container asked for.
    """

    def __init__(
        self,
        records: Records,
        emit: Callable[..., None],
        note_end: Callable[[Container, int], None],
        start: Callable[[Container], None],
        remove: Callable[[Container], None],
    ) -> None:
        self._records, self._emit, self._note_end = records, emit, note_end
        self._start, self._remove = start, remove
        self.pauses = Pauses()
        self.closing = False
        """Set when the engine ends: nothing is started again, or removed."""

    def take_exit(self, container: Container) -> None:
        """Note the end of a container that ended while no engine looked."""
        self.ended(container, *noted(self._records.path(container)))

    def ended(self, container: Container, code: int, date: str, oom: bool = False) -> None:
        """Note the end of a container's program; nothing happens when it is noted already."""
        with self._records.changed:
            if not container.running:
                return
            again = not self.closing and is_restarted(container, code)
            container.status, container.pid = RESTARTING if again else EXITED, 0
            container.exit_code, container.finished = code, date
            container.oom_killed = oom
            container.endings += 1
            for port in container.ports:
                port["outside"] = 0
            try:
                self._records.save(container)
            except OSError as error:
                # the keeper's exit.json, or that none runs, tells the next engine
                log.warning("the record of %s cannot be written: %s", container.short_id, error)
        if oom:
            self._emit(container, "oom")
        self._note_end(container, code)
        if again:
            self.start_again(container)
        elif not self.closing and container.host.get("AutoRemove"):
            threading.Thread(target=self._remove, args=(container,)).start()

    def start_again(self, container: Container) -> None:
        """Start a container after a pause, unless a user stops or removes it before."""
        if seconds(container.finished) - seconds(container.started) >= _LASTING:
            self.pauses.forget(container)
        pause = self.pauses.next(container)
        threading.Thread(target=self._after, args=(pause, container), daemon=True).start()

    def _after(self, pause: float, container: Container) -> None:
        time.sleep(pause)
        with self._records.changed:
            if (
                container.status != RESTARTING
                or self.closing
                or not _is_kept(container, self._records)
            ):
                return
            container.restarts += 1
            with contextlib.suppress(EngineError):  # the record says why it did not start
                self._start(container)


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


def is_restarted(container: Container, code: int) -> bool:
    """Whether the restart policy starts a container again that has ended with a status."""
    policy = container.host.get("RestartPolicy") or {}
    name, most = policy.get("Name") or "no", policy.get("MaximumRetryCount") or 0
    if container.stopped or name == "no":
        return False
    if name == "on-failure":
        return code != 0 and (not most or container.restarts < most)
    return True


def noted(folder: Path) -> tuple[int, str, bool]:
    """Exit status, time and want of memory of a container that ended while no engine looked."""
    try:
        found = json.loads((folder / "exit.json").read_text())
        return int(found["code"]), str(found["time"]), bool(found.get("oom"))
    except (OSError, ValueError, KeyError):
        # its keeper was killed, and the program with it
        return 128 + signal.SIGKILL, now(), False


def waiter(
    records: Records, container: Container, condition: str
) -> Callable[[Callable[[], bool]], int | None]:
    """A function that waits for a condition up to a second: the exit status, or None.

    ``condition`` is "not-running", "next-exit" or "removed", as from now on.
    """
    endings = container.endings

    def holds() -> bool:
        is_gone = not _is_kept(container, records)
        if condition == "removed":
            return is_gone
        if condition == "next-exit":
            return container.endings > endings or is_gone
        # an end counts, too, when a restart policy starts the program again
        return not container.is_up or container.endings > endings

    def wait(is_gone: Callable[[], bool]) -> int | None:
        with records.changed:
            done = records.changed.wait_for(holds, 1.0)
        return container.exit_code if done or is_gone() else None

    return wait


def _is_kept(container: Container, records: Records) -> bool:
    return any(each is container for each in records)
