"""How this machine lets the engine isolate a container: namespaces, PRoot, or not at all."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from labs_helpers.runtime.folders import remove_folder

from . import subordinate

NAMESPACES, PROOT, NONE = "namespaces", "proot", "none"
VARIABLE = "LABS_ISOLATION"
"""Chooses one of these, for tests and for who wants the other."""

KEEPER_HOME = Path(__file__).parent / "containers"
"""The folder that holds the package keeper, which processes without the labs' packages import."""

_PROBE = (
    "import sys; sys.path[:0] = [sys.argv[1]]; from keeper.namespaces import probe;"
    " sys.exit(probe(sys.argv[2]))"
)
_PROBE_USERS = (
    "import json, sys; sys.path[:0] = [sys.argv[1]]; from keeper.users import enter;"
    " enter(0, 0, 0, json.loads(sys.argv[2]))"
)
_SENTENCES = {
    NAMESPACES: "containers run in namespaces of their own",
    PROOT: (
        "containers run under PRoot, because this machine forbids namespaces to this user: they"
        " share the machine's network and processes, and all their ports are the machine's own"
    ),
    NONE: (
        "no container can run: this machine forbids namespaces to this user, and PRoot is not"
        " installed (Debian, Ubuntu: sudo apt install proot)"
    ),
}
_RANGE = ", with {} users (/etc/subuid), and so does each RUN of a build"
_ONE_USER = (
    ", and so does each RUN of a build, with one user: USER and chown have no true effect (for more"
    " users: the package uidmap, and a range of subordinate users and groups; man newuidmap)"
)
_NOT_LINUX = (
    "no container can run: containers need Linux. Start Docker Desktop, and then the labs anew"
    " (labs stop; labs start): they stand in front of a Docker that answers"
)


@dataclass(frozen=True)
class Isolation:
    """The ``kind`` of isolation; ``overlay``: whether images are shared instead of copied."""

    kind: str
    overlay: bool = False

    @property
    def has_namespaces(self) -> bool:
        """Whether a container has namespaces of its own."""
        return self.kind == NAMESPACES

    @property
    def sentence(self) -> str:
        """The isolation, in words."""
        if sys.platform != "linux":
            return _NOT_LINUX
        if not self.has_namespaces or os.geteuid() == 0:
            return _SENTENCES[self.kind]
        found = users()
        more = _RANGE.format(subordinate.most(found)) if found else _ONE_USER
        return _SENTENCES[self.kind] + more


def isolation(folder: Path) -> Isolation:
    """The isolation for containers kept in ``folder``, which exists."""
    if sys.platform != "linux":
        return Isolation(NONE)
    wanted = os.environ.get(VARIABLE) or ""
    proot = Isolation(PROOT if shutil.which("proot") else NONE)
    if wanted in (PROOT, NONE):
        return proot if wanted == PROOT else Isolation(NONE)
    answer = _probed(folder)
    if answer in (0, 1):
        return Isolation(NAMESPACES, overlay=answer == 0)
    return proot


def kind() -> str:
    """The kind of isolation for what needs no overlay, as a RUN of a build."""
    return isolation(Path(tempfile.gettempdir())).kind


def users() -> subordinate.Users | None:
    """The users that a container of this process's user has; None: one, or those of the machine.

    None for root, whose containers have the machine's users, and where namespaces are forbidden.
    """
    if sys.platform != "linux" or os.geteuid() == 0 or os.environ.get(VARIABLE) in (PROOT, NONE):
        return None
    return _probed_users()


@functools.cache
def _probed_users() -> subordinate.Users | None:
    found = subordinate.granted()
    if found is None:
        return None
    # the tools are there in vain where no program may gain rights
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _PROBE_USERS, KEEPER_HOME, json.dumps(found)],
        check=False,
        capture_output=True,
    )
    return found if done.returncode == 0 else None


@functools.cache
def _probed(folder: Path) -> int:
    place = Path(tempfile.mkdtemp(prefix="probe-", dir=folder))
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _PROBE, KEEPER_HOME, place],
            check=False,
            capture_output=True,
        )
    finally:
        remove_folder(place)
    return done.returncode


def proot_words(
    root: Path, uid: int, gid: int, cwd: str, mounts: list[dict[str, object]]
) -> list[str]:
    """The words before those of a program that PRoot runs in a root folder."""
    identity = ["-0"] if uid == 0 else ["-i", f"{uid}:{gid}"]
    devices = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty")
    binds = ["/proc", *devices, "/dev/pts"]
    binds += [f"{mount['source']}:{mount['target']}" for mount in mounts]
    return [
        str(shutil.which("proot")),
        *("-r", str(root), *identity, "-w", cwd),
        *(word for bind in binds for word in ("-b", bind)),
    ]


def first_free_port() -> int:
    """The lowest port on which a program of this user may listen."""
    if os.geteuid() == 0:
        return 1
    try:
        return int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    except (OSError, ValueError):
        return 1024
