"""Files that belong to other users than the engine's: images', containers' and volumes'.

Where an ordinary user has a range of users (engine/subordinate.py), a container's users are true,
and own files that the engine's user may not change or remove. What has to be done with them is done
by a process that is root of the range (keeper/users.py). Elsewhere it is done directly.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from labs_helpers.runtime.folders import remove_folder

from .. import machine
from ..build.tree import DIRECTORY, FILE, LINK, OTHER, Tree
from ..errors import NotSupported
from ..subordinate import Users, most

_MAIN = "import sys; sys.path[:0] = [sys.argv[1]]; from keeper.users import main; main()"


def give(root: Path, tree: Tree) -> None:
    """Give the files of an unpacked image to the users that the image names.

    Raises:
        NotSupported: a file belongs to a user beyond the range.
        OSError: a file cannot be given away.
    """
    users = machine.users()
    if users is None:
        return
    count = most(users)
    entries = []
    for path, entry in tree.walk():
        if entry.kind == OTHER or path.partition("/")[0] in ("dev", "proc", "sys") or not path:
            continue
        if max(entry.uid, entry.gid) >= count:
            raise NotSupported(
                f"/{path} of the image belongs to user {entry.uid} and group {entry.gid}, and"
                f" /etc/subuid and /etc/subgid give this machine's user {count} of each"
            )
        least = {DIRECTORY: 0o700, FILE: 0o600}.get(entry.kind, 0)
        if entry.uid or entry.gid or (entry.kind != LINK and entry.mode & least != least):
            mode = -1 if entry.kind == LINK else entry.mode
            entries.append((path, entry.uid, entry.gid, mode))
    # what is in a folder comes before the folder, whose new mode may forbid a look inside
    _ask(users, {"root": str(root), "entries": entries[::-1]})


def copy(source: Path, target: Path) -> None:
    """Copy what is in a folder into another, with its owners. Raises OSError."""
    words = ["cp", "-a", "--reflink=auto", "--", f"{source}/.", str(target)]
    if users := machine.users():
        _ask(users, {"words": words})
        return
    done = subprocess.run(words, capture_output=True, check=False)
    if done.returncode:
        raise OSError(done.stderr.decode(errors="replace").strip())


def remove(folder: Path) -> None:
    """Remove a folder with whatever is in it. Raises OSError."""
    try:
        remove_folder(folder)
    except PermissionError:
        users = machine.users()
        if users is None:
            raise
        _ask(users, {"words": ["chown", "-hR", "0:0", "--", str(folder)]})
        remove_folder(folder)


def _ask(users: Users, request: dict[str, Any]) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _MAIN, machine.KEEPER_HOME],
        input=json.dumps({"users": users, **request}).encode(),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["it was killed"]
        raise OSError(f"files of other users: {lines[-1]}")
