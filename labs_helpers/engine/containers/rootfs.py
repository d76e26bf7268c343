"""The files of images, unpacked once for all containers, and what a container adds to them."""

from __future__ import annotations

import logging
import stat
import threading
from functools import partial
from pathlib import Path
from typing import BinaryIO

from .. import machine, owners
from ..build.options import BuildOptions
from ..build.run import owners as owners_of
from ..build.run.rootfs import RootFolder
from ..build.stage import image_root
from ..build.tree import FILE, Entry, Tree
from ..folders import fresh_folder
from ..store import Image, ImageStore

log = logging.getLogger(__name__)

_ACCOUNTS = ("etc/passwd", "etc/group")


class Unpacked:
    """The unpacked images in one folder, by ID. They are read-only: containers overlay them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._scratch = fresh_folder(folder, "unpacking")
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def path(self, image: Image, store: ImageStore) -> Path:
        """The root folder of an image of a store, unpacked if need be. Raises OSError.

        An ID is a digest, so the files are the same whichever store the image is from.
        """
        place = self._folder / image.id.removeprefix("sha256:")
        with self._lock:
            lock = self._locks.setdefault(image.id, threading.Lock())
        with lock:
            if not place.is_dir():
                tree = image_root(store, image, BuildOptions(scratch=self._scratch))
                root = RootFolder(tree, self._scratch, 0)
                try:
                    if users := machine.users():
                        wanted = owners_of.of_image(tree)
                        owners_of.check(wanted, users)
                        owners.give(users, root.path, wanted)
                    root.path.rename(place)
                finally:
                    root.close()
        return place

    def sweep(self, used: set[str]) -> None:
        """Remove the files of images whose IDs are not in ``used``."""
        for place in self._folder.iterdir():
            if place != self._scratch and f"sha256:{place.name}" not in used:
                try:
                    owners.remove(place)
                except OSError as error:
                    log.warning("%s cannot be removed: %s", place, error)


def prepare(folder: Path) -> None:
    """Make the folders of a container's overlay; a start begins with an empty ``work``."""
    for name in ("root", "upper", "work"):
        path = folder / name
        if name == "work" and path.exists():
            # left by a volatile overlay, which cannot be mounted again with it
            owners.remove(path)
        path.mkdir(mode=0o755, exist_ok=True)
        path.chmod(0o755)


def copy_layers(folder: Path, layers: list[Path]) -> None:
    """Fill a container's empty root folder with the files of its layers, the highest first.

    For machines without overlays. Raises OSError.
    """
    root = folder / "root"
    if any(root.iterdir()):
        return
    for layer in reversed(layers):
        owners.copy(layer, root)


def accounts(lower: Path, upper: Path) -> Tree:
    """The files of an image's accounts as the container has them, for ``find_account``."""
    tree = Tree()
    for name in _ACCOUNTS:
        for root in (upper, lower):
            place = regular_file(root, name)
            if place:
                tree.put(name, Entry(FILE, open=partial(_open, place)))
                break
    return tree


def _open(place: Path) -> BinaryIO:
    return place.open("rb")


def regular_file(root: Path, name: str) -> Path | None:
    """A regular file below a folder, if no link is on the way."""
    place = inside(root, name)
    return place if place and stat.S_ISREG(place.lstat().st_mode) else None


def inside(root: Path, name: str) -> Path | None:
    """An existing path below a folder, if no symbolic link is on the way."""
    place = root
    for part in [part for part in name.split("/") if part]:
        place = place / part
        try:
            if part == ".." or stat.S_ISLNK(place.lstat().st_mode):
                return None
        except OSError:
            return None
    return place


def copy_up(root: Path, path: str, volume: Path) -> None:
    """Fill a new, empty volume with the image's files at its path, as Docker does.

    Raises OSError.
    """
    source = inside(root, path)
    if source is None or not source.is_dir():
        return
    owners.copy(source, volume)
