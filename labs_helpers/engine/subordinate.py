"""The users that the machine gives an ordinary user for containers: /etc/subuid and /etc/subgid.

The programs newuidmap and newgidmap (Debian, Ubuntu: package uidmap) write a map with them.
Sources: https://man7.org/linux/man-pages/man5/subuid.5.html and
https://man7.org/linux/man-pages/man1/newuidmap.1.html
"""

from __future__ import annotations

import os
import pwd
import shutil
from pathlib import Path
from typing import Any

Users = dict[str, Any]
"""``{"uid": {"tool": path, "rows": [[inside, outside, count], ...]}, "gid": ...}`` for the keeper
(keeper/users.py)."""

_TABLES = {"uid": ("/etc/subuid", "newuidmap"), "gid": ("/etc/subgid", "newgidmap")}


def granted() -> Users | None:
    """The maps of this process's user, who is root inside; None where the machine gives none."""
    own = {"uid": os.geteuid(), "gid": os.getegid()}
    found: Users = {}
    for kind, (table, program) in _TABLES.items():
        tool = shutil.which(program, path="/usr/bin:/bin:/usr/sbin:/sbin:/usr/local/bin")
        rows = ranges(Path(table), _names())
        if tool is None or not rows:
            return None
        inside, placed = 1, [[0, own[kind], 1]]
        for start, count in rows:
            placed.append([inside, start, count])
            inside += count
        found[kind] = {"tool": tool, "rows": placed}
    return found


def most(users: Users) -> int:
    """The number of users, or of groups if these are fewer."""
    return min(sum(int(row[2]) for row in users[kind]["rows"]) for kind in _TABLES)


def ranges(table: Path, names: frozenset[str]) -> list[tuple[int, int]]:
    """First number and count of each range that a table gives to one of the names."""
    try:
        lines = table.read_text(errors="replace").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        name, _, rest = line.partition(":")
        start, _, count = rest.partition(":")
        if name in names and start.isdecimal() and count.isdecimal() and int(count):
            found.append((int(start), int(count)))
    return found


def _names() -> frozenset[str]:
    uid = os.geteuid()
    try:
        return frozenset({str(uid), pwd.getpwuid(uid).pw_name})
    except KeyError:  # a user without an entry in /etc/passwd
        return frozenset({str(uid)})
