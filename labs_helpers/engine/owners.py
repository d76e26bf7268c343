"""Files that belong to other users than the engine's: images', containers' and volumes'.

Where an ordinary user has a range of users (subordinate.py), the users of a container and of a RUN
are true, and own files that the engine's user may not change or remove. What has to be done with
them is done by a process that is root of the range (containers/keeper/users.py). Elsewhere it is
done directly.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from labs_helpers.runtime.folders import remove_folder

from . import machine
from .subordinate import Users

Owner = tuple[str, int, int, int]
"""A path below a root folder, its uid and gid inside, and its mode; -1 leaves the mode as it is."""

State = tuple[int, int, int, int, int, int, int, int]
"""A path's kind, inode, mode, uid, gid, size, and times of modification and change, from lstat. The
times are in nanoseconds."""

_MAIN = "import sys; sys.path[:0] = [sys.argv[1]]; from keeper.users import main; main()"


def give(users: Users, root: Path, owners: list[Owner]) -> dict[str, State]:
    """Give files below a folder to users of the range; return the state of all its paths.

    What is in a folder comes after the folder in ``owners``. The folder is the path "". Folders of
    the machine (dev, proc, sys) are left out. Raises OSError.
    """
    # the new mode of a folder may forbid a look inside, so the folder comes last
    return _states(_ask(users, {"root": str(root), "give": owners[::-1]}))


def take_back(users: Users, root: Path) -> dict[str, State]:
    """Give all files below a folder to the engine's user, who may then read and change them.

    Returns the state of all paths before, as ``give`` does. Raises OSError.
    """
    return _states(_ask(users, {"root": str(root), "take": True}))


def are_kept(users: Users, folder: Path) -> bool:
    """Whether the file system of a folder lets files belong to users of the range.

    Network file systems refuse that, since their server knows nothing of the range:
    https://github.com/containers/podman/blob/v5.2.2/rootless.md
    """
    device = folder.stat().st_dev
    if device not in _kept:
        place = Path(tempfile.mkdtemp(prefix="probe-", dir=folder))
        try:
            give(users, place, [("", 1, 1, 0o700)])
            take_back(users, place)
        except OSError:
            _kept[device] = False
        else:
            _kept[device] = True
        finally:
            remove(place)
    return _kept[device]


_kept: dict[int, bool] = {}
"""What was found, by the number of the file system's device."""


def _states(output: bytes) -> dict[str, State]:
    found = json.loads(output)
    if "error" in found:
        raise OSError(found["error"], os.strerror(found["error"]), found["path"])
    return {path: tuple(state) for path, *state in found["paths"]}


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


def _ask(users: Users, request: dict[str, Any]) -> bytes:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _MAIN, machine.KEEPER_HOME],
        input=json.dumps({"users": users, **request}).encode(),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["it was killed"]
        raise OSError(f"files of other users: {lines[-1]}")
    return done.stdout
