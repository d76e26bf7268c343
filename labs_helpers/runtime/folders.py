"""Folders that a build or a container wrote: removed whatever is in them."""

from __future__ import annotations

import itertools
import logging
import os
import secrets
import stat
import sys
from pathlib import Path

log = logging.getLogger(__name__)

_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove_folder(top: Path) -> None:
    """Remove a folder, however deep it is and whatever permissions its folders have.

    Each inner folder is moved to the top before its content is removed. So no path gets longer
    than the system allows, and no folder stays open while another is read.

    Raises:
        OSError: something cannot be removed; the rest of the folder is still there.
    """
    here = _open_folder(str(top), None)
    try:
        numbers = itertools.count()
        prefix = f".removing-{secrets.token_hex(8)}-"
        waiting = os.listdir(here)  # noqa: PTH208 - of an open folder
        while waiting:
            name = waiting.pop()
            if not _is_folder(name, here):
                os.unlink(name, dir_fd=here)
                continue
            inside = _open_folder(name, here)
            try:
                for inner in os.listdir(inside):  # noqa: PTH208 - of an open folder
                    if not _is_folder(inner, inside):
                        os.unlink(inner, dir_fd=inside)
                        continue
                    # moving a folder needs the permission to write into that folder
                    os.close(_open_folder(inner, inside))
                    moved = f"{prefix}{next(numbers)}"
                    os.rename(inner, moved, src_dir_fd=inside, dst_dir_fd=here)
                    waiting.append(moved)
            finally:
                os.close(inside)
            os.rmdir(name, dir_fd=here)
    finally:
        os.close(here)
    top.rmdir()


def empty(scratch: Path) -> None:
    """Remove what a killed process left; what cannot be removed stays, and stops no start."""
    for path in scratch.iterdir():
        try:
            if path.is_dir() and not path.is_symlink():
                remove_folder(path)
            else:
                path.unlink()
        except OSError as error:
            log.warning("%s of an earlier process stays: %s", path, error)


def _is_folder(name: str, where: int) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=where, follow_symlinks=False).st_mode)


def _open_folder(name: str, where: int | None) -> int:
    """Open a folder, whose owner gets all rights first; never what a link leads to.

    chmod(2) follows links, and a program that is left could put a link in the folder's place.
    """
    if sys.platform == "linux":
        found = os.open(name, os.O_PATH | _OPEN, dir_fd=where)
        try:
            Path(f"/proc/self/fd/{found}").chmod(stat.S_IRWXU)
            return os.open(f"/proc/self/fd/{found}/.", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        finally:
            os.close(found)
    os.chmod(name, stat.S_IRWXU, dir_fd=where, follow_symlinks=False)
    return os.open(name, _OPEN, dir_fd=where)
