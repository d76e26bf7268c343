"""The source of a build: a copy, so that no command of a build can touch the author's files."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Collection
from pathlib import Path

from labs_helpers.buildspec import links
from labs_helpers.files import LabsError

MOST_FILES = 100_000
MOST_BYTES = 1 << 30


class SourceError(LabsError):
    """The folder cannot be the source of a build."""


def copy(source: Path, into: Path, leave_out: Collection[Path] = ()) -> list[str]:
    """Copy a folder. ``into`` must not exist. Sockets, pipes and devices are left out.

    leave_out: files and folders that are no part of the source. Returns a line on each link that
    is different in the copy (links.py). Raises SourceError.
    """
    if not source.is_dir():
        raise SourceError(f"{source} is no folder. Name the folder of the source with --source.")
    outside = {os.path.realpath(path) for path in leave_out}

    def ignored(folder: str, names: list[str]) -> set[str]:
        found = set()
        for name in names:
            path = Path(folder, name)
            mode = path.lstat().st_mode
            plain = stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)
            if not plain or os.path.realpath(path) in outside:
                found.add(name)
        return found

    _check_size(source, outside)
    try:
        shutil.copytree(source, into, symlinks=True, ignore=ignored)
        changed = links.keep_within(source, into)
    except shutil.Error as error:
        first, _, why = error.args[0][0]
        raise SourceError(f"The source cannot be copied: {first}: {why}") from None
    except OSError as error:
        raise SourceError(f"The source cannot be copied: {error}") from error
    into.chmod(into.stat().st_mode | stat.S_IRWXU)
    return changed


def _check_size(source: Path, outside: set[str]) -> None:
    files = size = 0
    for root, folders, names in os.walk(source):
        folders[:] = [name for name in folders if os.path.realpath(f"{root}/{name}") not in outside]
        files += len(names)
        size += sum(Path(root, name).lstat().st_size for name in names)
        if files > MOST_FILES or size > MOST_BYTES:
            raise SourceError(
                f"{source} holds more than {MOST_FILES} files or {MOST_BYTES >> 30} GiB. Run the "
                "build in the folder of the application, or name that folder with --source."
            )
