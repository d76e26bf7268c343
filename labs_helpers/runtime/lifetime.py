"""When the labs' background processes end by themselves.

Sandbox, engine and runner each watch three things, and end as `labs stop` ends them when:

- their folder, LABS_HOME, is gone;
- the JupyterLab that they were started for has ended, or has not come within a minute without use,
  as when an instructor did something for a learner who was not there;
- nobody has used any of them for LABS_IDLE.

What counts as use is a request of a client, a container that runs and a job that runs. The three
tell each other by the time of the file ``used`` in LABS_HOME. Nothing is lost by an end: the next
start has everything that was acknowledged.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from labs_helpers.files import LabsError, read_json, write_json
from labs_helpers.runtime import process_identity

log = logging.getLogger(__name__)

IDLE = "LABS_IDLE"
IDLE_SECONDS = 8 * 3600.0
"""Seconds without use after which the processes end where LABS_IDLE is not set."""

ENDS_WITH = "LABS_ENDS_WITH"
JUPYTER = "jupyter"
"""The value of LABS_ENDS_WITH in the environment of a JupyterLab of the labs."""

ALONE_SECONDS = 60.0
"""Seconds without use after which a process ends whose JupyterLab was never there."""
_TICK = 2.0
"""Seconds between two looks."""
_LAST = 15.0
"""Seconds for an orderly end without a folder, after which the process ends at once."""
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def idle_seconds(environ: Mapping[str, str]) -> float | None:
    """LABS_IDLE in seconds; None for "never". Raises LabsError for what is no length of time."""
    text = environ.get(IDLE, "").strip().lower()
    if not text:
        return IDLE_SECONDS
    if text == "never":
        return None
    if (match := re.fullmatch(r"(\d{1,6})([smh])", text)) and int(match[1]):
        return int(match[1]) * _UNITS[match[2]]
    raise LabsError(
        f"{IDLE} is {text!r}. It says after what time without use the sandbox and the engine end:\n"
        f"90s, 30m, 8h (which is the default), or never. For example:\n  export {IDLE}=2h"
    )


def note_jupyter(home: Path, pid: int) -> None:
    """Note that the process ``pid`` is, or becomes, a JupyterLab of this LABS_HOME."""
    folder = _notes(home)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for note in folder.glob("*.json"):
        if not process_identity.is_alive(read_json(note)):
            note.unlink(missing_ok=True)
    write_json(folder / f"{pid}.json", process_identity.noted(pid))


def jupyter_lives(home: Path) -> bool:
    """Whether a JupyterLab that was noted for this LABS_HOME still runs."""
    return any(process_identity.is_alive(read_json(note)) for note in _notes(home).glob("*.json"))


def _notes(home: Path) -> Path:
    return home / "jupyter" / "servers"


class Lifetime:
    """Watches for one process, on a thread of its own, whether the process should end.

    home: LABS_HOME; what: the process, for its log; busy: whether it works for somebody although no
    request arrives. Raises LabsError for a wrong LABS_IDLE.
    """

    def __init__(
        self,
        home: Path,
        what: str,
        environ: Mapping[str, str],
        busy: Callable[[], bool] = lambda: False,
    ) -> None:
        self._home, self._what, self._busy = home, what, busy
        self._idle = idle_seconds(environ)
        self._with_jupyter = environ.get(ENDS_WITH) == JUPYTER
        self._had_jupyter = False
        self._folder = _identity(home)
        self._used = home / "used"
        self._in_use = True  # its start is a use

    def use(self) -> None:
        """Note that somebody uses the process now; cheap enough for each request."""
        self._in_use = True

    def watch(self, end: Callable[[], None] | None = None) -> None:
        """Begin to watch. ``end`` ends the process; by default a SIGTERM to itself does."""
        end = end or (lambda: os.kill(os.getpid(), signal.SIGTERM))
        threading.Thread(target=self._watch, args=(end,), name="lifetime", daemon=True).start()

    def _watch(self, end: Callable[[], None]) -> None:
        pause = threading.Event()
        seen, since = None, time.monotonic()
        while True:
            if self._in_use or self._is_busy():
                self._in_use = False
                with contextlib.suppress(OSError):  # a full disk, or a folder that has just gone
                    self._used.touch(mode=0o600)
                since = time.monotonic()
            if (written := _written(self._used)) != seen:
                # another process of the labs was used
                seen, since = written, time.monotonic()
            if why := self._why_end(time.monotonic() - since):
                log.info("the %s ends: %s", self._what, why)
                end()
                if _identity(self._home) != self._folder:
                    pause.wait(_LAST)
                    os._exit(0)  # what would be written has no folder any more
                return
            pause.wait(_TICK)

    def _is_busy(self) -> bool:
        try:
            return self._busy()
        except (OSError, LabsError) as error:
            log.warning("the %s cannot tell whether it is in use: %s", self._what, error)
            return True

    def _why_end(self, unused: float) -> str:
        if _identity(self._home) != self._folder:
            return f"the folder {self._home} is gone"
        if self._with_jupyter and (why := self._without_jupyter(unused)):
            return why
        if self._idle is not None and unused >= self._idle:
            return f"nobody has used it for {unused:.0f} seconds ({IDLE})"
        return ""

    def _without_jupyter(self, unused: float) -> str:
        if jupyter_lives(self._home):
            self._had_jupyter = True
        elif self._had_jupyter:
            return "its JupyterLab has ended"
        elif unused >= ALONE_SECONDS:
            return f"no JupyterLab runs here, and nobody has used it for {unused:.0f} seconds"
        return ""


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _written(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0
