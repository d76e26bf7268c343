"""The owners of an image's files, for users of a range (engine/owners.py)."""

from __future__ import annotations

import tempfile
from pathlib import Path

from ... import machine
from ...errors import NotSupported
from ...owners import Owner, are_kept
from ...subordinate import Users, most
from ..tree import DIRECTORY, LINK, OTHER, Tree
from .accounts import Account
from .changes import MACHINE_FOLDERS

_FIFO = b"6"


def of_image(tree: Tree) -> list[Owner]:
    """The owners and modes that differ from what the engine's user makes; folders come first."""
    found = []
    for path, entry in tree.walk():
        is_made = entry.kind != OTHER or bool(entry.device and entry.device[0] == _FIFO)
        if not is_made or path.partition("/")[0] in MACHINE_FOLDERS or not path:
            continue
        least = {DIRECTORY: 0o700, LINK: 0}.get(entry.kind, 0o600)
        if entry.uid or entry.gid or entry.mode & least != least:
            found.append((path, entry.uid, entry.gid, -1 if entry.kind == LINK else entry.mode))
    return found


def users_for(tree: Tree, account: Account, scratch: Path | None) -> Users | None:
    """The range of users of a command; None where the machine gives none.

    ``scratch`` is the folder in which the files of builds are unpacked.

    Raises:
        NotSupported: the command's user, or the owner of a file, is beyond the range, or the folder
            is on a file system that knows no range.
    """
    users = machine.users()
    if users is None:
        return None
    folder = scratch or Path(tempfile.gettempdir())
    if not are_kept(users, folder):
        raise NotSupported(f"the file system of {folder} keeps no owners of a range of users")
    count = most(users)
    if max(account.uid, account.gid, *account.groups) >= count:
        raise NotSupported(
            f"USER has the number {account.uid} and the group {account.gid}, and /etc/subuid and"
            f" /etc/subgid give this machine's user {count} of each"
        )
    check(of_image(tree), users)
    return users


def check(owners: list[Owner], users: Users) -> None:
    """Raise NotSupported when a file belongs to a user beyond the range."""
    count = most(users)
    for path, uid, gid, _ in owners:
        if max(uid, gid) >= count:
            raise NotSupported(
                f"/{path} of the image belongs to user {uid} and group {gid}, and /etc/subuid and"
                f" /etc/subgid give this machine's user {count} of each"
            )
