"""Runs a command under PRoot: start, output, exit status.

Source: https://github.com/proot-me/proot/blob/v5.1.0/doc/proot/manual.rst
"""

from __future__ import annotations

import contextlib
import functools
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
from typing import IO

from .accounts import Account
from .rootfs import RootFolder

_SUPERVISOR = Path(__file__).with_name("supervisor.py")
_FROM_HOST = ("resolv.conf", "hosts")
"""Files of the machine's /etc that a command sees as copies. The files themselves are not bound: a
command that removes one, as apt's scripts may, would remove the machine's."""
_PORTION = 64 * 1024
_HEARTBEAT = 1.0
"""Seconds of silence after which "" is yielded, so that a lost client is noticed."""


class TookTooLong(Exception):
    """The command exceeded its time and was killed."""


FOLDER_VARIABLE = "PROOT_TMP_DIR"
"""The variable for the folder of PRoot's own files; the command sees this variable, too."""


@functools.cache
def reads_folder_variable(proot: Path) -> bool:
    """Whether this PRoot reads FOLDER_VARIABLE; version 5.1.0, of Debian 12, does not."""
    try:
        return FOLDER_VARIABLE.encode() in proot.read_bytes()
    except OSError:
        return True


_ROOT, _SPARE = "/tmp/labs/rootfs", "/tmp/labs/spare"
"""Where a command in namespaces has its root folder, and the other files of its run."""


@functools.cache
def has_namespaces() -> bool:
    """Whether this user gets namespaces, so that a command sees no process of the machine.

    Ubuntu 24.04 and ordinary containers refuse them to an ordinary user:
    https://ubuntu.com/blog/ubuntu-23-10-restricted-unprivileged-user-namespaces
    """
    command = [sys.executable, "-I", "-S", str(_SUPERVISOR)]
    done = subprocess.run(command, input=b'{"probe": true}\n', capture_output=True, check=False)
    return done.returncode == 0


def becomes_user(account: Account) -> bool:
    """Whether a command runs as the true user, so that the kernel checks each of its accesses.

    That needs root, and namespaces: the image's folder is in one that other users may not enter.
    Elsewhere PRoot pretends to be the user, and all files are of the engine's user.
    """
    return account.uid != 0 and os.geteuid() == 0 and has_namespaces()


@dataclass(frozen=True)
class Command:
    """A command: words, environment, folder and account, as seen inside the image.

    ``hosts`` are additional lines of /etc/hosts.
    """

    words: Sequence[str]
    environment: Mapping[str, str]
    folder: str = "/"
    account: Account = field(default_factory=Account)
    hosts: Sequence[str] = ()


def available() -> Path | None:
    """The path of PRoot, a program for Linux; None when it is not installed."""
    found = shutil.which("proot") if sys.platform == "linux" else None
    return Path(found) if found else None


def run(
    proot: Path, root: RootFolder, command: Command, seconds: float
) -> Generator[tuple[bool, str], None, int]:
    """Run a command; a generator of (is stderr, text) that returns the exit status.

    Closing the generator kills the command and all its processes.

    Raises:
        TookTooLong: after ``seconds``.
    """
    isolated = has_namespaces()
    is_real = becomes_user(command.account)
    places = {str(root.path): _ROOT, str(root.spare): _SPARE}
    seen_at = places if isolated else {place: place for place in places}
    folder = {FOLDER_VARIABLE: "/tmp" if isolated else str(root.spare)}
    request = {
        "command": _words(proot, root, command, seen_at, fake=not is_real),
        "environment": {
            **command.environment,
            **(folder if reads_folder_variable(proot) else {}),
        },
        "tracer": True,
        "isolated": isolated,
        "folders": places,
    }
    if is_real:
        account = command.account
        groups = [account.gid, *account.groups]
        request["account"] = {"uid": account.uid, "gid": account.gid, "groups": groups}
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", str(_SUPERVISOR)],
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
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()
        yield from _output(process.stdout, process.stderr, time.monotonic() + seconds)
        return process.wait()
    finally:
        # the supervisor kills all processes when its stdin closes, and then ends
        with contextlib.suppress(OSError):
            process.stdin.close()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def _words(
    proot: Path, root: RootFolder, command: Command, seen_at: Mapping[str, str], fake: bool
) -> list[str]:
    """PRoot's words; ``seen_at`` leads from a path here to that in the namespaces.

    With ``fake``, PRoot pretends that the command has the account's user and group.
    """
    user, group = command.account.uid, command.account.gid
    identity = ["-0"] if user == 0 else ["-i", f"{user}:{group}"]
    devices = (f"/dev/{name}" for name in root.foreign_devices)
    spare = seen_at[str(root.spare)]
    files = (f"{spare}/etc/{name}:/etc/{name}" for name in _copies(root, command.hosts))
    return [
        *(str(proot), "-r", seen_at[str(root.path)], *(identity if fake else ())),
        *("-w", command.folder),
        *(word for path in ("/proc", *devices, *files) for word in ("-b", path)),
        *command.words,
    ]


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
