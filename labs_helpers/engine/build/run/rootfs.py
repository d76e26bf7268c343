"""The files of an image in a folder, and the changes that a command makes there.

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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

from labs_helpers.runtime.folders import remove_folder

from ...streams import CHUNK_SIZE
from ..layer import Changes
from ..tree import DIRECTORY, FILE, LINK, OTHER, Entry, Tree
from .accounts import Account

log = logging.getLogger(__name__)

MACHINE_FOLDERS = ("dev", "proc", "sys")
"""Folders of the machine, not of the image; layers leave out their changes."""

_DEVICE_LINKS = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
}
DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "ptmx")
TERMINALS = "pts"


@dataclass(frozen=True)
class _Stat:
    """The lstat of a path; any write, chmod, chown or replacement changes it."""

    kind: int
    inode: int
    mode: int
    uid: int
    gid: int
    size: int
    modified: int
    changed: int

    @classmethod
    def of(cls, found: os.stat_result) -> _Stat:
        """The state from an lstat."""
        return cls(
            stat.S_IFMT(found.st_mode),
            found.st_ino,
            stat.S_IMODE(found.st_mode),
            found.st_uid,
            found.st_gid,
            found.st_size,
            found.st_mtime_ns,
            found.st_ctime_ns,
        )


class RootFolder:
    """The files of an image in a folder under ``scratch``, which ``close`` removes.

    An engine that is not root owns every file; the index has the true owners.
    """

    def __init__(self, tree: Tree, scratch: Path | None, epoch: int) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="run-", dir=scratch))
        self.path, self.spare = self._home / "root", self._home / "tmp"
        self._tree, self._epoch, self._root = tree, epoch, os.geteuid() == 0
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
            remove_folder(self._home)
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

    def is_mount_point(self, path: str) -> bool:
        """Whether a path is a regular file, and no link is on the way."""
        place = self.path
        for part in path.split("/"):
            place /= part
            if place.is_symlink():
                return False
        return place.is_file()

    def snapshot(self) -> dict[str, _Stat]:
        """The state of every path, except for the machine's folders."""
        return dict(self._scan())

    def changes(self, before: dict[str, _Stat], account: Account) -> Changes:
        """The changes since a snapshot, as a layer; the index must not have changed meanwhile.

        As in Docker, a change includes the folders above it, a touched file counts as changed, and
        sockets are left out. Changed files get the one date of this build.
        """
        after = self.snapshot()
        removed = {path for path in before if path not in after}
        changed = {path for path, now in after.items() if _differs(before.get(path), now)}
        for path in [*removed, *changed]:
            while "/" in path:
                path = path.rpartition("/")[0]
                if path in after:
                    changed.add(path)
        inodes: dict[int, object] = {}
        entries = {}
        for path in sorted(changed):
            entry = self._entry(path, before.get(path), after[path], account)
            if entry.kind == FILE:
                entry = replace(entry, inode=inodes.setdefault(after[path].inode, object()))
            entries[path] = entry
            if entry.kind != DIRECTORY:
                date = (self._epoch, self._epoch)
                os.utime(self._at(path), date, follow_symlinks=False)
        deleted = {
            path for path in removed if (parent := path.rpartition("/")[0]) in after or not parent
        }
        return Changes(
            entries, {p for p in deleted if _is_folder(after.get(p.rpartition("/")[0], None))}
        )

    def written_without_permission(self, changes: Changes, account: Account) -> str | None:
        """The first change that the account may not make by the owners and modes of the index.

        None when there is no such change. The index must not have the changes yet.
        """
        for path in sorted({*changes.entries, *changes.removed}):
            old = self._tree.get(path)
            above = self._tree.get(path.rpartition("/")[0]) or Entry(DIRECTORY)
            if old and path in changes.entries:
                is_denied = old.kind == FILE and not _may_write(old, account)
            else:
                # a new folder is the account's own
                is_new = path.rpartition("/")[0] in changes.entries and not self._tree.get(
                    path.rpartition("/")[0]
                )
                is_denied = not is_new and not _may_write(above, account)
            if is_denied:
                return path
        return None

    def _entry(self, path: str, old: _Stat | None, now: _Stat, account: Account) -> Entry:
        known = self._tree.get(path) if old and old.inode == now.inode else None
        uid, gid, mode = now.uid, now.gid, now.mode
        if known and old:
            uid = known.uid if now.uid == old.uid else now.uid
            gid = known.gid if now.gid == old.gid else now.gid
            mode = known.mode if now.mode == old.mode else now.mode
        else:
            # the command's user created the file, whoever the engine runs as
            uid = account.uid if uid == os.geteuid() else uid
            gid = account.gid if gid == os.getegid() or not self._root else gid
        entry = Entry(DIRECTORY, mode, uid, gid, mtime=self._epoch)
        target = self._at(path)
        match now.kind:
            case stat.S_IFREG:
                return replace(entry, kind=FILE, size=now.size, open=partial(_open, target))
            case stat.S_IFLNK:
                return replace(entry, kind=LINK, target=os.readlink(target))  # noqa: PTH115
            case stat.S_IFDIR:
                return entry
        found = target.lstat()
        numbers = (os.major(found.st_rdev), os.minor(found.st_rdev))
        letter = {stat.S_IFCHR: b"3", stat.S_IFBLK: b"4"}.get(now.kind, b"6")
        return replace(entry, kind=OTHER, device=(letter, *(numbers if letter != b"6" else (0, 0))))

    def _scan(self) -> Iterator[tuple[str, _Stat]]:
        """Every path with its state, folders before their content.

        Raises:
            OSError: a path is longer than the system allows (ENAMETOOLONG).
        """
        waiting = [""]
        while waiting:
            below = waiting.pop()
            with os.scandir(self._at(below)) as found:
                entries = sorted(found, key=lambda entry: entry.name)
            for entry in entries:
                if not below and entry.name in MACHINE_FOLDERS:
                    continue
                path = f"{below}/{entry.name}" if below else entry.name
                seen = _Stat.of(entry.stat(follow_symlinks=False))
                if seen.kind == stat.S_IFSOCK:
                    continue
                yield path, seen
                # what is unreadable for the engine's user is unchanged
                if seen.kind == stat.S_IFDIR and (self._root or seen.mode & 0o500 == 0o500):
                    waiting.append(path)

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


def _may_write(entry: Entry, account: Account) -> bool:
    shift = 0
    if entry.uid == account.uid:
        shift = 6
    elif entry.gid in (account.gid, *account.groups):
        shift = 3
    return bool(entry.mode >> shift & 2)


def _differs(old: _Stat | None, now: _Stat) -> bool:
    if old is None or _is_folder(now) != _is_folder(old):
        return True
    if _is_folder(now):
        return (old.inode, old.mode, old.uid, old.gid) != (now.inode, now.mode, now.uid, now.gid)
    return old != now


def _is_folder(seen: _Stat | None) -> bool:
    return seen is None or seen.kind == stat.S_IFDIR


def _open(path: Path) -> BinaryIO:
    return path.open("rb")
