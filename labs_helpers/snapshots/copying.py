"""A consistent copy of folders that a running sandbox and engine write to.

Blobs, which are never written again, are hard links; a database is copied by SQLite's backup
(https://www.sqlite.org/backup.html); everything else is copied. A copy during which any database
changed is made again, so that all databases and files are of one moment.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from labs_helpers.files import LabsError

TRIES = 20

_LINKED = frozenset({"blobs", "bodies"})
"""Folders whose files are never written again."""

_LEFT = frozenset({"tmp", "incoming", "running.lock", "start.lock", "server.json", "engine.json"})
_LEFT_ENDS = ("-wal", "-shm", ".sock", ".log", ".lock")
_LEFT_BEGINNINGS = (".", "passing-", "scratch-")
"""What belongs to a running process only."""
_MADE_AGAIN = frozenset({"engine/rootfs"})
"""Folders whose content the engine makes from the rest when it needs that."""


class Busy(LabsError):
    """Something was changed during every try to copy."""


class Unreadable(LabsError):
    """A container's file belongs to another user, who alone may read the file."""


def copy_folders(names: Sequence[str], home: Path, to: Path) -> None:
    """Copy folders of `home` into the folder `to`, which is empty.

    Raises Busy, Unreadable, OSError and sqlite3.Error; what was copied until then is left in `to`.
    """
    folders = [name for name in names if (home / name).is_dir()]
    for _ in range(TRIES):
        with ExitStack() as stack:
            watched = {
                path: stack.enter_context(closing(sqlite3.connect(path)))
                for path in _databases(home, folders)
            }
            before: dict[Path, int] | None = _versions(watched)
            try:
                for name in folders:
                    _copy_folder(home / name, to / name, {home / each for each in _MADE_AGAIN})
            except FileNotFoundError:
                before = None  # a blob was removed meanwhile
            except PermissionError as error:
                raise Unreadable(
                    f"{error.filename} belongs to another user of a container, so no snapshot can "
                    "hold it.\nRemove that container or volume (docker ps -a, docker rm; docker "
                    "volume ls, docker volume rm), and try again."
                ) from error
            is_still = before is not None and _versions(watched) == before
            if is_still and list(watched) == list(_databases(home, folders)):
                return
        for name in folders:
            shutil.rmtree(to / name, ignore_errors=True)
    raise Busy(
        "The sandbox or the engine was changing all the time, so there is no snapshot.\n"
        "Wait until what runs has finished, or run  labs stop  first, and try again."
    )


def _databases(home: Path, folders: Sequence[str]) -> Iterator[Path]:
    for name in folders:
        yield from (path for path in sorted((home / name).rglob("*.sqlite")) if path.is_file())


def _versions(watched: dict[Path, sqlite3.Connection]) -> dict[Path, int]:
    """Numbers that change with every commit of another connection.

    https://www.sqlite.org/pragma.html#pragma_data_version
    """
    return {
        path: int(connection.execute("pragma data_version").fetchone()[0])
        for path, connection in watched.items()
    }


def _copy_folder(source: Path, target: Path, left: set[Path], linked: bool = False) -> None:
    target.mkdir(mode=0o700)
    with os.scandir(source) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if _is_left(entry.name):
            continue
        path, copy = Path(entry.path), target / entry.name
        if path in left:
            continue
        if entry.is_dir(follow_symlinks=False):
            _copy_folder(path, copy, left, linked or entry.name in _LINKED)
        elif entry.is_symlink():
            copy.symlink_to(path.readlink())
        elif entry.is_file():
            _copy_file(path, copy, linked)


def _is_left(name: str) -> bool:
    return name in _LEFT or name.endswith(_LEFT_ENDS) or name.startswith(_LEFT_BEGINNINGS)


def _copy_file(path: Path, copy: Path, linked: bool) -> None:
    if linked:
        try:
            copy.hardlink_to(path)
            return
        except FileNotFoundError:
            raise
        except OSError:
            pass  # another file system, or one without hard links
    if path.suffix == ".sqlite":
        copy.touch(mode=0o600)
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        return
    shutil.copy2(path, copy)
