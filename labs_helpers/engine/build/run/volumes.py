"""The volumes of an image while a command runs: copies, which are dropped afterwards.

As in dockerd's classic builder, each RUN gets new volumes with the content of the image. Files that
the command writes there are not in the layer; the folder of a volume, if it was missing, is.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import stat
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from labs_helpers.runtime.folders import remove_folder

from ..layer import Changes
from ..tree import LinkLoop, Tree
from .changes import MACHINE_FOLDERS, Stat
from .rootfs import RootFolder

_MODE = 0o755


class VolumeError(Exception):
    """A volume cannot be mounted at its path."""


class Volumes:
    """The volumes of one command; ``mount`` before it runs, ``unmount`` after its success."""

    def __init__(self, folder: RootFolder, tree: Tree, paths: Iterable[str]) -> None:
        self._folder = folder
        self._paths = sorted(_places(tree, paths))
        self._created: set[str] = set()
        self._originals: dict[str, Path] = {}

    def mount(self) -> None:
        """Replace each volume's folder by a copy, and create the missing folders.

        Raises:
            VolumeError: a file is in the place of a volume.
        """
        for number, path in enumerate(self._paths):
            place = self._prepare_path(path)
            if not os.path.lexists(place):
                self._create(place, path)
            elif not _is_folder(place):
                raise VolumeError(f"cannot mount volume over existing file, file exists /{path}")
            elif not self._is_inner(path):
                original = self._folder.spare / f"volume-{number}"
                _move(place, original)
                self._originals[path] = original
                # the command, of the same user, cannot read unreadable files either
                subprocess.run(
                    ["cp", "-a", "--", original, place], check=False, capture_output=True
                )

    def unmount(self) -> None:
        """Put the original folders back.

        Raises:
            VolumeError: the command moved the folder that contains a volume.
        """
        for path in self._paths:
            if self._is_inner(path):
                continue  # removed with the outer volume
            place = self._prepare_path(path)
            if _is_folder(place):
                with _writable(place.parent):
                    remove_folder(place)
            else:
                place.unlink(missing_ok=True)
            if path in self._originals:
                _move(self._originals[path], place)
            else:
                self._create(place, path)

    def before(self, seen: dict[str, Stat]) -> dict[str, Stat]:
        """A state of all paths after ``mount``, as the state would be without volumes."""
        found = self._outside(seen)
        return {path: each for path, each in found.items() if path not in self._created}

    def after(self, seen: dict[str, Stat]) -> dict[str, Stat]:
        """A state of all paths before ``unmount``, with the folders that belong to no volume.

        Call this after ``unmount``, which makes the folders that the command has removed.
        """
        found = self._outside(seen)
        for volume in self._paths:
            if self._is_inner(volume):
                continue
            path = ""
            for part in volume.split("/"):
                path = posixpath.join(path, part)
                if path not in found and path not in self._originals:
                    made = Stat.of((self._folder.path / path).lstat())
                    found[path] = replace(made, uid=0, gid=0)
        return found

    def _outside(self, seen: dict[str, Stat]) -> dict[str, Stat]:
        places = [path for path in self._paths if not self._is_inner(path)]
        return {
            path: each
            for path, each in seen.items()
            if not any(path == place or path.startswith(f"{place}/") for place in places)
        }

    def with_owners(self, changes: Changes, after: dict[str, Stat], owner: int) -> Changes:
        """The changes, with root as the owner of the folders created for volumes.

        ``owner`` is the engine's user, to whom all files of the state ``after`` belong.
        """
        entries = dict(changes.entries)
        for path in self._created & entries.keys():
            if after[path].uid in (0, owner):
                entries[path] = replace(entries[path], uid=0, gid=0)
        return replace(changes, entries=entries)

    def _is_inner(self, path: str) -> bool:
        return any(path.startswith(f"{outer}/") for outer in self._paths)

    def _create(self, place: Path, path: str) -> None:
        with _writable(place.parent):
            place.mkdir()
        place.chmod(_MODE)
        self._created.add(path)

    def _prepare_path(self, path: str) -> Path:
        """The path of a volume; missing folders above it are created, and no link is followed."""
        place, done = self._folder.path, ""
        for part in path.split("/")[:-1]:
            place, done = place / part, posixpath.join(done, part)
            if not os.path.lexists(place):
                self._create(place, done)
            elif not _is_folder(place):
                raise VolumeError(f"/{done}: the volume /{path} is in it, and it is no folder")
        return place / path.rpartition("/")[2]


def _places(tree: Tree, paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        try:
            place = tree.resolve(path)
        except LinkLoop as error:
            raise VolumeError(f"{path}: too many levels of symbolic links") from error
        if place and place.partition("/")[0] not in MACHINE_FOLDERS:
            yield place


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except FileNotFoundError:
        return False


def _move(source: Path, target: Path) -> None:
    """Rename a folder; an ordinary user needs write permission for its parents."""
    mode = stat.S_IMODE(source.lstat().st_mode)
    with _writable(source.parent), _writable(target.parent):
        source.chmod(mode | stat.S_IRWXU)
        source.rename(target)
    target.chmod(mode)


@contextlib.contextmanager
def _writable(folder: Path) -> Iterator[None]:
    mode = stat.S_IMODE(folder.lstat().st_mode)
    folder.chmod(mode | stat.S_IRWXU)
    try:
        yield
    finally:
        folder.chmod(mode)
