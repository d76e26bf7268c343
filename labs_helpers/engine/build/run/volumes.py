"""The volumes of an image while a command runs: a copy of what is there, forgotten afterwards.

As dockerd's classic builder does it: each RUN has new volumes, with what the image has at their
places; what the command writes there is in no layer, and a folder that was missing is.
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

from ..layer import Changes
from ..tree import LinkLoop, Tree
from .rootfs import OWN, RootFolder, remove_folder

_MODE = 0o755


class VolumeError(Exception):
    """A volume cannot be where it is to be."""


class Volumes:
    """Volumes of one command; ``mount`` before it runs, ``unmount`` when it has ended well."""

    def __init__(self, folder: RootFolder, tree: Tree, paths: Iterable[str]) -> None:
        self._folder = folder
        self._paths = sorted(_places(tree, paths))
        self._made: set[str] = set()
        self._kept: dict[str, Path] = {}

    def mount(self) -> None:
        """Put copies where the volumes are, and folders where nothing is.

        Raises:
            VolumeError: a file is there.
        """
        for number, path in enumerate(self._paths):
            place = self._reached(path)
            if not os.path.lexists(place):
                self._make(place, path)
            elif not _is_folder(place):
                raise VolumeError(f"cannot mount volume over existing file, file exists /{path}")
            elif not self._is_inner(path):
                kept = self._folder.spare / f"volume-{number}"
                _move(place, kept)
                self._kept[path] = kept
                # what cannot be read, a command of this user cannot read either
                subprocess.run(["cp", "-a", "--", kept, place], check=False, capture_output=True)

    def unmount(self) -> None:
        """Put back what was there.

        Raises:
            VolumeError: the command moved the folder that a volume is in.
        """
        for path in self._paths:
            if self._is_inner(path):
                continue  # it went with the other
            place = self._reached(path)
            if _is_folder(place):
                with _writable(place.parent):
                    remove_folder(place)
            else:
                place.unlink(missing_ok=True)
            if path in self._kept:
                _move(self._kept[path], place)
            else:
                self._make(place, path)

    def owned(self, changes: Changes) -> Changes:
        """The changes, in which the folders made for volumes are root's, whoever ran."""
        entries = dict(changes.entries)
        for path in self._made & entries.keys():
            if (self._folder.path / path).lstat().st_uid == os.geteuid():
                entries[path] = replace(entries[path], uid=0, gid=0)
        return replace(changes, entries=entries)

    def _is_inner(self, path: str) -> bool:
        return any(path.startswith(f"{outer}/") for outer in self._paths)

    def _make(self, place: Path, path: str) -> None:
        with _writable(place.parent):
            place.mkdir()
        place.chmod(_MODE)
        self._made.add(path)

    def _reached(self, path: str) -> Path:
        """Where a volume is; the folders above it are made, and no link is followed."""
        place, done = self._folder.path, ""
        for part in path.split("/")[:-1]:
            place, done = place / part, posixpath.join(done, part)
            if not os.path.lexists(place):
                self._make(place, done)
            elif not _is_folder(place):
                raise VolumeError(f"/{done}: the volume /{path} is in it, and it is no folder")
        return place / path.rpartition("/")[2]


def _places(tree: Tree, paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        try:
            place = tree.resolve(path)
        except LinkLoop as error:
            raise VolumeError(f"{path}: too many levels of symbolic links") from error
        if place and place.partition("/")[0] not in OWN:
            yield place


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except FileNotFoundError:
        return False


def _move(source: Path, target: Path) -> None:
    """Rename a folder, which an ordinary user can where the folders are open to writing."""
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
