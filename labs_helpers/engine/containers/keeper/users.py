"""The users of a user namespace: one, or those that the machine gives (newuidmap).

As a program of its own, it works on files as the root of such a namespace, whose users own them:
the engine's user may not change or remove what another user owns. Standard input is a document:
``users`` (engine/subordinate.py), and ``words`` to run, or what owned_files.py shall do.

Source: https://man7.org/linux/man-pages/man7/user_namespaces.7.html
"""

from __future__ import annotations

import os

from . import syscalls as sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def enter(flags: int, uid: int, gid: int, users: dict[str, Any] | None = None) -> None:
    """Enter a new user namespace, and the others that ``flags`` name.

    Without ``users``, this process's user is ``uid`` inside, and there is no other user: all files
    of that user belong to ``uid``. With ``users``, this process is root inside.

    Raises:
        OSError: namespaces, or these users, are forbidden.
    """
    # an undumpable process may not write its own maps, and nobody else may write them
    sys.prctl(sys.DUMPABLE, 1)
    if users:
        _enter_with(flags | sys.NEW_USERS, users)
    else:
        user, group = os.geteuid(), os.getegid()
        sys.unshare(flags | sys.NEW_USERS)
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{uid} {user} 1"),
            ("gid_map", f"{gid} {group} 1"),
        ):
            with open(f"/proc/self/{name}", "w") as file:  # noqa: PTH123 - no pathlib: memory
                file.write(text)
    sys.prctl(sys.DUMPABLE, 0)


def _enter_with(flags: int, users: dict[str, Any]) -> None:
    # the tools must be started outside, and before the process inside goes on
    ready, go = os.pipe()
    this = os.getpid()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(go)
            code = _write_maps(this, users) if os.read(ready, 1) else 1
        finally:
            os._exit(code)
    os.close(ready)
    try:
        sys.unshare(flags)
        os.write(go, b"1")
    finally:
        os.close(go)
        status = os.waitpid(child, 0)[1]
    if status:
        raise PermissionError(1, "newuidmap and newgidmap refuse the users of /etc/subuid")


def _write_maps(of: int, users: dict[str, Any]) -> int:
    for kind in ("uid", "gid"):
        tool, rows = users[kind]["tool"], users[kind]["rows"]
        words = [tool, str(of), *(str(number) for row in rows for number in row)]
        if os.spawnv(os.P_WAIT, tool, words):
            return 1
    return 0


def main() -> None:
    """Do what standard input asks for. Raises OSError."""
    import json
    from sys import stdin

    from . import owned_files

    request = json.load(stdin)
    enter(0, 0, 0, request["users"])
    if "words" in request:
        os.execvp(request["words"][0], request["words"])
    owned_files.work(request)
