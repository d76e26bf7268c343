"""A command under PRoot: how it is started, what it says, how it ends.

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
"""Files of the machine's /etc that a command has a copy of. Never the files themselves: a command
that removed one, as apt's scripts may, would remove the machine's."""
_PORTION = 64 * 1024
_STILL_HERE = 1.0
"""Seconds of silence after which "" is yielded, by which a client that has gone is noticed."""


class TookTooLong(Exception):
    """The command was ended because its time was over."""


FOLDER_VARIABLE = "PROOT_TMP_DIR"
"""The variable that names the folder of PRoot's own files; the command sees it, too."""


@functools.cache
def heeds_folder(proot: Path) -> bool:
    """Whether this PRoot reads ``FOLDER_VARIABLE``: 5.1.0, that of Debian 12, does not."""
    try:
        return FOLDER_VARIABLE.encode() in proot.read_bytes()
    except OSError:
        return True


@dataclass(frozen=True)
class Command:
    """What to run: words, environment, folder and user, all as inside the image."""

    words: Sequence[str]
    environment: Mapping[str, str]
    folder: str = "/"
    who: Account = field(default_factory=Account)


def available() -> Path | None:
    """Where PRoot is, None where it is not installed (it is a program of Linux)."""
    found = shutil.which("proot") if sys.platform == "linux" else None
    return Path(found) if found else None


def run(
    proot: Path, root: RootFolder, command: Command, seconds: float
) -> Generator[tuple[bool, str], None, int]:
    """Run a command; a generator of (is it stderr, text) that returns the exit status.

    Closing the generator kills the command and all it started.

    Raises:
        TookTooLong: after ``seconds``.
    """
    own = {FOLDER_VARIABLE: str(root.spare)} if heeds_folder(proot) else {}
    order = {
        "command": _words(proot, root, command),
        "environment": {**command.environment, **own},
        "tracer": True,
    }
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
        process.stdin.write(json.dumps(order).encode() + b"\n")
        process.stdin.flush()
        yield from _said(process.stdout, process.stderr, time.monotonic() + seconds)
        return process.wait()
    finally:
        # the supervisor kills everything when this closes, and then ends
        with contextlib.suppress(OSError):
            process.stdin.close()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def _words(proot: Path, root: RootFolder, command: Command) -> list[str]:
    who = ["-0"] if command.who.uid == 0 else ["-i", f"{command.who.uid}:{command.who.gid}"]
    bound = ["/proc", *(f"/dev/{name}" for name in root.foreign_devices), *_copies(root)]
    return [
        *(str(proot), "-r", str(root.path), *who, "-w", command.folder),
        *(word for path in bound for word in ("-b", path)),
        *command.words,
    ]


def _copies(root: RootFolder) -> list[str]:
    """Bindings "copy:/etc/name" of what there is of the machine's files."""
    folder = root.spare / "etc"
    folder.mkdir(exist_ok=True)
    found = [name for name in _FROM_HOST if Path("/etc", name).is_file()]
    for name in found:
        shutil.copyfile(Path("/etc", name), folder / name)
    return [f"{folder / name}:/etc/{name}" for name in found]


def _said(
    out: IO[bytes], errors: IO[bytes], until: float
) -> Generator[tuple[bool, str], None, None]:
    held = {False: b"", True: b""}
    with selectors.DefaultSelector() as selector:
        for stream, is_error in ((out, False), (errors, True)):
            os.set_blocking(stream.fileno(), False)
            selector.register(stream, selectors.EVENT_READ, is_error)
        while selector.get_map():
            ready = selector.select(max(0, min(_STILL_HERE, until - time.monotonic())))
            if time.monotonic() >= until:
                raise TookTooLong
            if not ready:
                yield False, ""
            for key, _ in ready:
                data = os.read(key.fd, _PORTION)
                whole, held[key.data] = _whole(held[key.data] + data, last=not data)
                if whole:
                    yield key.data, whole
                if not data:
                    selector.unregister(key.fileobj)


def _whole(data: bytes, last: bool) -> tuple[str, bytes]:
    """The text so far, and the bytes of a character that has not all arrived."""
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
