"""Runs a command of a build: start, output, exit status.

Where the machine gives namespaces, the command runs as a program of a container does
(containers/keeper/isolation.py); elsewhere under PRoot (proot.py).
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import shutil
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from labs_helpers.runtime import isolated

from ... import machine
from ...capabilities import OF_BUILDS
from ...subordinate import Users
from ..errors import BuildError
from . import proot
from .accounts import Account
from .rootfs import RootFolder

_MAIN = (
    "import sys; sys.path[:0] = [sys.argv[1]]; from keeper.command import main; sys.exit(main())"
)
_FROM_HOST = ("resolv.conf", "hosts")
"""Files of the machine's /etc that a command sees as copies. The files themselves are not bound: a
command that removes one, as apt's scripts may, would remove the machine's."""
_PORTION = 64 * 1024
_HEARTBEAT = 1.0
"""Seconds of silence after which "" is yielded, so that a lost client is noticed."""
_SHM = 64 << 20
_PROCESSES = 4096

HOST_NAME = "labs-build"
"""The host name that a command sees; Docker's is the ID of a container, which is random."""


class TookTooLong(Exception):
    """The command exceeded its time and was killed."""


@dataclass(frozen=True)
class Command:
    """A command: words, environment, folder and account, as seen inside the image.

    ``hosts`` are additional lines of /etc/hosts. ``network`` is "host", the machine's, or "none".
    ``script`` is the path, below /dev, and the content of a script that the words name. ``users``
    is the range of users, where the engine is an ordinary user's and has one. ``of_build`` is the
    folder of the build of CodeBuild whose command this is.
    """

    words: Sequence[str]
    environment: Mapping[str, str]
    folder: str = "/"
    account: Account = field(default_factory=Account)
    hosts: Sequence[str] = ()
    network: str = "host"
    script: tuple[str, str] | None = None
    users: Users | None = None
    of_build: Path | None = None


def kind() -> str:
    """How commands are isolated here: NAMESPACES, PROOT or NONE of engine/machine.py."""
    return machine.kind()


def has_true_users(command: Command) -> bool:
    """Whether the users of a command are true, so that the kernel checks each of their accesses.

    That needs namespaces, and root or a range of users. Elsewhere all files are of the engine's
    user.
    """
    return command.users is not None or (os.geteuid() == 0 and kind() == machine.NAMESPACES)


def prepare(root: RootFolder) -> None:
    """Make what the command's mounts need in the image's files, before they are looked at.

    Docker's containers have these files, empty, in a layer of their own that no image gets.
    """
    if kind() == machine.NAMESPACES:
        root.make_mount_points([f"etc/{name}" for name in _FROM_HOST])


def run(
    root: RootFolder, command: Command, seconds: float
) -> Generator[tuple[bool, str], None, int]:
    """Run a command; a generator of (is stderr, text) that returns the exit status.

    Closing the generator kills the command and all its processes.

    Raises:
        TookTooLong: after ``seconds``.
    """
    files = _copies(root, command.hosts)
    if command.script:
        # /dev is the machine's in namespaces, and the image's folder under PRoot
        folder = root.spare if kind() == machine.NAMESPACES else root.path
        try:
            _write_script(folder, *command.script)
        except OSError as error:
            raise BuildError(f"{command.script[0]} cannot be written: {error.strerror}") from error
    if kind() == machine.NAMESPACES:
        request: dict[str, Any] = {"spec": _specification(root, command, files)}
    else:
        request = {
            "command": proot.words(root, command.account, command.folder, files, command.words),
            "environment": {**command.environment, **proot.variables(root)},
            "tracer": True,
        }
    limits = _mark(command.of_build)
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _MAIN, machine.KEEPER_HOME],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd="/",
        start_new_session=True,
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    try:
        isolated.mark(process.pid, limits)  # before the process knows what to start
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()
        yield from _output(process.stdout, process.stderr, time.monotonic() + seconds)
        return process.wait()
    finally:
        # the program kills all processes when its stdin closes, and then ends
        with contextlib.suppress(OSError):
            process.stdin.close()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def _mark(build: Path | None) -> Mapping[int, int]:
    """By what the engine knows the command's programs again. Raises BuildError."""
    if build is None:
        return isolated.OF_NO_BUILD
    try:
        return isolated.limits_of(build)
    except OSError as error:
        raise BuildError(f"the build {build.name} has ended: {error.strerror}") from error


def _write_script(root: Path, path: str, content: str) -> None:
    """Write a file below a folder in which earlier commands may have put links.

    Raises OSError for a link on the way, ValueError for a path that leads out.
    """
    *folders, name = path.strip("/").split("/")
    if {"..", "."} & {*folders, name}:
        raise ValueError(f"{path} leads out of the image")
    flags = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    folder = os.open(root, flags)
    try:
        for each in folders:
            with contextlib.suppress(FileExistsError):
                os.mkdir(each, 0o755, dir_fd=folder)
            above, folder = folder, os.open(each, flags, dir_fd=folder)
            os.close(above)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)
        making = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(name, making, dir_fd=folder)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)
            os.fchmod(descriptor, 0o755)
    finally:
        os.close(folder)


def _specification(root: RootFolder, command: Command, files: Sequence[str]) -> dict[str, Any]:
    """The command for the keeper's isolation, as containers/spec.py has it for a container."""
    account = command.account
    targets = [f"/etc/{name}" for name in files if root.is_mount_point(f"etc/{name}")]
    targets += [command.script[0]] if command.script else []
    return {
        "folder": str(root.path.parent),
        "lower": "",
        "mounts": [
            {"source": f"{root.spare}{target}", "target": target, "read_only": False}
            for target in targets
        ],
        "words": list(command.words),
        "environment": [f"{name}={value}" for name, value in command.environment.items()],
        "cwd": command.folder,
        "uid": account.uid,
        "gid": account.gid,
        "groups": [account.gid, *account.groups],
        "hostname": HOST_NAME,
        "network": command.network,
        "alone": True,  # no exec joins a RUN, which would be outside
        "capabilities": sorted(OF_BUILDS.values()),
        "processes": _PROCESSES,
        "user_namespace": os.geteuid() != 0,
        "users": command.users,
        "memory": (0, 0),
        "limits": [],
        "shm_size": _SHM,
        **{"read_only": False, "init": False, "ports": [], "relays": [], "tmpfs": {}},
    }


def _copies(root: RootFolder, hosts: Sequence[str]) -> list[str]:
    """Copy files of the machine's /etc to ``spare/etc``; return their names.

    ``hosts`` are lines to add to the copy of /etc/hosts.
    """
    folder = root.spare / "etc"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    found = [name for name in _FROM_HOST if Path("/etc", name).is_file()]
    for name in found:
        shutil.copyfile(Path("/etc", name), folder / name)
    if hosts:
        with (folder / "hosts").open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in hosts)
        found = [*found, *({"hosts"} - set(found))]
    for name in found:
        (folder / name).chmod(0o644)
    return found


def _output(
    out: IO[bytes], errors: IO[bytes], until: float
) -> Generator[tuple[bool, str], None, None]:
    incomplete = {False: b"", True: b""}
    with selectors.DefaultSelector() as selector:
        for stream, is_error in ((out, False), (errors, True)):
            os.set_blocking(stream.fileno(), False)
            selector.register(stream, selectors.EVENT_READ, is_error)
        while selector.get_map():
            ready = selector.select(max(0, min(_HEARTBEAT, until - time.monotonic())))
            if time.monotonic() >= until:
                raise TookTooLong
            if not ready:
                yield False, ""
            for key, _ in ready:
                data = os.read(key.fd, _PORTION)
                whole, incomplete[key.data] = _decode(incomplete[key.data] + data, last=not data)
                if whole:
                    yield key.data, whole
                if not data:
                    selector.unregister(key.fileobj)


def _decode(data: bytes, last: bool) -> tuple[str, bytes]:
    """The decoded text, and the bytes of a last character that is incomplete."""
    cut = len(data)
    if not last:
        for back in range(1, min(4, len(data)) + 1):
            byte = data[-back]
            if byte & 0xC0 == 0xC0:
                length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
                cut = len(data) - back if length > back else len(data)
                break
            if byte & 0x80 == 0:
                break
    return data[:cut].decode("utf-8", "replace"), data[cut:]
