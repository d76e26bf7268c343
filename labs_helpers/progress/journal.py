"""The journal of the learner's steps: ``.labs/progress/events.jsonl``, to which lines are added.

Each line is an event as jupyter-events writes an event; ``schema.yaml`` describes the event. The
library itself is not imported: its import takes two seconds in the learner's kernel (a grammar of
rfc3987-syntax is compiled). A test reads the lines with the library.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from labs_helpers.files import cannot_read, cannot_write
from labs_helpers.workspace import Workspace

SCHEMA = "urn:labs:progress"
VERSION = "1"


@dataclass(frozen=True)
class Event:
    """One step of the learner; ``schema.yaml`` says what the fields hold. ``at`` is in UTC."""

    at: datetime
    lab: str
    event: str
    part: str = ""
    outcome: str = ""


class Journal:
    """The journal of one workspace. ``own_names`` are the learner's account and region."""

    def __init__(self, workspace: Workspace) -> None:
        self._path = workspace.progress
        self.own_names = workspace.own_names

    @property
    def size(self) -> int:
        """How many bytes the journal has: the number grows with each event."""
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise cannot_read(self._path, error) from error

    def add(self, event: str, lab: str, part: str = "", outcome: str = "") -> None:
        """Add one event, at the time of this machine's clock.

        A line is written with one call, so that two kernels never mix their lines. Raises
        WorkspaceError when the file cannot be written.
        """
        given = {"lab": lab, "event": event, "part": part, "outcome": outcome}
        line = {
            "__timestamp__": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "__schema__": SCHEMA,
            "__schema_version__": VERSION,
            "__metadata_version__": 1,
            **{name: value for name, value in given.items() if value},
        }
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(descriptor, _after_a_torn_line(descriptor) + _encoded(line))
            finally:
                os.close(descriptor)
        except OSError as error:
            raise cannot_write(self._path, error) from error

    def events(self) -> list[Event]:
        """The events, oldest first. A line that is damaged is passed over.

        Raises WorkspaceError when the file cannot be read.
        """
        try:
            text = self._path.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise cannot_read(self._path, error) from error
        return sorted(_parsed(text), key=lambda event: event.at)


def _encoded(line: dict[str, Any]) -> bytes:
    return json.dumps(line).encode() + b"\n"


def _after_a_torn_line(descriptor: int) -> bytes:
    """The line break that a line lacks whose writer was killed or met a full disk."""
    size = os.fstat(descriptor).st_size
    return b"\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else b""


def _parsed(text: bytes) -> Iterator[Event]:
    for line in text.splitlines():
        try:
            found = json.loads(line)
            if found["__schema__"] != SCHEMA or found["__schema_version__"] != VERSION:
                continue
            at = datetime.fromisoformat(found["__timestamp__"])
            given = [found["lab"], found["event"], found.get("part", ""), found.get("outcome", "")]
            if all(isinstance(one, str) for one in given):
                yield Event(at.astimezone(UTC), *given)
        except (ValueError, KeyError, TypeError):
            continue
