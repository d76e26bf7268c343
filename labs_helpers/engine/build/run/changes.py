"""What a command changed in the files of an image: the layer of a RUN.

As in Docker, a change includes the folders above it, a touched file counts as changed, and sockets
are left out. Changed files get the one date of the build.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

from ..layer import Changes
from ..tree import DIRECTORY, FILE, LINK, OTHER, Entry, Tree
from .accounts import Account

MACHINE_FOLDERS = ("dev", "proc", "sys")
"""Folders of the machine, not of the image; layers leave out their changes."""


@dataclass(frozen=True)
class Stat:
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
    def of(cls, found: os.stat_result) -> Stat:
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


def snapshot(root: Path) -> dict[str, Stat]:
    """The state of every path in a folder, except for the machine's folders."""
    return dict(_scan(root))


def all_own(root: Path) -> dict[str, Stat] | None:
    """As ``snapshot``, if all belongs to this process's user, who is root inside; else None."""
    try:
        top, found = Stat.of(root.lstat()), snapshot(root)
    except PermissionError:
        return None
    own = (os.geteuid(), os.getegid())
    for seen in (top, *found.values()):
        least = {stat.S_IFDIR: 0o700, stat.S_IFLNK: 0}.get(seen.kind, 0o600)
        if (seen.uid, seen.gid) != own or seen.mode & least != least:
            return None
    return {path: replace(seen, uid=0, gid=0) for path, seen in found.items()}


def _scan(root: Path) -> Iterator[tuple[str, Stat]]:
    """Every path with its state, folders before their content.

    Raises:
        OSError: a path is longer than the system allows (ENAMETOOLONG).
    """
    is_root = os.geteuid() == 0
    waiting = [""]
    while waiting:
        below = waiting.pop()
        with os.scandir(root / below) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        for entry in entries:
            if not below and entry.name in MACHINE_FOLDERS:
                continue
            path = f"{below}/{entry.name}" if below else entry.name
            seen = Stat.of(entry.stat(follow_symlinks=False))
            if seen.kind == stat.S_IFSOCK:
                continue
            yield path, seen
            # what is unreadable for the engine's user is unchanged
            if seen.kind == stat.S_IFDIR and (is_root or seen.mode & 0o500 == 0o500):
                waiting.append(path)


class Observer:
    """Compares the files in the folder ``root`` with the index of an image.

    ``epoch`` is the date of the build, a Unix time.
    """

    def __init__(self, root: Path, tree: Tree, epoch: int) -> None:
        self._root, self._tree, self._epoch = root, tree, epoch

    def changes(
        self, before: dict[str, Stat], after: dict[str, Stat], account: Account | None
    ) -> Changes:
        """The changes between two states of the paths, as a layer.

        Args:
            account: who made what belongs to the engine's user; None: owners are true.

        The index must not have changed meanwhile.
        """
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
                os.utime((self._root / path), date, follow_symlinks=False)
        deleted = {
            path for path in removed if (parent := path.rpartition("/")[0]) in after or not parent
        }
        return Changes(entries, {p for p in deleted if _is_folder(after.get(p.rpartition("/")[0]))})

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

    def _entry(self, path: str, old: Stat | None, now: Stat, account: Account | None) -> Entry:
        known = self._tree.get(path) if old and old.inode == now.inode else None
        uid, gid, mode = now.uid, now.gid, now.mode
        if known and old:
            uid = known.uid if now.uid == old.uid else now.uid
            gid = known.gid if now.gid == old.gid else now.gid
            mode = known.mode if now.mode == old.mode else now.mode
        elif account:
            # the command's user created the file, whoever the engine runs as
            uid = account.uid if uid == os.geteuid() else uid
            gid = account.gid if gid == os.getegid() or os.geteuid() != 0 else gid
        entry = Entry(DIRECTORY, mode, uid, gid, mtime=self._epoch)
        target = self._root / path
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


def _may_write(entry: Entry, account: Account) -> bool:
    shift = 0
    if entry.uid == account.uid:
        shift = 6
    elif entry.gid in (account.gid, *account.groups):
        shift = 3
    return bool(entry.mode >> shift & 2)


def _differs(old: Stat | None, now: Stat) -> bool:
    if old is None or _is_folder(now) != _is_folder(old):
        return True
    if _is_folder(now):
        return (old.inode, old.mode, old.uid, old.gid) != (now.inode, now.mode, now.uid, now.gid)
    return old != now


def _is_folder(seen: Stat | None) -> bool:
    return seen is None or seen.kind == stat.S_IFDIR


def _open(path: Path) -> BinaryIO:
    return path.open("rb")
