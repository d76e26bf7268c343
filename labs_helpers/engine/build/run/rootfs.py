"""The files of an image in a folder, where commands run; changes.py finds what they change.

The index (Tree) describes the image; a command runs in the folder. Names are written only below
folders that this module created, so no link in an image leads out.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path

from labs_helpers.runtime.folders import remove_folder

from ... import owners
from ...streams import CHUNK_SIZE
from ...subordinate import Users
from ..tree import DIRECTORY, FILE, LINK, Entry, Tree
from .changes import MACHINE_FOLDERS, Observer, Stat, all_own, snapshot
from .owners import of_image

log = logging.getLogger(__name__)

_DEVICE_LINKS = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
}
DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "ptmx")
TERMINALS = "pts"


class RootFolder:
    """The files of an image in a folder under ``scratch``, which ``close`` removes.

    An engine that is not root owns every file; the index has the true owners. While a command runs,
    files belong to the users of the image where the machine gives a range of users.
    """

    def __init__(self, tree: Tree, scratch: Path | None, epoch: int) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="run-", dir=scratch))
        self.path, self.spare = self._home / "root", self._home / "tmp"
        self._tree, self._epoch, self._root = tree, epoch, os.geteuid() == 0
        self._top: tuple[int, int, int] | None = None
        self._mount_points: set[str] = set()
        try:
            for folder in (self.path, self.spare):
                folder.mkdir()
                folder.chmod(0o755)
            self.put(dict(tree.walk()))
            self._make_devices()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Remove the folder; the log says when that fails, and the next start tries again."""
        try:
            owners.remove(self._home)
        except OSError as error:
            log.warning("%s cannot be removed: %s", self._home, error)

    def put(self, entries: dict[str, Entry]) -> None:
        """Write entries of the index (path -> entry), parents first."""
        linked: dict[int, str] = {}
        folders: list[tuple[str, Entry]] = []
        for path in sorted(entries, key=lambda name: name.split("/")):
            entry = entries[path]
            if path.partition("/")[0] in MACHINE_FOLDERS:
                continue
            target = self._at(path)
            self._clear(target, entry)
            if entry.kind == DIRECTORY:
                if not target.is_dir():
                    target.mkdir(mode=0o700)
                folders.append((path, entry))
                continue
            if entry.kind == FILE and entry.inode is not None:
                first = linked.setdefault(id(entry.inode), path)
                if first != path:
                    os.link(self._at(first), target)
                    continue
            if self._create(target, entry):
                self._set_attributes(target, entry)
        # last: a folder without write permission takes no more files
        for path, entry in reversed(folders):
            self._set_attributes(self._at(path), entry)

    def remove(self, path: str) -> None:
        """Remove a path and everything below it."""
        target = self._at(path)
        if target.is_dir() and not target.is_symlink():
            remove_folder(target)
        else:
            target.unlink(missing_ok=True)

    def make_mount_points(self, paths: Sequence[str]) -> None:
        """Make a file for each mount, empty, where the image has nothing."""
        for path in paths:
            place = self.path
            for part in path.split("/")[:-1]:
                place /= part
                if not os.path.lexists(place):
                    place.mkdir(mode=0o755)
                    place.chmod(0o755)
                if place.is_symlink() or not place.is_dir():
                    break  # is_mount_point will say so
            else:
                place /= path.rpartition("/")[2]
                if not os.path.lexists(place):
                    place.touch(mode=0o644)
            if self._is_file(path):
                self._mount_points.add(path)

    def is_mount_point(self, path: str) -> bool:
        """Whether a mount can be at a path: a regular file, and no link is on the way."""
        return path in self._mount_points

    def _is_file(self, path: str) -> bool:
        place = self.path
        for part in path.split("/"):
            place /= part
            if place.is_symlink():
                return False
        return place.is_file()

    def hand_over(self, users: Users | None) -> dict[str, Stat]:
        """Make the files ready for a command; return the state of every path.

        With a range of users, the files belong to the image's users, until ``take_back``. The
        machine's folders are left out. Raises OSError.
        """
        if users is None:
            return snapshot(self.path)
        top = [("", *self._top)] if self._top else []
        wanted = [*top, *of_image(self._tree)]
        # starting a process costs more than looking at all files
        found = None if wanted else all_own(self.path)
        if found is None:
            found = _stats(owners.give(users, self.path, wanted))
        return found

    def take_back(self, users: Users | None) -> dict[str, Stat]:
        """The state of every path after a command; all files are the engine's again.

        Raises OSError.
        """
        if users is None:
            return snapshot(self.path)
        self._top, found = None, all_own(self.path)
        if found is None:
            states = owners.take_back(users, self.path)
            _, _, mode, uid, gid, *_ = states[""]
            self._top = (uid, gid, mode)
            found = _stats(states)
        return found

    @property
    def observer(self) -> Observer:
        """Finds what a command changes here."""
        return Observer(self.path, self._tree, self._epoch)

    def _at(self, path: str) -> Path:
        return self.path / path if path else self.path

    def _clear(self, target: Path, entry: Entry) -> None:
        try:
            found = target.lstat()
        except FileNotFoundError:
            return
        if stat.S_ISDIR(found.st_mode):
            if entry.kind != DIRECTORY:
                remove_folder(target)
        else:
            target.unlink()

    def _create(self, target: Path, entry: Entry) -> bool:
        if entry.kind == LINK:
            target.symlink_to(entry.target)
        elif entry.kind == FILE:
            with target.open("xb") as file:
                if entry.open is not None and entry.size:
                    with entry.open() as content:
                        shutil.copyfileobj(content, file, CHUNK_SIZE)
        elif entry.device and entry.device[0] == b"6":
            os.mkfifo(target)
        else:
            return False  # a device: /dev has those that a command needs
        return True

    def _set_attributes(self, target: Path, entry: Entry) -> None:
        if self._root:
            # fails for root in a namespace without all users; the index has the owner
            with contextlib.suppress(OSError):
                os.chown(target, entry.uid, entry.gid, follow_symlinks=False)
        if entry.kind != LINK:
            least = 0o700 if entry.kind == DIRECTORY else 0o600
            target.chmod(entry.mode if self._root else entry.mode | least)
        os.utime(target, (entry.mtime, entry.mtime), follow_symlinks=False)

    def _make_devices(self) -> None:
        dev = self.path / "dev"
        dev.mkdir()
        for name in DEVICES:
            self._make_device(dev / name)
        for name, target in _DEVICE_LINKS.items():
            (dev / name).symlink_to(target)
        for name, mode in ((TERMINALS, 0o755), ("shm", 0o1777)):
            (dev / name).mkdir()
            (dev / name).chmod(mode)
        (self.path / "proc").mkdir()

    def _make_device(self, path: Path) -> None:
        """Create a device node if the engine is root: a command could remove the machine's own."""
        real = Path("/dev", path.name)
        if self._root and real.exists():
            try:
                os.mknod(path, stat.S_IFCHR | 0o666, real.stat().st_rdev)
                path.chmod(0o666)
                if path.name == "null":
                    path.read_bytes()
            except OSError:
                # in a user namespace, or on a file system mounted without devices
                path.unlink(missing_ok=True)
            else:
                return
        path.touch()

    @property
    def foreign_devices(self) -> tuple[str, ...]:
        """Devices to bind from the machine, because they could not be created here.

        An ordinary user cannot remove them; keeper/command.py protects them from root.
        """
        missing = [name for name in DEVICES if (self.path / "dev" / name).is_file()]
        missing += [] if self._root else [TERMINALS]
        return tuple(name for name in missing if Path("/dev", name).exists())


def _stats(states: dict[str, owners.State]) -> dict[str, Stat]:
    return {
        path: Stat(*state) for path, state in states.items() if path and state[0] != stat.S_IFSOCK
    }
