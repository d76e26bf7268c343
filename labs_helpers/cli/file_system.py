"""Whether a file system does what the labs use (sockets, permissions, locks, SQLite), by trying.

Home folders on a network, and Windows' drives in WSL, often do not.
"""

from __future__ import annotations

import contextlib
import fcntl
import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path


def lacking(folder: Path) -> list[str]:
    """What the file system of a folder does not do for the labs, by trying."""
    tries: list[tuple[str, Callable[[Path], bool]]] = [
        ("it has no sockets", _has_sockets),
        ("it keeps no permissions of files", _keeps_permissions),
        ("it has no locks", _has_locks),
        ("SQLite cannot keep its write-ahead log there", _has_write_ahead_log),
    ]
    return [words for words, does in tries if not does(folder)]


def _has_sockets(folder: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as one:
        try:
            one.bind(str(folder / "s"))
        except OSError as error:
            return "too long" in str(error)  # which the engine's own path says better
        return True


def _keeps_permissions(folder: Path) -> bool:
    file = folder / "file"
    for mode in (0o600, 0o700):
        file.chmod(mode)
        if file.stat().st_mode & 0o777 != mode:
            return False
    return True


def _has_locks(folder: Path) -> bool:
    with (folder / "file").open("rb+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


def _has_write_ahead_log(folder: Path) -> bool:
    try:
        with contextlib.closing(sqlite3.connect(folder / "db")) as db:
            (mode,) = db.execute("pragma journal_mode = wal").fetchone()
            db.execute("create table one (number)")
            db.commit()
    except sqlite3.Error:
        return False
    return str(mode) == "wal"
