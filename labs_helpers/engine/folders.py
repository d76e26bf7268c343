"""Folders that commands of a build have written: removed whatever is in them."""

from __future__ import annotations

import itertools
import logging
import os
import secrets
import stat
import tempfile
from pathlib import Path

log = logging.getLogger(__name__)

_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


def remove_folder(top: Path) -> None:
    """Remove a folder, however deep it is and whatever permissions its folders have.

    Each inner folder is moved to the top before its content is removed. So no path gets longer
    than the system allows, and no folder stays open while another is read.

    Raises:
        OSError: something cannot be removed; the rest of the folder is still there.
    """
    top.chmod(stat.S_IRWXU)
    here = os.open(top, _OPEN)
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
                    os.chmod(inner, stat.S_IRWXU, dir_fd=inside)
                    moved = f"{prefix}{next(numbers)}"
                    os.rename(inner, moved, src_dir_fd=inside, dst_dir_fd=here)
                    waiting.append(moved)
            finally:
                os.close(inside)
            os.rmdir(name, dir_fd=here)
    finally:
        os.close(here)
    top.rmdir()


def fresh_folder(parent: Path, name: str) -> Path:
    """Create a private folder ``name-...`` for one process; remove those of earlier processes.

    What cannot be removed stays, and the log says so: a leftover must not stop a start.
    """
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in sorted(parent.glob(f"{name}*")):
        try:
            remove_folder(left)
        except OSError as error:
            log.warning("%s, from an earlier process, cannot be removed: %s", left, error)
    return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=parent))


def _is_folder(name: str, where: int) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=where, follow_symlinks=False).st_mode)


def _open_folder(name: str, where: int) -> int:
    os.chmod(name, stat.S_IRWXU, dir_fd=where)
    return os.open(name, _OPEN, dir_fd=where)
