"""The users and groups of an image, from its own /etc/passwd and /etc/group.

Source: https://github.com/moby/sys/blob/user/v0.4.0/user/user.go
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..tree import FILE, Entry, LinkLoop, Tree

_LARGEST = 2**31 - 1
_LIMIT = 4 * 1024 * 1024


class UnknownAccount(LookupError):
    """The image has no such user or group; the message is Docker's."""


@dataclass(frozen=True)
class Account:
    """The user and group that a command runs as; ``groups`` are further groups of the user."""

    uid: int = 0
    gid: int = 0
    home: str = "/"
    groups: tuple[int, ...] = ()


def find_account(user: str, root: Tree) -> Account:
    """The account of ``USER user[:group]``, each a name or a number; "" is root.

    Raises:
        UnknownAccount: the files lack a name.
    """
    name, _, group = user.partition(":")
    name = name or "0"
    found = next((a for key, a in _users(root) if key == name), None)
    if found is None and is_number(name):
        number = int(name)
        found = next((a for _, a in _users(root) if a.uid == number), Account(number))
    if found is None:
        raise UnknownAccount(f"unable to find user {name}: no matching entries in passwd file")
    if group:
        # as in Docker, a group in USER takes the place of all groups of the user
        return Account(found.uid, group_id(group, root), found.home)
    return replace(found, groups=tuple(_groups(_name(found.uid, name, root), root)))


def _name(uid: int, name: str, root: Tree) -> str:
    return next((key for key, a in _users(root) if a.uid == uid), name)


def _groups(name: str, root: Tree) -> Iterator[int]:
    """The groups that list a user as a member."""
    for fields in lines(root, "etc/group"):
        if len(fields) > 3 and is_number(fields[2]) and name in fields[3].split(","):
            yield int(fields[2])


def group_id(name: str, root: Tree) -> int:
    """The number of a group, by its name or number. Raises UnknownAccount."""
    for fields in lines(root, "etc/group"):
        if fields[0] == name and len(fields) > 2 and is_number(fields[2]):
            return int(fields[2])
    if is_number(name):
        return int(name)
    raise UnknownAccount(f"unable to find group {name}: no matching entries in group file")


def lines(root: Tree, path: str) -> Iterator[list[str]]:
    """The lines of an account file, split at colons; none when there is no file."""
    entry = _file(root, path)
    if entry is None or entry.open is None:
        return
    with entry.open() as content:
        for line in content.read(_LIMIT).decode(errors="replace").splitlines():
            yield line.strip().split(":")


def exists(root: Tree, path: str) -> bool:
    """Whether the image has the account file."""
    return _file(root, path) is not None


def is_number(text: str) -> bool:
    """Whether the text is a valid number of a user or group."""
    return text.isascii() and text.isdigit() and int(text[:11]) <= _LARGEST


def _file(root: Tree, path: str) -> Entry | None:
    try:
        entry = root.get(root.resolve(path))
    except LinkLoop:
        return None
    return entry if entry and entry.kind == FILE else None


def _users(root: Tree) -> Iterator[tuple[str, Account]]:
    for fields in lines(root, "etc/passwd"):
        if len(fields) > 5 and is_number(fields[2]) and is_number(fields[3]):
            yield fields[0], Account(int(fields[2]), int(fields[3]), fields[5] or "/")
