"""A folder for one build, that goes with the build.

A build that was killed leaves its folder. The next build that begins removes it: a lock, which ends
with its process, says whose folder is still in use.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOCK = ".lock"


@contextmanager
def scratch(root: Path) -> Iterator[Path]:
    """A new, empty folder below ``root``; raises OSError where none can be made."""
    root.mkdir(parents=True, exist_ok=True)
    _sweep(root)
    handle, name = tempfile.mkstemp(suffix=_LOCK, dir=root)
    lock = Path(name)
    folder = lock.with_suffix("")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        folder.mkdir()
        yield folder
    finally:
        _remove(folder)
        lock.unlink(missing_ok=True)
        os.close(handle)


def _sweep(root: Path) -> None:
    for lock in root.glob(f"*{_LOCK}"):
        with contextlib.suppress(OSError), lock.open() as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises while the build runs
            _remove(lock.with_suffix(""))
            lock.unlink(missing_ok=True)


def _remove(folder: Path) -> None:
    """Remove a folder of a build, which may have taken rights away from its own folders."""
    for root, names, _ in os.walk(folder):
        for name in names:
            path = Path(root, name)
            if not path.is_symlink():
                with contextlib.suppress(OSError):
                    path.chmod(stat.S_IRWXU)
    shutil.rmtree(folder, ignore_errors=True)
