"""A folder for one build, that goes with the build.

A build that was killed leaves its folder. The next build that begins removes it: a lock, which ends
with its process, says whose folder is still in use.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from labs_helpers.runtime.folders import remove_folder
from labs_helpers.runtime.isolated import LOCK, abandoned, lock_of

log = logging.getLogger(__name__)


@contextmanager
def scratch(root: Path) -> Iterator[Path]:
    """A new, empty folder below ``root``; raises OSError where none can be made."""
    root.mkdir(parents=True, exist_ok=True)
    _sweep(root)
    handle, name = tempfile.mkstemp(suffix=LOCK, dir=root)
    lock = Path(name)
    folder = lock.with_suffix("")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        folder.mkdir()
        yield folder
    finally:
        _remove(folder, lock)
        os.close(handle)


def _sweep(root: Path) -> None:
    for folder in abandoned(root):
        with contextlib.suppress(OSError):
            _remove(folder, lock_of(folder))


def _remove(folder: Path, lock: Path) -> None:
    """Remove a folder of a build, and its lock when nothing is left: the next build tries again.

    A program that the build left may still write there.
    """
    try:
        remove_folder(folder)
    except OSError as error:
        if os.path.lexists(folder):
            log.warning("%s cannot be removed yet: %s", folder, error)
            return
    lock.unlink(missing_ok=True)
