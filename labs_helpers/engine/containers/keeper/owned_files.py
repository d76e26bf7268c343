"""The files of an image in a folder: given to the users of a range, looked at, and taken back.

The process is root of the range (users.py). The folder becomes the process's root first, so that no
link in an image leads out. The answer is a document on standard output: ``paths``, a list of path,
kind, inode, mode, uid, gid, size, and times of modification and change in nanoseconds; or
``error``, the number of an error of the system, and its ``path``.
"""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

_MACHINE_FOLDERS = ("dev", "proc", "sys")


def work(request: dict[str, Any]) -> None:
    """Give owners (``give``, a list of path, uid, gid and mode; -1: leave it) or take all back."""
    import json
    import sys

    os.chdir(request["root"])
    os.chroot(".")
    # an import would run the image's files from here on
    sys.meta_path.clear()
    try:
        _give(request.get("give", ()))
        found = list(_look())
        if request.get("take"):
            _take(found)
        json.dump({"paths": [[path, *_state(seen)] for path, seen in found]}, sys.stdout)
    except OSError as error:
        json.dump({"error": error.errno, "path": str(error.filename)}, sys.stdout)
    except BaseException as error:  # noqa: BLE001 - a traceback would open files of the image
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
        os._exit(1)


def _give(owners: Iterable[tuple[str, int, int, int]]) -> None:
    for path, uid, gid, mode in owners:
        os.chown(path or ".", uid, gid, follow_symlinks=False)
        if mode >= 0:
            # after the owner, whose change takes setuid away
            os.chmod(path or ".", mode)  # noqa: PTH101 - no pathlib: memory


def _look() -> Iterator[tuple[str, os.stat_result]]:
    """Every path with its lstat; folders come before their content."""
    yield "", os.lstat(".")
    waiting = [""]
    while waiting:
        below = waiting.pop()
        with os.scandir(below or ".") as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        for entry in found:
            if not below and entry.name in _MACHINE_FOLDERS:
                continue
            path = f"{below}/{entry.name}" if below else entry.name
            seen = entry.stat(follow_symlinks=False)
            yield path, seen
            if stat.S_ISDIR(seen.st_mode):
                waiting.append(path)


def _state(seen: os.stat_result) -> tuple[int, ...]:
    kind, mode = stat.S_IFMT(seen.st_mode), stat.S_IMODE(seen.st_mode)
    owner = (seen.st_uid, seen.st_gid)
    return (kind, seen.st_ino, mode, *owner, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)


def _take(found: list[tuple[str, os.stat_result]]) -> None:
    for path, seen in found:
        if seen.st_uid or seen.st_gid:
            os.chown(path or ".", 0, 0, follow_symlinks=False)
        if not stat.S_ISLNK(seen.st_mode):
            mode = stat.S_IMODE(seen.st_mode)
            least = 0o700 if stat.S_ISDIR(seen.st_mode) else 0o600
            if mode & least != least:
                os.chmod(path or ".", mode | least)  # noqa: PTH101 - no pathlib: memory
