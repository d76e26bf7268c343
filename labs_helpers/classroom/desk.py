"""A learner's side of a class, in the notebook's kernel: what is sent, and what is handed out."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from labs_helpers.classroom import handouts, sending
from labs_helpers.classroom.handouts import HandOut
from labs_helpers.display.rendering import Rendering
from labs_helpers.files import LabsError
from labs_helpers.progress.journal import Journal
from labs_helpers.workspace import Workspace

EVERY = 20
"""Seconds between two sendings."""
OLD = timedelta(hours=12)
"""What was handed out earlier than this is of another day."""


class Desk:
    """Looks after each cell. Sending goes on in a thread, so that no cell waits for it."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._seen: set[HandOut] = set()
        self._received: list[HandOut] = []
        self._problem = ""
        self._told = ""
        self._sent = -float(EVERY)
        self._waiting = threading.Lock()

    def after_a_cell(self) -> Iterator[Rendering | str]:
        """What to show now: new hand-outs, and once why progress cannot be sent."""
        self._send_soon()
        place = handouts.folder(self._workspace)
        given = [*(handouts.read(place) if place else ()), *self._received]
        for one in given:
            if one not in self._seen and _is_new(one):
                self._seen.add(one)
                if (drawn := handouts.drawn(one, self._workspace)) is not None:
                    yield drawn
        if self._problem != self._told:
            self._told = self._problem
            if self._problem:
                yield f"{self._problem} The labs try again. To stop: labs progress --stop-sending"

    def _send_soon(self) -> None:
        """Begin to send, or leave that to the thread that waits already."""
        if sending.agreed(self._workspace) is None or not self._waiting.acquire(blocking=False):
            return
        threading.Thread(target=self._send, daemon=True).start()

    def _send(self) -> None:
        time.sleep(max(0.0, self._sent + EVERY - time.monotonic()))
        self._waiting.release()  # a cell that ends from now on may not be in what is sent
        self._sent = time.monotonic()
        try:
            agreement = sending.agreed(self._workspace)
            if agreement is not None:
                self._received = sending.send(agreement, Journal(self._workspace).events())
            self._problem = ""
        except LabsError as error:
            self._problem = str(error)


def _is_new(one: HandOut) -> bool:
    try:
        return datetime.now(UTC) - datetime.fromisoformat(one.at) < OLD
    except (ValueError, TypeError):
        return False
