"""One server for one folder of state: a lock that the server's process holds for its whole life.

The kernel keeps the lock with the file itself, whatever path led there, and frees the lock when the
process ends in any way: neither a step of the clock, nor a symbolic link, nor a lost record makes a
second server possible (flock(2), https://man7.org/linux/man-pages/man2/flock.2.html).
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from labs_helpers.files import LabsError, cannot_write

NAME = "running.lock"
_WAITED = 3.0
"""Seconds to wait for a process that is just ending."""


class FolderInUse(LabsError):
    """Another process serves the same folder."""


class FolderLock:
    """The lock on a folder, from ``take`` on; ``release`` at the end, or the process's end."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, folder: Path, what: str, seconds: float = _WAITED) -> FolderLock:
        """Lock a folder, or raise FolderInUse after ``seconds``.

        what: the server, as the message names it ("sandbox"). Raises WorkspaceError where the
        folder cannot be written to, or its file system has no locks.
        """
        path = folder / NAME
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise cannot_write(path, error) from error
        deadline = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() < deadline:
                    time.sleep(0.05)
                    continue
                holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
                os.close(descriptor)
                raise FolderInUse(_sentence(folder, what, holder)) from None
            except OSError as error:
                os.close(descriptor)
                raise cannot_write(path, error) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return cls(descriptor)

    def release(self) -> None:
        """Let another process take the lock."""
        os.close(self._descriptor)


def _sentence(folder: Path, what: str, holder: str) -> str:
    who = f"process {holder}" if holder.isdigit() else "a process"
    end = f"kill {holder}" if holder.isdigit() else "end that process"
    return (
        f"another {what} works on {folder.resolve()} already: {who}. Two would lose each other's "
        f"changes.\nUse that one, or stop it: labs stop. If labs stop finds nothing: {end}"
    )
