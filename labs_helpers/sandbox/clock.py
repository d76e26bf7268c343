"""The sandbox clock: what every time of ours is read from (token life, image ages, releases).

It runs with real time plus an offset that only grows, or stands still at a given instant for
outputs that must not change. Signatures are judged by real time and never by this clock.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from labs_helpers.files import read_json, write_json

FARTHEST = timedelta(days=36525)
"""How far ahead the clock goes: a century, so that no sum of dates leaves the calendar."""


class Clock:
    """Thread-safe. Its offset is kept in ``path`` as ``{"offset_seconds": 46800.0}``."""

    def __init__(self, path: Path | None = None, frozen_at: datetime | None = None) -> None:
        """Read the offset kept in ``path``; an unreadable file is set aside and counts as none.

        frozen_at: an aware instant at which the clock stands (plus its offset).
        Raises WorkspaceError when the file cannot be read, ValueError for a naive instant.
        """
        if frozen_at is not None and frozen_at.tzinfo is None:
            raise ValueError(f"the instant of the clock has no time zone: {frozen_at}")
        self._path = path
        self._frozen_at = frozen_at.astimezone(UTC) if frozen_at else None
        self._lock = threading.Lock()
        self._offset = _kept(path) if path else timedelta()
        self._subscribers: list[Callable[[], None]] = []

    def subscribe(self, callback: Callable[[], None]) -> None:
        """Run ``callback`` after each advance, before ``advance`` returns."""
        self._subscribers.append(callback)

    @property
    def offset(self) -> timedelta:
        """How far the clock has been moved, never negative."""
        with self._lock:
            return self._offset

    @property
    def frozen(self) -> bool:
        """Whether the clock stands still between advances."""
        return self._frozen_at is not None

    def now(self) -> datetime:
        """The sandbox's time: aware, UTC."""
        return (self._frozen_at or datetime.now(UTC)) + self.offset

    def advance(self, by: timedelta) -> None:
        """Move forward and keep the new offset on disk before it counts.

        Raises ValueError for a step back or beyond FARTHEST, WorkspaceError when it cannot be
        kept (the clock then stays where it was).
        """
        if by < timedelta():
            raise ValueError("the clock goes forward only")
        with self._lock:
            if by > FARTHEST - self._offset:
                raise ValueError(f"the clock goes at most {FARTHEST.days} days ahead")
            moved = self._offset + by
            if self._path:
                write_json(self._path, {"offset_seconds": moved.total_seconds()})
            self._offset = moved
        for callback in self._subscribers:
            callback()


def _kept(path: Path) -> timedelta:
    seconds = read_json(path).get("offset_seconds", 0)
    sound = isinstance(seconds, int | float) and math.isfinite(seconds)
    if not sound or not 0 <= seconds <= FARTHEST.total_seconds():
        return timedelta()
    return timedelta(seconds=seconds)
