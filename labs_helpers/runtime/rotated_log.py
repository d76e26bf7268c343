"""The log of a background process, rotated while the process runs.

Whoever starts the process opens the log as its stdout and stderr (background_process.py), so that
a traceback at the very end is in the log, too. When the log is long, the process itself renames it
to ``<name>.1`` and writes on to a new file. The two files hold the last lines at any time.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

LONGEST = 5_000_000
"""Bytes of a log above which a new one is begun. Two files are kept."""
FORMAT = "%(asctime)s %(levelname)s %(message)s"


class RotatedLog(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes to stderr; ``path`` is the file behind stderr and stdout, or None for no file."""

    def __init__(self, path: Path | None, longest: int = LONGEST) -> None:
        super().__init__(sys.stderr)
        self.setFormatter(logging.Formatter(FORMAT))
        self._path = path
        self._longest = longest

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, and begin a new file when this one is long."""
        # logging holds the handler's lock: one thread at a time
        super().emit(record)
        try:
            self._rotate()
        except OSError:
            self.handleError(record)  # the lines go on into the long file

    def _rotate(self) -> None:
        if self._path is None or os.fstat(2).st_size <= self._longest:
            return
        if not _is_open_as(2, self._path):
            self._path = None  # somebody has moved the file away
            return
        before = self._path.with_name(self._path.name + ".1")
        self._path.replace(before)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(self._path, flags, 0o600)
        for stream in (1, 2):
            os.dup2(descriptor, stream)
        os.close(descriptor)


def log_to(path: Path | None) -> None:
    """Log everything from INFO on, warnings included, to stderr, whose file is ``path``."""
    logging.basicConfig(level=logging.INFO, handlers=[RotatedLog(path)])
    logging.captureWarnings(True)


def _is_open_as(descriptor: int, path: Path) -> bool:
    """Whether a descriptor is of the file that the path names now."""
    try:
        named = path.stat()
    except FileNotFoundError:
        return False
    opened = os.fstat(descriptor)
    return (named.st_dev, named.st_ino) == (opened.st_dev, opened.st_ino)
